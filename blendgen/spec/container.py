"""The `container` section: the box, tray or tote that holds a pile."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from blendgen.scene.kinds.containers import CONTAINER_KINDS
from blendgen.spec.distributions import Choice, Distribution, Uniform
from blendgen.spec.fields import Color, name_of, number
from blendgen.spec.section import Section


class ContainerSection(Section):
    """An open box on the surface that holds a pile of products."""

    kind: Annotated[Distribution, name_of(CONTAINER_KINDS)] = Field(
        Choice(tuple(CONTAINER_KINDS), (1.0,) * len(CONTAINER_KINDS)), description=", ".join(CONTAINER_KINDS)
    )
    width_m: Annotated[Distribution, number(0.02, 5)] = Field(
        Uniform(0.25, 0.35),
        description="inner width; a wider container is used if the objects do not fit into it",
    )
    length_m: Annotated[Distribution, number(0.02, 5)] = Field(
        Uniform(0.35, 0.5),
        description="inner length; a longer container is used if the objects do not fit into it",
    )
    height_m: Annotated[Distribution, number(0.005, 2)] = Field(
        Uniform(0.06, 0.15), description="height of the walls"
    )
    yaw_deg: Annotated[Distribution, number()] = Field(
        Uniform(0.0, 360.0), description="rotation about the vertical axis"
    )
    color: Color | None = Field(
        None, description="sRGB '#rrggbb'; default: sampled from the usual colours of the kind"
    )
