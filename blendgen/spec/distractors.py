"""The `distractors` section: objects that are not products."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from blendgen.spec.distributions import Distribution, Integers, Uniform
from blendgen.spec.fields import number, whole_number
from blendgen.spec.products import ModelSource


class Distractors(ModelSource):
    """Objects that are not products: they take up space and cast shadows, but have neither label nor box."""

    count: Annotated[Distribution, whole_number(0, 12)] = Field(
        Integers(0, 3), description="number of distractors, as far as there is room"
    )
    gap_m: Annotated[Distribution, number(0, 1)] = Field(
        Uniform(0.005, 0.1), description="distance to the objects already placed"
    )
