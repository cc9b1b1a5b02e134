"""The `condition` section: wear, dirt and the screens of products."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from blendgen.spec.distributions import Constant, Distribution
from blendgen.spec.fields import number
from blendgen.spec.section import Section


class ConditionSection(Section):
    """Condition of the products; 0 is factory new and switched off."""

    scratches: Annotated[Distribution, number(0, 1)] = Field(
        Constant(0.0), description="number and depth of fine scratches"
    )
    fingerprints: Annotated[Distribution, number(0, 1)] = Field(
        Constant(0.0), description="greasy smears that dull reflections"
    )
    dust: Annotated[Distribution, number(0, 1)] = Field(
        Constant(0.0), description="dust, specks and lint on faces that point up"
    )
    scuffs: Annotated[Distribution, number(0, 1)] = Field(
        Constant(0.0), description="abraded, matte, lighter patches, first on edges and corners"
    )
    stickers: Annotated[Distribution, number(0, 1)] = Field(
        Constant(0.0),
        description="probability of each of up to four labels, vinyl stickers or strips of tape on faces "
        "that point up",
    )
    cracks: Annotated[Distribution, number(0, 1)] = Field(
        Constant(0.0),
        description="how far and how finely glass is cracked: that of the built-in phones, and parts that a "
        "sidecar states as glass or screen",
    )
    screen: Annotated[Distribution, number(0, 8)] = Field(
        Constant(0.0),
        description="brightness of the screen, of the built-in phones or as a sidecar states: 0 is off, 1 is "
        "as bright as white paper in unit light",
    )
