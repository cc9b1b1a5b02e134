"""Truncation: the share of each product outside the image, by rays that go beyond its border.

In: a Row and the Solids of its products. Out: Findings. A product is not compared if it extends behind the
camera or beyond the area in which truncation is measured, or if it may be transparent.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from blendgen.geometry.projection import distort, transform_points
from blendgen.optics.distortion import pinhole
from blendgen.optics.overscan import WIDEST, coarseness, overscan_camera
from blendgen.scene.row import Row
from blendgen.verification.rays.cast import RayScene, Solid
from blendgen.verification.rays.findings import MAX_TRUNCATION_ERROR, Findings, total
from blendgen.verification.rays.pixel_rays import is_pinhole, lens_rays, pixel_size

_MAX_RAYS = 2**20
_NEAREST_M = 1e-3
# one pixel of a small product is more than a percent, even more with the coarser pixels of overscan
_UNCERTAIN_PX, _UNCERTAIN_COARSE_PX = 4, 6


def truncation_findings(row: Row, solids: Mapping[int, Solid]) -> Findings:
    """solids: by instance id"""
    objects, uncertain_px = row.objects, _uncertain_px(row)
    return total(
        _compared(number, truncation, _share_outside(row, solids[instance_id]), uncertain_px)
        for number, (instance_id, truncation) in enumerate(
            zip(objects.instance_id, objects.truncation or (), strict=True)
        )
    )


def _uncertain_px(row: Row) -> int:
    """By how many pixels of the image the area of a product may be off."""
    shot = row.shot
    camera = pinhole(shot.camera)
    step = coarseness(camera, overscan_camera(shot.model_copy(update={"camera": camera})))
    return _UNCERTAIN_PX if step == 1 else _UNCERTAIN_COARSE_PX * step**2


def _compared(
    number: int, truncation: float, outside: tuple[float, int] | None, uncertain_px: int
) -> Findings:
    if outside is None:
        return Findings(unchecked_truncations=1)
    share, whole_px = outside
    error = abs(truncation - share)
    limit = max(MAX_TRUNCATION_ERROR, uncertain_px / whole_px)
    faults = (f"object {number}: truncation is off by {error:.3f}",) if error > limit else ()
    return Findings(truncation_error=error, faults=faults)


def _share_outside(row: Row, solid: Solid) -> tuple[float, int] | None:
    """(share outside the image, pixels of the whole product); None if it cannot be compared."""
    to_camera = np.array(row.camera.world_to_camera) @ np.array(solid.object_to_world)
    vertices = transform_points(to_camera, solid.mesh.vertices_m)
    if not len(vertices) or vertices[:, 2].min() <= _NEAREST_M:
        return None
    points = vertices[:, :2] / vertices[:, 2:]
    half = np.array([row.width, row.height]) / 2 * pixel_size(row)
    if (np.abs(points) > WIDEST * half).any():
        return None
    rays = _rays_towards(points, row)
    reach = np.abs(rays).reshape(-1, 2).max(axis=0) + 2 * pixel_size(row)
    hits = RayScene([solid], row.camera.world_to_camera, reach).first_hits(rays)
    is_hit = np.isfinite(hits.depth_m)
    if not is_hit.any() or hits.unsure.any():
        return None
    whole = int(np.count_nonzero(is_hit))
    return 1 - np.count_nonzero(is_hit & _in_image(row, rays)) / whole, whole


def _rays_towards(points: np.ndarray, row: Row) -> np.ndarray:
    """(h, w, 2) through pixel centres, also outside the image; fewer rays if there were too many."""
    pixel = pixel_size(row)
    low, high = points.min(axis=0), points.max(axis=0)
    step = max(1, int(np.ceil(np.sqrt(np.prod((high - low) / pixel + 1) / _MAX_RAYS))))
    middle = (np.array([row.width, row.height]) - 1) / 2 if is_pinhole(row) else np.full(2, 0.5)
    first, last = np.floor(low / pixel + middle), np.ceil(high / pixel + middle)
    x, y = ((np.arange(a, b + 1, step) - m) * pixel for a, b, m in zip(first, last, middle, strict=True))
    return np.stack(np.meshgrid(x, y), axis=-1)


def _in_image(row: Row, rays: np.ndarray) -> np.ndarray:
    camera, pixel = row.camera, pixel_size(row)
    # far outside, the distortion may fold back points that the lens never shows
    possible = np.abs(rays) <= np.abs(lens_rays(row)).reshape(-1, 2).max(axis=0) + pixel
    half = np.array([row.width, row.height]) / 2 * pixel
    return (possible & (np.abs(distort(rays, camera.distortion)) < half)).all(axis=-1)
