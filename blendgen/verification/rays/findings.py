"""Findings: what the check of rows against the ray cast gave, as numbers that add up.

LIMITS are what a row must keep. Away from silhouettes nothing may differ: what is left there is no
rounding. Findings of several rows sum up to those of a data set.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from typing import Any

# of the image's pixels, those whose id differs at silhouettes, where two roundings decide otherwise
MAX_WRONG_SHARE = 0.001
MAX_FRACTION_ERROR = 0.01
MAX_BOX_ERROR_PX = 1
MAX_TRUNCATION_ERROR = 0.01
# of depth files, whose step is as large
MAX_DEPTH_ERROR_M = 0.0001

_WORST = ("fraction_error", "truncation_error", "box_error_px", "depth_error_m")


@dataclass(frozen=True)
class Findings:
    """Of one row, or of many.

    rows, products: how many were looked at, products in view
    hidden_products, cut_products: of these, those of which something is hidden, or beyond the border
    pixels: compared; wrong_px: of them, with another id than the ray cast has; inner_px: of these, those
        that are not at a silhouette; unchecked_px: not compared, because something there may be seen through
    lens_px: of a lens that distorts, pixels away from silhouettes with another id than on the true ray
    unchecked_products: whose visible fraction, box or depth were not compared
    unchecked_truncations: products whose share beyond the border was asked for and not compared
    fraction_error, truncation_error, box_error_px, depth_error_m: the worst of all products
    wrong_classes: products with another class than the spec gives them
    keypoints, wrong_keypoints, undecided_keypoints: points that were looked at, and what they gave
    faults: in words, one line a row
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
    """Counts added, the worst of each error, all faults."""
    every = list(findings)
    values: dict[str, Any] = {}
    for one in fields(Findings):
        found = [getattr(each, one.name) for each in every]
        if one.name in _WORST:
            values[one.name] = max(found, default=one.default)
        else:
            values[one.name] = sum(found, start=one.default)  # type: ignore[arg-type]  # every field has a default
    return Findings(**values)
