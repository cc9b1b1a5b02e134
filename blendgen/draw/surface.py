"""Surface: what the products lie on, drawn, and where across it they lie."""

from __future__ import annotations

import numpy as np

from blendgen.draw.sampler import Sampler
from blendgen.shot import Surface
from blendgen.spec.model import Spec
from blendgen.spec.surface import SURFACE_WIDTH_M
from blendgen.vocabulary import SURFACE_RIM_M

_TEXTURE_PERIOD_M = 20.0
_WIDEST_SHARE = 0.9


def draw_surface(spec: Spec, points: np.ndarray, sampler: Sampler) -> Surface:
    """The surface of one shot; points: (n, 3) hull vertices of all products, about the origin."""
    section = spec.surface
    kind = sampler.value(section.kind, "surface.kind")
    width = sampler.value(section.width_m or SURFACE_WIDTH_M[kind], "surface.width_m")
    extent = float(np.linalg.norm(np.ptp(points[:, :2], axis=0)))
    offset = sampler.units("surface.texture_offset_m", 2)
    color = sampler.value(section.color, "surface.color") if section.color is not None else None
    return Surface(
        kind=kind,
        texture_offset_m=tuple(unit * _TEXTURE_PERIOD_M for unit in offset),
        yaw_deg=sampler.value(section.yaw_deg, "surface.yaw_deg"),
        # what lies on a belt is not wider than the belt
        width_m=max(width, extent / _WIDEST_SHARE + 2 * SURFACE_RIM_M),
        wear=sampler.value(section.wear, "surface.wear"),
        dust=sampler.value(section.dust, "surface.dust"),
        color_srgb=color,
        speed_m_per_s=sampler.value(section.speed_m_per_s, "surface.speed_m_per_s")
        if "belt" in kind
        else 0.0,
    )


def offset_across(spec: Spec, surface: Surface, points, sampler: Sampler) -> tuple[float, float]:
    """Shift across the surface's direction of travel that keeps the products on it."""
    yaw = np.radians(surface.yaw_deg)
    across = np.array([np.cos(yaw), np.sin(yaw)])
    reach = float(np.max(np.abs(points[:, :2] @ across)))
    room = max(surface.width_m / 2 - SURFACE_RIM_M - reach, 0.0)
    shift = sampler.value(spec.placement.offset, "placement.offset") * room * across
    return (float(shift[0]), float(shift[1]))
