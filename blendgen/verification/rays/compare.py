"""Compare: the labels of one row against the hits of rays in its scene.

In: a Row, its mask and depth from the disk, and the RayScene. Out: Findings. A pixel is at a silhouette if
the ray cast has another id within one pixel of it. Pixels on a surface that may be transparent are not
compared, but counted.
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
from blendgen.verification.rays.pixel_rays import is_pinhole, label_rays, lens_rays, pixel_size

_UNSURE = np.uint16(65535)
_MIN_PX = 4  # of a product that is in only one of mask and ray cast
# how far from the centre of a pixel Cycles takes its label: 0.0006 of a pixel, measured on steep slopes
_RAY_PX = 0.002
# the same for depth through a distorting lens, on surfaces that are curved between pixels
_LENS_PX = 0.02


@dataclass(frozen=True, eq=False)
class RowView:
    """A row, its files and its scene.

    mask: (h, w) ids; depth_m: (h, w) float64, 0 where nothing was hit; None if there is no such file
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
        """The mask; that of the ray cast if the data set does not have masks."""
        return self.hits.instance_id if self.mask is None else self.mask


def compare(view: RowView) -> Findings:
    """Ids, then fraction, boxes and depth of each product; classes are not compared here."""
    count = len(view.row.objects.instance_id)
    every = (_ids(view), *(_product(view, number) for number in range(count)), _missing(view))
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


def _ids(view: RowView) -> Findings:
    if view.mask is None:
        return Findings()
    hits = view.hits
    expected = np.where(hits.unsure, _UNSURE, hits.instance_id)
    wrong = (view.mask != hits.instance_id) & ~hits.unsure
    inner = wrong & ~at_silhouette(expected)
    findings = Findings(
        pixels=int(np.count_nonzero(~hits.unsure)),
        wrong_px=int(np.count_nonzero(wrong)),
        inner_px=int(np.count_nonzero(inner)),
        unchecked_px=int(np.count_nonzero(hits.unsure)),
        lens_px=0 if is_pinhole(view.row) else _off_the_true_ray(view),
    )
    faults = []
    if findings.inner_px:
        faults.append(f"{findings.inner_px} pixels away from silhouettes {_first_difference(view, inner)}")
    elif findings.wrong_px > max(MAX_WRONG_SHARE * wrong.size, 1):
        faults.append(f"{findings.wrong_px} pixels at silhouettes differ from the ray cast")
    if findings.lens_px:
        faults.append(f"{findings.lens_px} pixels away from silhouettes differ on the lens's own rays")
    return replace(findings, faults=tuple(faults))


def _first_difference(view: RowView, where: np.ndarray) -> str:
    """The ids at the first of some pixels."""
    y, x = np.argwhere(where)[0]
    in_mask, hit = view.instance_id[y, x], view.hits.instance_id[y, x]
    return f"differ: at x {x}, y {y} the mask has {in_mask}, a ray hits {hit}"


def _off_the_true_ray(view: RowView) -> int:
    """Labels are taken up to half a pixel away, so only pixels away from both silhouettes count."""
    true = view.scene.first_hits(lens_rays(view.row))
    unsure = true.unsure | view.hits.unsure
    expected = np.where(unsure, _UNSURE, true.instance_id)
    wrong = (view.instance_id != true.instance_id) & ~unsure
    return int(np.count_nonzero(wrong & ~at_silhouette(expected) & ~at_silhouette(view.instance_id)))


def _product(view: RowView, number: int) -> Findings:
    objects, hits = view.row.objects, view.hits
    instance_id = objects.instance_id[number]
    visible = hits.instance_id == instance_id
    amodal = view.scene.amodal_mask(instance_id, view.rays) | visible
    if (hits.unsure & amodal).any():
        return Findings(products=1, unchecked_products=1)
    whole = max(int(np.count_nonzero(amodal)), 1)
    fraction = abs(objects.visible_fraction[number] - np.count_nonzero(visible) / whole)
    boxes = ((objects.bbox[number], visible), (objects.bbox_amodal[number], amodal))
    box_px = max(_box_error(box, mask) for box, mask in boxes)
    depth_m = _depth_error(view, instance_id, visible)
    # one pixel of a small product is more than a percent
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
    """The largest distance of a side of a box from that of the mask's own box, in pixels."""
    x, y, width, height = box
    own_x, own_y, own_width, own_height = box_of_mask(mask)
    sides = (x - own_x, y - own_y, x + width - own_x - own_width, y + height - own_y - own_height)
    return max(map(abs, sides))


def _depth_error(view: RowView, instance_id: int, visible: np.ndarray) -> float:
    """Metres, at the innermost pixel of the product and at the centre of its box; 0 without a depth file."""
    if view.depth_m is None:
        return 0.0
    agreed = visible & (view.instance_id == instance_id) & (view.depth_m > 0)
    places = _central_pixels(agreed)
    if not places:
        return 0.0
    rows, columns = np.array(places).T
    depth_m = view.depth_m[rows, columns]
    error_m = _beyond(view, view.rays[rows, columns], depth_m, _RAY_PX)
    if not is_pinhole(view.row):  # on even surfaces depth is that of the pixel's own ray
        error_m = np.minimum(error_m, _beyond(view, lens_rays(view.row)[rows, columns], depth_m, _LENS_PX))
    return float(error_m.max(initial=0.0))


def _beyond(view: RowView, rays: np.ndarray, depth_m: np.ndarray, reach_px: float) -> np.ndarray:
    """(n,) how far depths are outside the range of the hits around rays (n, 2), and between these hits."""
    offsets = np.linspace(-reach_px, reach_px, 9) * pixel_size(view.row)
    around = np.stack(np.meshgrid(offsets, offsets), axis=-1)
    hit_m = view.scene.first_hits(rays[:, None, None] + around).depth_m
    all_hit = np.isfinite(hit_m).all(axis=(1, 2))  # otherwise the surface ends here
    hit_m = np.where(all_hit[:, None, None], hit_m, 0.0)
    slack = np.maximum(*(np.abs(np.diff(hit_m, axis=axis)).max(axis=(1, 2)) for axis in (1, 2)))
    beyond = np.maximum(hit_m.min(axis=(1, 2)) - depth_m, depth_m - hit_m.max(axis=(1, 2))) - slack
    return np.where(all_hit, np.maximum(beyond, 0.0), 0.0)


def _central_pixels(mask: np.ndarray) -> list[tuple[int, int]]:
    """The innermost pixel of a mask, and the centre of its box if that is in the mask."""
    from scipy.ndimage import distance_transform_edt

    if not mask.any():
        return []
    inside = distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1]
    row, column = np.unravel_index(inside.argmax(), mask.shape)
    deepest = (int(row), int(column))
    x, y, width, height = box_of_mask(mask)
    middle = (y + height // 2, x + width // 2)
    return [deepest, middle] if mask[middle] else [deepest]


def _missing(view: RowView) -> Findings:
    """Products that rays hit and the row does not list, and vice versa."""
    objects, unsure = view.row.objects, view.hits.unsure
    ids, counts = np.unique(view.hits.instance_id[~unsure], return_counts=True)
    hit = {int(one): int(count) for one, count in zip(ids, counts, strict=True) if one}
    listed = dict(zip(objects.instance_id, objects.area, strict=True))
    unlisted = [one for one, count in hit.items() if one not in listed and count > _MIN_PX]
    not_hit = [one for one, area in listed.items() if one not in hit and area > _MIN_PX]
    faults = [f"rays hit instance {one}, which the row does not list" for one in unlisted]
    faults += [] if unsure.any() else [f"no ray hits instance {one}" for one in not_hit]
    return Findings(faults=tuple(faults))
