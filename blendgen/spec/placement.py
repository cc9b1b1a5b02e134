"""The `placement` and `container` sections: how products lie, and in what."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from blendgen.scene.vocabulary import CONTAINER_KINDS
from blendgen.spec.distribution_parsing import is_number
from blendgen.spec.distributions import Choice, Uniform
from blendgen.spec.fields import Color, name_of, number
from blendgen.spec.section import Section


class Placement(Section):
    """How products lie on the surface."""

    arrangement: Literal["apart", "pile"] = Field(
        "apart",
        description="apart: beside one another, none touches another; pile: dropped over one another, with "
        "the distractors, and settled by a physics engine",
    )
    pose: Literal["resting", "upright", "free"] = Field(
        "resting", description="stable poses by their probability; as modelled; or any orientation"
    )
    yaw_deg: number() = Field(
        Uniform(0.0, 360.0), description="turn about the vertical, against the surface's direction of travel"
    )
    offset: number(-1, 1) = Field(
        Uniform(-0.8, 0.8), description="place across the surface; 0 middle, -1 and 1 at its edges"
    )
    gap_m: number(0, 1) = Field(Uniform(0.005, 0.05), description="room between products that lie apart")
    spread: number(0, 3) = Field(
        Uniform(0.3, 0.9),
        description="of a pile: width of the place onto which things fall, against what they would take side "
        "by side; 0 is one spot",
    )
    visible_fraction: tuple[float, float] = Field(
        (0.0, 1.0),
        description="least and largest share of the subject that may be visible; other shots are drawn again",
    )

    @field_validator("visible_fraction", mode="before")
    @classmethod
    def _a_range(cls, value):
        if not (isinstance(value, list | tuple) and len(value) == 2 and all(map(is_number, value))):
            raise ValueError(f"needs two numbers, [low, high], got {value!r}")
        low, high = map(float, value)
        if not 0 <= low < high <= 1:
            raise ValueError(f"needs 0 <= low < high <= 1, got [{low:g}, {high:g}]")
        return low, high


class ContainerSection(Section):
    """An open box on the surface; the products lie in it as a pile."""

    kind: name_of(CONTAINER_KINDS) = Field(
        Choice(tuple(CONTAINER_KINDS), (1.0,) * len(CONTAINER_KINDS)), description=", ".join(CONTAINER_KINDS)
    )
    width_m: number(0.02, 5) = Field(
        Uniform(0.25, 0.35), description="inner width; wider where its content needs it"
    )
    length_m: number(0.02, 5) = Field(Uniform(0.35, 0.5), description="inner length, likewise")
    height_m: number(0.005, 2) = Field(Uniform(0.06, 0.15), description="height of its walls")
    yaw_deg: number() = Field(Uniform(0.0, 360.0), description="turn about the vertical")
    color: Color | None = Field(None, description="sRGB '#rrggbb'; default: drawn from the kind's own")
