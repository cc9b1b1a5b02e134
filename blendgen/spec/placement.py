"""The `placement` section: how the products are arranged."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from blendgen.spec.distribution_parsing import is_number
from blendgen.spec.distributions import Distribution, Uniform
from blendgen.spec.fields import number
from blendgen.spec.section import Section


class Placement(Section):
    """How the products are arranged on the surface."""

    arrangement: Literal["apart", "pile"] = Field(
        "apart",
        description="apart: next to each other, without contact; pile: dropped onto each other, together "
        "with the distractors, and settled by a physics engine",
    )
    pose: Literal["resting", "upright", "free"] = Field(
        "resting",
        description="resting: a stable pose, by its probability; upright: as modelled; free: any orientation",
    )
    yaw_deg: Annotated[Distribution, number()] = Field(
        Uniform(0.0, 360.0),
        description="rotation about the vertical axis, relative to the surface's direction of travel",
    )
    offset: Annotated[Distribution, number(-1, 1)] = Field(
        Uniform(-0.8, 0.8), description="position across the surface: 0 is the middle, -1 and 1 are the edges"
    )
    gap_m: Annotated[Distribution, number(0, 1)] = Field(
        Uniform(0.005, 0.05), description="distance between products, with arrangement: apart"
    )
    spread: Annotated[Distribution, number(0, 3)] = Field(
        Uniform(0.3, 0.9),
        description="for a pile: width of the area onto which the objects are dropped, relative to the area "
        "that they cover side by side; 0 is a single point",
    )
    visible_fraction: tuple[float, float] = Field(
        (0.0, 1.0),
        description="[low, high] fraction of the subject that may be visible; other shots are sampled again",
    )

    @field_validator("visible_fraction", mode="before")
    @classmethod
    def _ordered_range(cls, value: Any) -> tuple[float, float]:
        if not (isinstance(value, list | tuple) and len(value) == 2 and all(map(is_number, value))):
            raise ValueError(f"must be two numbers, [low, high], got {value!r}")
        low, high = float(value[0]), float(value[1])
        if not 0 <= low < high <= 1:
            raise ValueError(f"must have 0 <= low < high <= 1, got [{low:g}, {high:g}]")
        return low, high
