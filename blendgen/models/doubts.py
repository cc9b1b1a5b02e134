"""Doubts: what is unusual about a measured model and may be wrong, in words for a person.

In: a Product, and the Source that it was measured from. Out: lines, none for most models. Nothing here
refuses a model: all of it may be right.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from blendgen.geometry.hull import is_flat
from blendgen.models.product import Product
from blendgen.models.scan import UNITLESS_SUFFIXES, UPLESS_SUFFIXES, model_suffix
from blendgen.models.sidecar.frame import FileFrame
from blendgen.models.source import Source
from blendgen.scene.vocabulary import METRES_PER_UNIT

# largest sides outside of this range are probably a wrong unit
_TINY_M, _HUGE_M = 0.003, 2.0
_MANY_TRIANGLES = 500_000
_THINNEST = 0.001  # of the largest side; a sheet of paper of A4 has 0.0003, a playing card 0.003
# of the rays: cracks between the faces of a solid let hardly any through, and of a sheet without thickness
# half of them hit the back
_LEAST_INSIDE, _MOST_INSIDE = 0.03, 0.4
# how steady another axis is on which a model that cannot stand as modelled rests, and how far it may lean
_STEADY, _UPRIGHT_DEG = 0.1, 10.0


def doubts(source: Source, product: Product) -> Iterator[str]:
    """The lines, the gravest first; nothing for built-in models."""
    if "path" in source.options:
        yield from _of_size(source, product)
        yield from _of_shape(product)
        if model_suffix(source.options["path"]) in UPLESS_SUFFIXES:
            yield from _of_axis(product)


def mm_text(metres: float) -> str:
    """Millimetres with at least four digits, and without an exponent for large ones."""
    text = f"{1000 * metres:.4g}"
    return f"{1000 * metres:.0f}" if "e+" in text else text


def _of_size(source: Source, product: Product) -> Iterator[str]:
    side_m, bulk_m = max(product.size_m), product.measured.soundness.bulk_m
    if bulk_m is not None:
        yield (
            f"small parts are far away from the rest: it measures {mm_text(side_m)} mm, without them "
            f"{mm_text(bulk_m)} mm; remove them in the program that made it"
        )
    elif not _TINY_M <= side_m <= _HUGE_M:
        unstated = model_suffix(source.options["path"]) in UNITLESS_SUFFIXES and not source.options["unit"]
        advice = _likely_unit(side_m) if unstated else "wrong unit?"
        yield f"its largest side is {mm_text(side_m)} mm: {advice}"


def _likely_unit(side_m: float) -> str:
    """A unit in which a model that was read in metres has a plausible size."""
    likely = [unit for unit in ("mm", "cm") if _TINY_M <= side_m * METRES_PER_UNIT[unit] <= _HUGE_M]
    advice = f"; is it in {likely[0]}? (unit: {likely[0]})" if likely else ""
    return f"the file does not say its unit{advice}"


def _of_shape(product: Product) -> Iterator[str]:
    measured = product.measured
    inside = measured.soundness.inside_share
    if min(product.size_m) < _THINNEST * max(product.size_m):
        yield "it has hardly any thickness, and cannot be seen from the side; is that right?"
    elif _LEAST_INSIDE <= inside <= _MOST_INSIDE:
        yield f"its inside is visible through holes, in {inside:.0%} of the views; close them, or look at it"
    if measured.triangles > _MANY_TRIANGLES:
        yield f"{measured.triangles:,} triangles load slowly; decimate it, as images show far fewer"


def _of_axis(product: Product) -> Iterator[str]:
    for name in other_ups(product):
        yield f"it cannot stand as modelled; does {name} point up in its file? (up: {name})"


def equal_pairs(contents: Iterable[tuple[str, str]]) -> Iterator[tuple[int, int]]:
    """Models of two classes that nobody can tell apart: the number of each, and of the first one like it.

    contents: content hash and class of each model
    """
    first: dict[str, tuple[int, str]] = {}
    for number, (content, label) in enumerate(contents):
        earlier, other = first.setdefault(content, (number, label))
        if label != other:
            yield number, earlier


def other_ups(product: Product) -> Iterator[str]:
    """For a model that falls over as modelled: the usual axes of its file that may be up instead."""
    frame, limit = FileFrame(product), np.cos(np.radians(_UPRIGHT_DEG))
    ups = [(np.array(pose.rotation)[2], pose.probability) for pose in product.measured.stable_poses]
    if is_flat(product.hull_m) or any(up[2] >= limit for up, _ in ups):
        return
    for name, axis in (("y", (0, 1, 0)), ("z", (0, 0, 1))):
        up = frame.direction(axis)
        if sum(share for other, share in ups if np.dot(up, other) >= limit) >= _STEADY:
            yield name
