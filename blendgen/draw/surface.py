"""Surface: the surface that the products lie on, and their position across it."""

from __future__ import annotations

import numpy as np

from blendgen.draw.sampler import Sampler
from blendgen.geometry.arrays import PointsN3
from blendgen.models.product import Catalog
from blendgen.scene.ground import Surface, SurfacePhoto
from blendgen.scene.kinds.surfaces import SURFACE_KINDS, SURFACE_RIM_M
from blendgen.spec.distributions import Choice
from blendgen.spec.model import Spec
from blendgen.spec.surface import SURFACE_WIDTH_M, PhotosSection

_TEXTURE_PERIOD_M = 20.0
_WIDEST_SHARE = 0.9


def draw_surface(spec: Spec, catalog: Catalog, points: PointsN3, sampler: Sampler) -> Surface:
    """The surface of one shot.

    points: (n, 3) of all objects on it, around the origin, metres
    """
    section = spec.surface
    kind = SURFACE_KINDS[sampler.value(section.kind, "surface.kind")]
    width = sampler.value(section.width_m or SURFACE_WIDTH_M[kind.name], "surface.width_m")
    extent = float(np.linalg.norm(np.ptp(points[:, :2], axis=0)))
    offset = sampler.u("surface.texture_offset_m", 2)
    is_used = {"speed_m_per_s": kind.belt, "pitch_m": kind.has_pitch}
    values = sampler.values(section, Surface, "surface", [name for name in is_used if not is_used[name]])
    values |= {
        "texture_offset_m": tuple(u * _TEXTURE_PERIOD_M for u in offset),
        # wide enough for the objects on it
        "width_m": max(width, extent / _WIDEST_SHARE + 2 * SURFACE_RIM_M),
        "color_srgb": None if section.color is None else sampler.value(section.color, "surface.color"),
        "photo": _photo(section.photos, catalog, sampler) if kind.shows_photo and section.photos else None,
    }
    return Surface(**values)


def _photo(section: PhotosSection, catalog: Catalog, sampler: Sampler) -> SurfacePhoto:
    image = sampler.value(Choice.even(sorted(catalog.photos)), "surface.photos.image")
    return SurfacePhoto(image=image, **sampler.values(section, SurfacePhoto, "surface.photos"))


def offset_across(spec: Spec, surface: Surface, points: PointsN3, sampler: Sampler) -> tuple[float, float]:
    """(x, y) shift in metres of the products across the direction of travel; they stay on the surface.

    points: (n, 3) as for draw_surface
    """
    yaw = np.radians(surface.yaw_deg)
    across = np.array([np.cos(yaw), np.sin(yaw)])
    reach_m = float(np.max(np.abs(points[:, :2] @ across)))
    free_m = max(surface.width_m / 2 - SURFACE_RIM_M - reach_m, 0.0)
    shift = sampler.value(spec.placement.offset, "placement.offset") * free_m * across
    return (float(shift[0]), float(shift[1]))
