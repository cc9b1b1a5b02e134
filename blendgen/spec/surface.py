"""The `surface` section: what the products rest on."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from blendgen.scene.kinds.surfaces import SURFACE_KINDS
from blendgen.spec.distributions import Constant, Distribution, Uniform, possible_values
from blendgen.spec.fields import Color, name_of, number
from blendgen.spec.section import Section

# defaults that depend on the kind; the field itself has none
_BELT_WIDTH_M, _TABLE_WIDTH_M = Uniform(0.5, 0.9), Uniform(1.0, 1.8)
SURFACE_WIDTH_M = {
    name: _BELT_WIDTH_M if kind.belt else _TABLE_WIDTH_M for name, kind in SURFACE_KINDS.items()
}
_SEAMLESS = " and ".join(kind.name for kind in SURFACE_KINDS.values() if kind.seamless)


class PhotosSection(Section):
    """For kind: photo: photos of a surface, laid flat and repeated as mirror images."""

    directory: str = Field(description="folder of photos, relative to the spec file")
    follow_links: bool = Field(False, description="also use links that lead out of the directory")
    width_m: Annotated[Distribution, number(0.01, 100)] = Field(
        description="width of the real surface that one photo shows"
    )
    roughness: Annotated[Distribution, number(0, 1)] = Field(
        Uniform(0.4, 0.8), description="roughness of the surface: 0 is a mirror, 1 is matte"
    )


class SurfaceSection(Section):
    """What the products rest on (docs/surfaces.md)."""

    kind: Annotated[Distribution, name_of(SURFACE_KINDS)] = Field(
        Constant("belt_rubber"), description=", ".join(SURFACE_KINDS)
    )
    photos: PhotosSection | None = Field(None, description="your own photos, for kind: photo")
    wear: Annotated[Distribution, number(0, 1)] = Field(
        Uniform(0.0, 0.6), description="0 is factory new, 1 is heavily used"
    )
    stains: Annotated[Distribution, number(0, 1)] | None = Field(
        None,
        description="0 is clean, 1 is many stains, some of them large (default: small stains, by wear)",
    )
    dust: Annotated[Distribution, number(0, 1)] = Field(
        Uniform(0.0, 0.5), description="0 is clean, 1 is dusty"
    )
    wetness: Annotated[Distribution, number(0, 1)] = Field(
        Constant(0.0), description="0 is dry, then drops and puddles, 1 is a film of water nearly everywhere"
    )
    seams: Annotated[Distribution, number(0, 1)] | None = Field(
        None,
        description="visibility of belt splices, of joints of plates, staves and links, and of tape; 0 is "
        f"invisible (default: 1, but 0 for {_SEAMLESS})",
    )
    color: Color | None = Field(None, description="sRGB tint '#rrggbb'; default: the material's own colour")
    width_m: Annotated[Distribution, number(0.05, 5)] | None = Field(
        None,
        description="width of a belt or table; a wider one is used if the objects do not fit on it "
        f"(default {_BELT_WIDTH_M} for belts, {_TABLE_WIDTH_M} for tables)",
    )
    pitch_m: Annotated[Distribution, number(0.005, 0.03)] = Field(
        Uniform(0.008, 0.016), description="distance between the cross rods of belt_mesh"
    )
    yaw_deg: Annotated[Distribution, number()] = Field(
        Constant(0.0), description="direction of travel or of the grain; 0 is world +Y"
    )
    speed_m_per_s: Annotated[Distribution, number(0, 20)] = Field(
        Constant(0.0), description="speed of a belt; causes motion blur during exposure.time_s"
    )

    @model_validator(mode="after")
    def _photos_go_with_their_kind(self) -> Self:
        kinds = possible_values(self.kind)
        if any(SURFACE_KINDS[kind].shows_photo for kind in kinds) and self.photos is None:
            raise ValueError("kind: photo needs photos: {directory: FOLDER, width_m: METRES}")
        if self.photos is not None and "kind" not in self.model_fields_set:
            raise ValueError("photos needs kind: photo, but kind is missing; add it")
        return self
