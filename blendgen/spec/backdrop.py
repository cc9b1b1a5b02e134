"""The `backdrop` section: photos behind everything."""

from __future__ import annotations

from pydantic import Field

from blendgen.spec.distributions import Constant, Uniform
from blendgen.spec.fields import number
from blendgen.spec.section import Section


class BackdropSection(Section):
    """Photos behind everything, seen past products and surface (docs/surfaces.md); they give no light."""

    directory: str = Field(description="folder of photos, relative to the spec file")
    follow_links: bool = Field(False, description="also read links that lead out of the directory")
    zoom: number(1, 20) = Field(
        Uniform(1.0, 1.3),
        description="1 shows as much of a photo as fills the frame, 2 half as much each way",
    )
    ev: number(-10, 10) = Field(
        Constant(0.0), description="brightness; at 0 the white of a photo is as bright as white paper"
    )
