"""Open set: how familiar a picture looks to a classifier, and from when on it is of one of the classes.

In: the features that the classifier was trained on, how familiar pictures of the classes are on which it was
not trained, and pictures of none of the classes if there are some. Out: OpenSet. The familiarity is the
cosine of the angle between a picture's features and the plane through zero that holds most of those of the
training: 1 in the plane, 0 at a right angle to it.
source: Zaeemzadeh et al. 2021, Out-of-distribution detection using union of 1-dimensional subspaces; Wang et
al. 2022, ViM
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.linalg import eigh

from blendgen.geometry.arrays import AnyArray
from blendgen.learn.measures import Share

ACCEPTED = 0.95  # of the pictures of the classes
_LEAST_ACCEPTED = 0.5  # a threshold that rejects more is of no use
_DIRECTIONS = 64  # of the plane


@dataclass(frozen=True)
class Plane:
    """basis: (d, k), orthonormal"""

    basis: AnyArray

    def familiarity(self, features: AnyArray) -> AnyArray:
        """(n,) from 0 to 1, of (n, d)"""
        inside = np.linalg.norm(np.asarray(features, np.float64) @ self.basis, axis=1)
        return np.asarray(inside / np.maximum(np.linalg.norm(features, axis=1), 1e-12))


@dataclass(frozen=True)
class OpenSet:
    """threshold: None where nothing is rejected; known: what the pictures of the classes were

    accepted: how many of them; rejected: of the pictures of none of the
    classes; auroc: how well both are separated (0.5: not at all)
    """

    plane: Plane
    threshold: float | None
    known: str
    accepted: Share
    rejected: Share | None = None
    auroc: float | None = None

    def facts(self) -> dict[str, Any]:
        return {
            "threshold": self.threshold, "known": self.known, "accepted": self.accepted.facts(),
            "rejected": None if self.rejected is None else self.rejected.facts(), "auroc": self.auroc,
        }  # fmt: skip


def plane(features: AnyArray) -> Plane:
    """Of the directions from zero in which features lie, each picture counting the same."""
    values = np.asarray(features, np.float64)
    units = values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-12)
    count = max(1, min(_DIRECTIONS, min(units.shape) // 2))
    is_wide = units.shape[0] < units.shape[1]
    gram = units @ units.T if is_wide else units.T @ units
    size = len(gram)
    squares, vectors = eigh(gram, subset_by_index=[size - count, size - 1])
    return Plane(units.T @ vectors / np.sqrt(np.maximum(squares, 1e-12)) if is_wide else vectors)


def open_set(own: Plane, values: AnyArray, known: str, are_photos: bool, unknown: AnyArray | None) -> OpenSet:
    """values: familiarity of known pictures on which neither head nor plane were trained

    are_photos: whether these are; renders look so much more familiar that they say nothing about photos, so
    renders alone give no threshold
    unknown: familiarity of pictures of none of the classes
    """
    if unknown is None:
        threshold = float(np.quantile(values, 1 - ACCEPTED)) if are_photos else None
        return OpenSet(own, threshold, known, _above(values, threshold))
    threshold = _between(values, unknown)
    rejected = Share(len(unknown) - _above(unknown, threshold).right, len(unknown))
    return OpenSet(own, threshold, known, _above(values, threshold), rejected, auroc(values, unknown))


def _between(known: AnyArray, unknown: AnyArray) -> float:
    """The lowest that is right for 95 % of both; else where the shares that are right add up to the most."""
    lowest = float(np.quantile(unknown, ACCEPTED))
    if (known >= lowest).mean() >= ACCEPTED:
        return lowest
    tried = np.unique(np.quantile(known, np.linspace(0, 1 - _LEAST_ACCEPTED, 201)))
    return float(max(tried, key=lambda one: (known >= one).mean() + (unknown < one).mean()))


def auroc(known: AnyArray, unknown: AnyArray) -> float:
    """The chance that a known picture has the larger value of the two."""
    order = np.sort(unknown)
    below = np.searchsorted(order, known, side="left") + np.searchsorted(order, known, side="right")
    return float(below.mean() / (2 * len(unknown)))


def _above(values: AnyArray, threshold: float | None) -> Share:
    """All of them without a threshold."""
    return Share(len(values) if threshold is None else int((values >= threshold).sum()), len(values))
