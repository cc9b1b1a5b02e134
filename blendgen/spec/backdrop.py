"""The `backdrop` section: photos behind everything else."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from blendgen.spec.distributions import Constant, Distribution, Uniform
from blendgen.spec.fields import number
from blendgen.spec.section import Section


class BackdropSection(Section):
    """Photos behind the products and the surface (docs/surfaces.md); they emit no light."""

    directory: str = Field(description="folder of photos, relative to the spec file")
    follow_links: bool = Field(False, description="also use links that lead out of the directory")
    zoom: Annotated[Distribution, number(1, 20)] = Field(
        Uniform(1.0, 1.3),
        description="1: as much of a photo as fills the frame; 2: half of that width and height",
    )
    ev: Annotated[Distribution, number(-10, 10)] = Field(
        Constant(0.0),
        description="brightness in stops; at 0, white in a photo is as bright as white paper in the scene",
    )
