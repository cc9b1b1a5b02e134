"""The `placement` section: how products lie."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from blendgen.spec.distributions import Uniform
from blendgen.spec.fields import number
from blendgen.spec.section import Section


class Placement(Section):
    """How products lie on the surface."""

    pose: Literal["resting", "upright", "free"] = Field(
        "resting", description="stable poses by their probability; as modelled; or any orientation"
    )
    yaw_deg: number() = Field(Uniform(0.0, 360.0), description="turn about the vertical")
    offset: number(-1, 1) = Field(
        Uniform(-0.8, 0.8), description="place across the surface; 0 middle, -1 and 1 at its edges"
    )
    gap_m: number(0, 1) = Field(Uniform(0.005, 0.05), description="room between products of one image")
