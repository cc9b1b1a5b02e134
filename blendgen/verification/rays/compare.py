"""Compare: the labels of one row against what rays meet in its scene.

In: a Row, its mask and depth as they lie on disk, and the RayScene. Out: Findings. A pixel is at a
silhouette where the ray cast has another id within one pixel of it. Pixels on something that may be
seen through are left out, and counted.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from blendgen.geometry.projection import box_of_mask
from blendgen.scene.row import Row
from blendgen.verification.rays.cast import Hits, RayScene
from blendgen.verification.rays.findings import (
    MAX_BOX_ERROR_PX,
    MAX_DEPTH_ERROR_M,
    MAX_FRACTION_ERROR,
    MAX_WRONG_SHARE,
    Findings,
    total,
)
from blendgen.verification.rays.rays import is_pinhole, label_rays, lens_rays, pixel_size

_UNSURE = np.uint16(65535)
_MIN_PX = 4  # of a product that only one of the two sees
# how far from a pixel's centre Cycles takes its label: 0.0006 of a pixel, measured on steep slopes
_RAY_PX = 0.002
# how far from it a distorting lens's depth may be taken, where the surface is curved between pixels
_LENS_PX = 0.02


@dataclass(frozen=True, eq=False)
class Seen:
    """A row, what its files say, and its scene.

    mask: (h, w) uint16 ids, depth_m: (h, w) float64, 0 where nothing was hit; None where there is no file
    """

    row: Row
    scene: RayScene
    mask: np.ndarray | None
    depth_m: np.ndarray | None

    @cached_property
    def rays(self) -> np.ndarray:
        return label_rays(self.row)

    @cached_property
    def hits(self) -> Hits:
        return self.scene.first_hits(self.rays)

    @cached_property
    def instance_id(self) -> np.ndarray:
        """What is seen at each pixel by all that is known: the mask, without one the ray cast."""
        return self.hits.instance_id if self.mask is None else self.mask


def compare(seen: Seen) -> Findings:
    """Ids, then product by product fraction, box and depth; classes are not looked at here."""
    count = len(seen.row.objects.instance_id)
    every = (_ids(seen), *(_product(seen, number) for number in range(count)), _missing(seen))
    return replace(total(every), rows=1)


def at_silhouette(instance_id: np.ndarray) -> np.ndarray:
    """(h, w) bool: another id within one pixel, corners included."""
    padded = np.pad(instance_id, 1, mode="edge")
    height, width = instance_id.shape
    edge = np.zeros(instance_id.shape, bool)
    for down in range(3):
        for right in range(3):
            edge |= padded[down : down + height, right : right + width] != instance_id
    return edge


def _ids(seen: Seen) -> Findings:
    if seen.mask is None:
        return Findings()
    hits = seen.hits
    told = np.where(hits.unsure, _UNSURE, hits.instance_id)
    wrong = (seen.mask != hits.instance_id) & ~hits.unsure
    inner = wrong & ~at_silhouette(told)
    findings = Findings(
        pixels=int(np.count_nonzero(~hits.unsure)),
        wrong_px=int(np.count_nonzero(wrong)),
        inner_px=int(np.count_nonzero(inner)),
        unchecked_px=int(np.count_nonzero(hits.unsure)),
        lens_px=0 if is_pinhole(seen.row) else _off_the_true_ray(seen),
    )
    faults = []
    if findings.inner_px:
        faults.append(f"{findings.inner_px} pixels away from silhouettes {_ids_told(seen, inner)}")
    elif findings.wrong_px > max(MAX_WRONG_SHARE * wrong.size, 1):
        faults.append(f"{findings.wrong_px} pixels at silhouettes differ from the ray cast")
    if findings.lens_px:
        faults.append(f"{findings.lens_px} pixels away from silhouettes differ on the lens's own rays")
    return replace(findings, faults=tuple(faults))


def _ids_told(seen: Seen, where: np.ndarray) -> str:
    """What is wrong at the first of some pixels."""
    y, x = np.argwhere(where)[0]
    told, met = seen.instance_id[y, x], seen.hits.instance_id[y, x]
    return f"differ: at x {x}, y {y} the mask has {told}, a ray meets {met}"


def _off_the_true_ray(seen: Seen) -> int:
    """Labels are taken up to half a pixel aside, so only pixels away from both silhouettes count."""
    true = seen.scene.first_hits(lens_rays(seen.row))
    unsure = true.unsure | seen.hits.unsure
    told = np.where(unsure, _UNSURE, true.instance_id)
    wrong = (seen.instance_id != true.instance_id) & ~unsure
    return int(np.count_nonzero(wrong & ~at_silhouette(told) & ~at_silhouette(seen.instance_id)))


def _product(seen: Seen, number: int) -> Findings:
    objects, hits = seen.row.objects, seen.hits
    instance_id = objects.instance_id[number]
    visible = hits.instance_id == instance_id
    amodal = seen.scene.amodal_mask(instance_id, seen.rays) | visible
    if (hits.unsure & amodal).any():
        return Findings(products=1, unchecked_products=1)
    whole = max(int(np.count_nonzero(amodal)), 1)
    fraction = abs(objects.visible_fraction[number] - np.count_nonzero(visible) / whole)
    boxes = ((objects.bbox[number], visible), (objects.bbox_amodal[number], amodal))
    box_px = max(_box_error(box, mask) for box, mask in boxes)
    depth_m = _depth_error(seen, instance_id, visible)
    # of a product of few pixels one pixel is more than a percent
    off = {
        f"visible_fraction is off by {fraction:.3f}": fraction > max(MAX_FRACTION_ERROR, 1.5 / whole),
        f"a side of its boxes is off by {box_px} pixels": box_px > MAX_BOX_ERROR_PX,
        f"depth is off by {1000 * depth_m:.2f} mm": depth_m > MAX_DEPTH_ERROR_M,
    }
    return Findings(
        products=1,
        hidden_products=int(np.count_nonzero(visible) < whole),
        cut_products=int(_touches_border(amodal)),
        fraction_error=float(fraction),
        box_error_px=box_px,
        depth_error_m=depth_m,
        faults=tuple(f"object {number}: {what}" for what, wrong in off.items() if wrong),
    )


def _touches_border(mask: np.ndarray) -> bool:
    return bool(mask[[0, -1]].any() or mask[:, [0, -1]].any())


def _box_error(box, mask: np.ndarray) -> int:
    """How far the furthest side of a box lies from where the mask ends, in pixels."""
    x, y, width, height = box
    own_x, own_y, own_width, own_height = box_of_mask(mask)
    sides = (x - own_x, y - own_y, x + width - own_x - own_width, y + height - own_y - own_height)
    return max(map(abs, sides))


def _depth_error(seen: Seen, instance_id: int, visible: np.ndarray) -> float:
    """Metres, at the product's most central pixel and at the middle of its box; 0 without a depth file."""
    if seen.depth_m is None:
        return 0.0
    agreed = visible & (seen.instance_id == instance_id) & (seen.depth_m > 0)
    places = _central_pixels(agreed)
    if not places:
        return 0.0
    rows, columns = np.array(places).T
    told = seen.depth_m[rows, columns]
    error_m = _beyond(seen, seen.rays[rows, columns], told, _RAY_PX)
    if not is_pinhole(seen.row):  # on even surfaces that of the pixel's own ray, elsewhere of the nearest
        error_m = np.minimum(error_m, _beyond(seen, lens_rays(seen.row)[rows, columns], told, _LENS_PX))
    return float(error_m.max(initial=0.0))


def _beyond(seen: Seen, rays: np.ndarray, told_m: np.ndarray, reach_px: float) -> np.ndarray:
    """(n,) how far depths are outside of what is met round rays (n, 2), between samples included."""
    aside = np.linspace(-reach_px, reach_px, 9) * pixel_size(seen.row)
    around = np.stack(np.meshgrid(aside, aside), axis=-1)
    met = seen.scene.first_hits(rays[:, None, None] + around).depth_m
    sound = np.isfinite(met).all(axis=(1, 2))  # else there is nothing beside it
    met = np.where(sound[:, None, None], met, 0.0)
    slack = np.maximum(*(np.abs(np.diff(met, axis=axis)).max(axis=(1, 2)) for axis in (1, 2)))
    beyond = np.maximum(met.min(axis=(1, 2)) - told_m, told_m - met.max(axis=(1, 2))) - slack
    return np.where(sound, np.maximum(beyond, 0.0), 0.0)


def _central_pixels(mask: np.ndarray) -> list[tuple[int, int]]:
    """The pixel deepest inside a mask, and the middle of its box where that is in it."""
    from scipy.ndimage import distance_transform_edt

    if not mask.any():
        return []
    inside = distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1]
    row, column = np.unravel_index(inside.argmax(), mask.shape)
    deepest = (int(row), int(column))
    x, y, width, height = box_of_mask(mask)
    middle = (y + height // 2, x + width // 2)
    return [deepest, middle] if mask[middle] else [deepest]


def _missing(seen: Seen) -> Findings:
    """Products that rays meet and the row does not list, and the other way round."""
    objects, unsure = seen.row.objects, seen.hits.unsure
    ids, counts = np.unique(seen.hits.instance_id[~unsure], return_counts=True)
    met = {int(one): int(count) for one, count in zip(ids, counts, strict=True) if one}
    listed = dict(zip(objects.instance_id, objects.area, strict=True))
    strange = [one for one, count in met.items() if one not in listed and count > _MIN_PX]
    unseen = [one for one, area in listed.items() if one not in met and area > _MIN_PX]
    faults = [f"rays meet instance {one}, which the row does not list" for one in strange]
    faults += [] if unsure.any() else [f"no ray meets instance {one}" for one in unseen]
    return Findings(faults=tuple(faults))
