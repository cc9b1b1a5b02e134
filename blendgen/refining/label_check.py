"""Label check: whether the labels of an image are still right after somebody has changed its pixels.

In: the image before and after, (h, w, 3) uint8 sRGB, and its instance ids. Out: Measures: of each property
the worst object counts. The numbers and why they are what they are: docs/refining.md.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass

import numpy as np
from scipy import ndimage

from blendgen.geometry.arrays import AnyArray, IdsHW, ImageHW3U8, MaskHW
from blendgen.geometry.color import srgb_to_linear
from blendgen.refining.borders import edge_shifts

MAX_EDGE_SHIFT_PX = 1.0
MIN_GRADIENT_ENERGY, MAX_GRADIENT_ENERGY = 0.5, 2.0
MIN_GRADIENT_CORRELATION = 0.7
MAX_COLOUR_DIFFERENCE, MAX_HUE_DIFFERENCE = 10.0, 20.0
_QUANTILE = 0.9  # of the displacements: less than a tenth of a border may be hidden by something else
_FEWEST_POINTS = 16  # of a border, for a quantile
_FEWEST_PIXELS = 30  # of an object, for gradients
_GRADIENT_PX = 1.5  # the Gaussian of a gradient: noise of 5 levels then has less energy than 1
_FLOOR = 1.0  # (levels a pixel)^2: what noise has
_LEAST_ENERGY = 4.0  # below it an object is so plain that its gradients do not say what it is
_HUE_PX, _HUE_QUANTILE = 2.0, 0.98  # a Gaussian, as noise is not a colour; small marks must count
_AROUND_PX, _INSIDE_PX = 2, 3  # from the border, that belong to an object's edge
_LUMA = (0.299, 0.587, 0.114)
_RGB_TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
_WHITE = _RGB_TO_XYZ.sum(axis=1)  # D65


@dataclass(frozen=True)
class Measures:
    """Of the worst object; None where no object has what is measured.

    edge_shift_px: 90 % of the points of its border moved by at most this
    gradient_energy: within its mask and 2 pixels around it, relative to that before; the farthest from 1
    gradient_correlation: between before and after, there and within the mask alone; 1 where all details are
        the same
    colour_difference: of its mean colour, in CIELAB (Delta E of 1976)
    hue_difference: 98 % of its pixels differ by at most this in a* and b*, averaged over about 5 pixels
    """

    edge_shift_px: float | None = None
    gradient_energy: float | None = None
    gradient_correlation: float | None = None
    colour_difference: float | None = None
    hue_difference: float | None = None

    @property
    def faults(self) -> list[str]:
        """What is wrong with the labels now; nothing if they are right."""
        faults = []
        if self.edge_shift_px is not None and self.edge_shift_px > MAX_EDGE_SHIFT_PX:
            faults.append("edges moved")
        energy = self.gradient_energy
        if energy is not None and not MIN_GRADIENT_ENERGY <= energy <= MAX_GRADIENT_ENERGY:
            faults.append("edges lost" if energy < 1 else "edges added")
        correlation = self.gradient_correlation
        if correlation is not None and correlation < MIN_GRADIENT_CORRELATION:
            faults.append("details changed")
        if self.colour_difference is not None and self.colour_difference > MAX_COLOUR_DIFFERENCE:
            faults.append("colour changed")
        if self.hue_difference is not None and self.hue_difference > MAX_HUE_DIFFERENCE:
            faults.append("hues changed")
        return faults

    def facts(self) -> dict[str, float | None]:
        return {name: None if value is None else round(value, 3) for name, value in asdict(self).items()}


def limits() -> dict[str, float]:
    """As dataset.json states them."""
    return {
        "max_edge_shift_px": MAX_EDGE_SHIFT_PX,
        "min_gradient_energy": MIN_GRADIENT_ENERGY,
        "max_gradient_energy": MAX_GRADIENT_ENERGY,
        "min_gradient_correlation": MIN_GRADIENT_CORRELATION,
        "max_colour_difference": MAX_COLOUR_DIFFERENCE,
        "max_hue_difference": MAX_HUE_DIFFERENCE,
    }


def measured(before: ImageHW3U8, after: ImageHW3U8, ids: IdsHW, instance_ids: Iterable[int]) -> Measures:
    """instance_ids: of the objects with labels; those that are not visible are skipped"""
    pictures = _Picture.of(before), _Picture.of(after)
    masks = (ids == instance_id for instance_id in instance_ids)
    own = [_of_object(*pictures, mask) for mask in masks if mask.any()]
    return Measures(
        _worst([one.edge_shift_px for one in own], float),
        _worst([one.gradient_energy for one in own], lambda value: abs(np.log(value))),
        _worst([one.gradient_correlation for one in own], lambda value: -value),
        _worst([one.colour_difference for one in own], float),
        _worst([one.hue_difference for one in own], float),
    )


def _worst(values: list[float | None], badness: Callable[[float], float]) -> float | None:
    return max((value for value in values if value is not None), key=badness, default=None)


@dataclass(frozen=True)
class _Picture:
    """luma: (h, w); slopes: (2, h, w), levels a pixel; linear: (h, w, 3); hues: (h, w, 2), a* and b*"""

    luma: AnyArray
    slopes: AnyArray
    linear: AnyArray
    hues: AnyArray

    @classmethod
    def of(cls, image: ImageHW3U8) -> _Picture:
        luma = image @ np.array(_LUMA)
        slopes = [
            ndimage.gaussian_filter(luma, _GRADIENT_PX, order=order, mode="nearest")
            for order in ((0, 1), (1, 0))
        ]
        linear = srgb_to_linear(image / 255.0)
        smooth = ndimage.gaussian_filter(linear, (_HUE_PX, _HUE_PX, 0), mode="nearest")
        return cls(luma, np.stack(slopes), linear, _lab(smooth)[..., 1:])


def _of_object(before: _Picture, after: _Picture, mask: MaskHW) -> Measures:
    shifts = edge_shifts(before.luma, after.luma, mask)
    shift = float(np.quantile(shifts, _QUANTILE)) if len(shifts) >= _FEWEST_POINTS else None
    energy, correlation = _gradients(before.slopes, after.slopes, mask)
    colours = [_lab(one.linear[mask].mean(axis=0)) for one in (before, after)]
    hues = np.linalg.norm(after.hues[mask] - before.hues[mask], axis=1)
    return Measures(
        shift, energy, correlation, float(np.linalg.norm(colours[1] - colours[0])),
        float(np.quantile(hues, _HUE_QUANTILE)),
    )  # fmt: skip


def _gradients(before: AnyArray, after: AnyArray, mask: MaskHW) -> tuple[float | None, float | None]:
    """Energy of slopes relative to that before, and correlation."""
    if np.count_nonzero(mask) < _FEWEST_PIXELS:
        return None, None
    region = ndimage.binary_dilation(mask, iterations=_AROUND_PX)
    energies = [float((one[:, region] ** 2).sum(axis=0).mean()) for one in (before, after)]
    inside = ndimage.binary_erosion(
        mask, iterations=_INSIDE_PX
    )  # where the border does not outweigh the rest
    correlations = [_correlation(before[:, one], after[:, one]) for one in (region, inside)]
    known = [one for one in correlations if one is not None]
    return (energies[1] + _FLOOR) / (energies[0] + _FLOOR), min(known, default=None)


def _correlation(before: AnyArray, after: AnyArray) -> float | None:
    """Of slopes (2, n); None where there are hardly any."""
    energies = [float((one**2).sum()) for one in (before, after)]
    if before.shape[1] < _FEWEST_PIXELS or energies[0] < _LEAST_ENERGY * before.shape[1]:
        return None
    return float((before * after).sum()) / max(math.sqrt(energies[0] * energies[1]), 1e-9)


def _lab(rgb_linear: AnyArray) -> AnyArray:
    """CIELAB of linear colours (..., 3), for D65. source: CIE 15:2004, 8.2.1"""
    ratio = (rgb_linear @ _RGB_TO_XYZ.T) / _WHITE
    root = np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio / (3 * (6 / 29) ** 2) + 4 / 29)
    x, y, z = np.moveaxis(root, -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)
