"""Findings: the result of comparing rows with the ray cast, as numbers that add up.

The limits are those of a row without a fault. Away from silhouettes no pixel may differ, because a difference
there cannot come from rounding. The findings of several rows add up to those of a data set.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from typing import Any

# share of pixels whose id may differ at silhouettes, where mask and ray cast round differently
MAX_WRONG_SHARE = 0.001
MAX_FRACTION_ERROR = 0.01
MAX_BOX_ERROR_PX = 1
MAX_TRUNCATION_ERROR = 0.01
# the step of depth files
MAX_DEPTH_ERROR_M = 0.0001

_LARGEST = ("fraction_error", "truncation_error", "box_error_px", "depth_error_m")


@dataclass(frozen=True)
class Findings:
    """Of one row, or of several.

    rows, products: compared rows, and their visible products
    hidden_products, cut_products: products that are partly hidden, or partly outside the image
    pixels: compared pixels; wrong_px: those with another id than in the ray cast; inner_px: wrong ones away
        from silhouettes; unchecked_px: not compared, as the surface may be transparent
    lens_px: with a distorting lens, pixels away from silhouettes with another id than on the true ray
    unchecked_products: products whose visible fraction, boxes and depth were not compared
    unchecked_truncations: products whose truncation is in the row and was not compared
    fraction_error, truncation_error, box_error_px, depth_error_m: the largest of all products
    wrong_classes: products with another class than in the spec
    keypoints, wrong_keypoints, undecided_keypoints: compared points; of these, wrong and undecided ones
    faults: in words, one line for each row
    """

    rows: int = 0
    products: int = 0
    hidden_products: int = 0
    cut_products: int = 0
    pixels: int = 0
    wrong_px: int = 0
    inner_px: int = 0
    lens_px: int = 0
    unchecked_px: int = 0
    unchecked_products: int = 0
    unchecked_truncations: int = 0
    fraction_error: float = 0.0
    truncation_error: float = 0.0
    box_error_px: int = 0
    depth_error_m: float = 0.0
    wrong_classes: int = 0
    keypoints: int = 0
    wrong_keypoints: int = 0
    undecided_keypoints: int = 0
    faults: tuple[str, ...] = field(default=())

    @property
    def wrong_share(self) -> float:
        return self.wrong_px / self.pixels if self.pixels else 0.0


def total(findings: Iterable[Findings]) -> Findings:
    """The sum of all counts, the largest of each error, and all faults."""
    every = list(findings)
    values: dict[str, Any] = {}
    for one in fields(Findings):
        parts = [getattr(each, one.name) for each in every]
        if one.name in _LARGEST:
            values[one.name] = max(parts, default=one.default)
        else:
            values[one.name] = sum(parts, start=one.default)  # type: ignore[arg-type]  # every field has a default
    return Findings(**values)
