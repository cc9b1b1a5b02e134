"""The `surface` section: what products lie on."""

from __future__ import annotations

from pydantic import Field

from blendgen.spec.distributions import Constant, Uniform
from blendgen.spec.fields import Color, name_of, number
from blendgen.spec.section import Section
from blendgen.vocabulary import SURFACE_KINDS

# defaults that depend on the kind, and so cannot stand in the field
_BELT_WIDTH_M, _TABLE_WIDTH_M = Uniform(0.5, 0.9), Uniform(1.0, 1.8)
SURFACE_WIDTH_M = {kind: _BELT_WIDTH_M if "belt" in kind else _TABLE_WIDTH_M for kind in SURFACE_KINDS}


class SurfaceSection(Section):
    """What products lie on."""

    kind: name_of(SURFACE_KINDS) = Field(Constant("belt_rubber"), description=", ".join(SURFACE_KINDS))
    wear: number(0, 1) = Field(Uniform(0.0, 0.6), description="0 factory new to 1 heavily used")
    dust: number(0, 1) = Field(Uniform(0.0, 0.5), description="0 clean to 1 dusty")
    color: Color | None = Field(None, description="sRGB tint '#rrggbb'; default: the material's own")
    width_m: number(0.05, 5) | None = Field(
        None,
        description="width of a belt or table; never narrower than what lies on it "
        f"(default {_BELT_WIDTH_M} for belts, {_TABLE_WIDTH_M} for tables)",
    )
    yaw_deg: number() = Field(Constant(0.0), description="direction of travel or grain; 0 is world +Y")
    speed_m_per_s: number(0, 20) = Field(
        Constant(0.0), description="of a belt; with exposure.time_s it makes motion blur"
    )
