"""The `occluders` section: objects that hide a part of the subject."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from blendgen.spec.distributions import Constant, Distribution, Uniform
from blendgen.spec.fields import number, whole_number
from blendgen.spec.products import ModelSource


class Occluders(ModelSource):
    """Objects between the camera and the subject that hide part of it."""

    count: Annotated[Distribution, whole_number(0, 4)] = Field(
        Constant(1), description="number of occluders; 0: an unobstructed view"
    )
    visible_fraction: Annotated[Distribution, number(0.05, 0.99)] = Field(
        Uniform(0.5, 0.9),
        description="fraction of the subject that stays visible; the occluders' positions are solved for, "
        "and shots outside of the range are sampled again",
    )
    height_m: Annotated[Distribution, number(0, 5)] = Field(
        Uniform(0.01, 0.12), description="gap to the objects below or behind; smaller if the camera is close"
    )
