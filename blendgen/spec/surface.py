"""The `surface` section: what products lie on."""

from __future__ import annotations

from pydantic import Field, model_validator

from blendgen.scene.vocabulary import PHOTO, SURFACE_KINDS, USUALLY_SEAMLESS
from blendgen.spec.distributions import Choice, Constant, Uniform
from blendgen.spec.fields import Color, name_of, number
from blendgen.spec.section import Section

# defaults that depend on the kind, and so cannot stand in the field
_BELT_WIDTH_M, _TABLE_WIDTH_M = Uniform(0.5, 0.9), Uniform(1.0, 1.8)
SURFACE_WIDTH_M = {kind: _BELT_WIDTH_M if "belt" in kind else _TABLE_WIDTH_M for kind in SURFACE_KINDS}


class PhotosSection(Section):
    """For the kind photo: photos of a surface, laid flat and continued in their mirror images."""

    directory: str = Field(description="folder of photos, relative to the spec file")
    follow_links: bool = Field(False, description="also read links that lead out of the directory")
    width_m: number(0.01, 100) = Field(description="real width that one photo shows")
    roughness: number(0, 1) = Field(
        Uniform(0.4, 0.8), description="of what they show: 0 mirrors, 1 is without any sheen"
    )


class SurfaceSection(Section):
    """What products lie on (docs/surfaces.md)."""

    kind: name_of(SURFACE_KINDS) = Field(Constant("belt_rubber"), description=", ".join(SURFACE_KINDS))
    photos: PhotosSection | None = Field(None, description="photos of your own, for the kind photo")
    wear: number(0, 1) = Field(Uniform(0.0, 0.6), description="0 factory new to 1 heavily used")
    stains: number(0, 1) | None = Field(
        None,
        description="0 none to 1 many blots, also large ones (default: small ones, by wear)",
    )
    dust: number(0, 1) = Field(Uniform(0.0, 0.5), description="0 clean to 1 dusty")
    wetness: number(0, 1) = Field(
        Constant(0.0), description="0 dry, then drops and puddles, to 1 a film of water nearly everywhere"
    )
    seams: number(0, 1) | None = Field(
        None,
        description="how visible splices of a belt, joints of plates, staves and links, and tape are; 0 none "
        f"(default: 1, but 0 for {' and '.join(USUALLY_SEAMLESS)})",
    )
    color: Color | None = Field(None, description="sRGB tint '#rrggbb'; default: the material's own")
    width_m: number(0.05, 5) | None = Field(
        None,
        description="width of a belt or table; never narrower than what lies on it "
        f"(default {_BELT_WIDTH_M} for belts, {_TABLE_WIDTH_M} for tables)",
    )
    pitch_m: number(0.005, 0.03) = Field(
        Uniform(0.008, 0.016), description="of belt_mesh: from one of its cross rods to the next"
    )
    yaw_deg: number() = Field(Constant(0.0), description="direction of travel or grain; 0 is world +Y")
    speed_m_per_s: number(0, 20) = Field(
        Constant(0.0), description="of a belt; with exposure.time_s it makes motion blur"
    )

    @model_validator(mode="after")
    def _photos_where_wanted(self):
        kinds = self.kind.possible() if isinstance(self.kind, Choice) else (self.kind.value,)
        if PHOTO in kinds and self.photos is None:
            raise ValueError("kind: photo needs photos: {directory: FOLDER, width_m: METRES}")
        if self.photos is not None and "kind" not in self.model_fields_set:
            raise ValueError("photos are given, but kind is left out; add kind: photo")
        return self
