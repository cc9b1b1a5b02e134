"""Open set: how familiar a picture looks to a classifier, and from when on it is of one of the classes.

In: features and scores of pictures of the classes that the classifier was not trained on, the features that
it was trained on, and features of pictures of none of the classes if there are some. Out: OpenSet. Two
measures are added, each in units of its own spread: the energy of the scores, which is large where a class
fits well, and less the distance of the features from the plane that holds most of the training pictures.
source: Liu et al. 2020, Energy-based out-of-distribution detection; Wang et al. 2022, ViM (the distance)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.linalg import eigh

from blendgen.geometry.arrays import AnyArray
from blendgen.learn.head import LinearHead
from blendgen.learn.measures import Share

ACCEPTED = 0.95  # of the pictures of the classes
_LEAST_ACCEPTED = 0.5  # a threshold that rejects more is of no use
_DIRECTIONS = 64  # of the plane


@dataclass(frozen=True)
class Plane:
    """mean: (d,); basis: (d, k), orthonormal"""

    mean: AnyArray
    basis: AnyArray

    def distance(self, features: AnyArray) -> AnyArray:
        """(n,) of (n, d)"""
        centred = np.asarray(features, np.float64) - self.mean
        squares = (centred**2).sum(axis=1) - ((centred @ self.basis) ** 2).sum(axis=1)
        return np.asarray(np.sqrt(np.maximum(squares, 0)))


@dataclass(frozen=True)
class Familiarity:
    """familiarity = energy_weight * energy - distance_weight * distance + offset"""

    plane: Plane
    energy_weight: float
    distance_weight: float
    offset: float

    def of(self, energies: AnyArray, distances: AnyArray) -> AnyArray:
        return self.energy_weight * energies - self.distance_weight * distances + self.offset


@dataclass(frozen=True)
class OpenSet:
    """threshold: None where nothing is rejected; known: what the pictures of the classes were

    accepted: how many of them; rejected: of the pictures of none of the
    classes; auroc: how well both are separated (0.5: not at all)
    """

    familiarity: Familiarity
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


def energy(head: LinearHead, scores: AnyArray) -> AnyArray:
    """(n,) of (n, c): log(sum(exp(scores / temperature)))"""
    scaled = np.asarray(scores, np.float64) / head.temperature
    most = scaled.max(axis=1)
    return np.asarray(most + np.log(np.exp(scaled - most[:, None]).sum(axis=1)))


def plane(features: AnyArray) -> Plane:
    """The mean of features and the directions in which they differ most."""
    values = np.asarray(features, np.float64)
    mean = values.mean(axis=0)
    centred = values - mean
    count = max(1, min(_DIRECTIONS, min(values.shape) // 2))
    is_wide = values.shape[0] < values.shape[1]
    gram = centred @ centred.T if is_wide else centred.T @ centred
    size = len(gram)
    squares, vectors = eigh(gram, subset_by_index=[size - count, size - 1])
    basis = centred.T @ vectors / np.sqrt(np.maximum(squares, 1e-12)) if is_wide else vectors
    return Plane(mean, basis)


def open_set(
    own: Plane, energies: AnyArray, distances: AnyArray, known: str, are_photos: bool,
    unknown: tuple[AnyArray, AnyArray] | None,
) -> OpenSet:  # fmt: skip
    """energies, distances: of known pictures, on which neither head nor plane were trained

    are_photos: whether these are; renders look so much more familiar that they say nothing about photos, so
    renders alone give no threshold
    unknown: both of pictures of none of the classes
    """
    of_energy, of_distance = (1 / max(float(one.std()), 1e-9) for one in (energies, distances))
    offset = of_distance * float(distances.mean()) - of_energy * float(energies.mean())
    familiarity = Familiarity(own, of_energy, of_distance, offset)
    values = familiarity.of(energies, distances)
    if unknown is None:
        threshold = float(np.quantile(values, 1 - ACCEPTED)) if are_photos else None
        return OpenSet(familiarity, threshold, known, _above(values, threshold))
    others = familiarity.of(*unknown)
    threshold = _between(values, others)
    rejected = Share(len(others) - _above(others, threshold).right, len(others))
    return OpenSet(familiarity, threshold, known, _above(values, threshold), rejected, auroc(values, others))


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
