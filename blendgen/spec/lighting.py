"""The `lighting` section: the light sources; exposure.py has their strength in each image."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from blendgen.scene.kinds.environments import ENVIRONMENTS
from blendgen.scene.kinds.lamps import LAMP_KINDS
from blendgen.spec.distributions import Choice, Constant, Distribution, Uniform
from blendgen.spec.fields import direction_above, name_of, number, whole_number
from blendgen.spec.section import Section

# defaults of keys that exclude each other; the fields themselves have none
AZIMUTH_DEG = Uniform(0.0, 360.0)
LAMP_ELEVATION_DEG = Uniform(25.0, 80.0)
ENVIRONMENT_IMAGE = Choice(("studio", "interior", "city"), (1.0,) * 3)


class EnvironmentSection(Section):
    """Light from the surroundings."""

    image: Annotated[Distribution, name_of(ENVIRONMENTS)] | None = Field(
        None, description=f"{', '.join(ENVIRONMENTS)} (default {ENVIRONMENT_IMAGE})"
    )
    directory: str | None = Field(
        None, description="instead of image: a folder of .hdr or .exr panoramas, relative to the spec file"
    )
    follow_links: bool = Field(False, description="also use links that lead out of the directory")
    rotation_deg: Annotated[Distribution, number()] = Field(
        Uniform(0.0, 360.0), description="rotation about the vertical axis, clockwise seen from above"
    )

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if self.image is not None and self.directory is not None:
            raise ValueError("give either image or directory, not both")
        return self


class LampsSection(Section):
    """Lamps and sunlight around the products; each lamp is a light group of its own."""

    count: Annotated[Distribution, whole_number(0, 8)] = Field(
        Choice((1, 2, 3), (1.0,) * 3), description="number of lamps"
    )
    kind: Annotated[Distribution, name_of(LAMP_KINDS)] = Field(
        Choice(("area", "strip"), (1.0,) * 2), description=", ".join(LAMP_KINDS)
    )
    elevation_deg: Annotated[Distribution, number(5, 90)] | None = Field(
        None, description=f"elevation above the horizon (default {LAMP_ELEVATION_DEG})"
    )
    azimuth_deg: Annotated[Distribution, number()] | None = Field(
        None, description=f"azimuth; 0 is world +X, 90 is +Y (default {AZIMUTH_DEG})"
    )
    direction: Annotated[Distribution, direction_above(5)] | None = Field(
        None, description="instead of elevation_deg and azimuth_deg"
    )
    distance_m: Annotated[Distribution, number(0.1, 50)] = Field(
        Uniform(0.8, 2.0), description="from the lamp to the sphere around the products"
    )
    size_m: Annotated[Distribution, number(0.01, 10)] = Field(
        Uniform(0.1, 0.6),
        description="longer side of the lamp, outer diameter of a ring, or height of a door or window, "
        "measured perpendicular to the sunlight",
    )
    sun_angle_deg: Annotated[Distribution, number(0.05, 20)] = Field(
        Constant(0.53), description="angular diameter of the sun; larger values soften shadows, as haze does"
    )
    sunlit: Annotated[Distribution, number(0, 1)] = Field(
        Uniform(0.0, 1.0),
        description="for a door or window: how far its patch of light reaches over the products from one "
        "side; 0: its edge just misses them, 1: its edge is past them",
    )
    strobe: Annotated[Distribution, whole_number(0, 1)] = Field(
        Constant(0), description="1: the lamp flashes for exposure.strobe_s; 0: it is always on"
    )
    visible: bool = Field(False, description="whether the lamps themselves appear in the image")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.direction is not None and (self.elevation_deg or self.azimuth_deg):
            raise ValueError("direction replaces elevation_deg and azimuth_deg; remove one or the other")
        return self


class Lighting(Section):
    environment: EnvironmentSection = EnvironmentSection()
    lamps: LampsSection = LampsSection()
