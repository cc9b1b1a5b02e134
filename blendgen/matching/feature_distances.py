"""Feature distances: how far apart two sets of pictures are by what a network says about them.

In: (n, d) features of photos and of images, as many of both. Out: distances with 95 % intervals. None of them
knows classes, so none says how well a classifier will do.
source: Binkowski et al. 2018, Demystifying MMD GANs (KID); Lopez-Paz and Oquab 2017, Revisiting classifier
two-sample tests; Naeem et al. 2020, Reliable fidelity and diversity metrics (precision, recall, coverage)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial.distance import cdist

from blendgen.geometry.arrays import AnyArray
from blendgen.learn.head import Ridge, balanced_weights
from blendgen.learn.measures import Share

FEWEST = 10  # pictures of a set
NEIGHBOURS = 5
_FOLDS = 5
_STRENGTH = 1.0  # of the regularisation of the two-sample test
_Z = 1.959963984540054


@dataclass(frozen=True)
class Distance:
    """A value with its 95 % interval."""

    value: float
    low: float
    high: float


def kernel_distance(first: AnyArray, second: AnyArray) -> Distance:
    """KID, the unbiased squared maximum mean discrepancy with the kernel (x y / d + 1)^3.

    It is 0 on average for two samples of the same distribution, and may be below 0. The interval is that of
    the jackknife, which leaves out one picture after another.
    """
    own, other, cross = _kernel(first, first), _kernel(second, second), _kernel(first, second)
    np.fill_diagonal(own, 0.0)
    np.fill_diagonal(other, 0.0)
    m, n = cross.shape
    within, between = own.sum() / (m * (m - 1)), other.sum() / (n * (n - 1))
    value = within + between - 2 * cross.mean()
    without = [
        (own.sum() - 2 * own.sum(1)) / ((m - 1) * (m - 2))
        + between
        - 2 * (cross.sum() - cross.sum(1)) / ((m - 1) * n),
        (other.sum() - 2 * other.sum(1)) / ((n - 1) * (n - 2))
        + within
        - 2 * (cross.sum() - cross.sum(0)) / (m * (n - 1)),
    ]
    variance = sum(float((len(one) - 1) * np.var(one)) for one in without)
    half = _Z * math.sqrt(variance)
    return Distance(float(value), float(value) - half, float(value) + half)


def _kernel(first: AnyArray, second: AnyArray) -> AnyArray:
    x, y = np.asarray(first, np.float64), np.asarray(second, np.float64)
    return np.asarray((x @ y.T / x.shape[1] + 1.0) ** 3)


@dataclass(frozen=True)
class TwoSampleTest:
    """How well a linear classifier tells photos from images that it was not trained on; 50 % is chance.

    photos, images: (n,) scores of each, from about 0 (like images) to 1 (like photos)
    """

    accuracy: Share
    photos: AnyArray
    images: AnyArray


def two_sample_test(
    photos: AnyArray, images: AnyArray, keys: tuple[Sequence[str], Sequence[str]]
) -> TwoSampleTest:
    """keys: of photos and images; their order says which fifth of them is left out together"""
    features = np.concatenate([photos, images])
    is_photo = np.repeat([1, 0], [len(photos), len(images)])
    folds = np.concatenate([_folds(one) for one in keys])
    scores = np.empty(len(features))
    for fold in range(_FOLDS):
        left_out = folds == fold
        labels = is_photo[~left_out]
        ridge = Ridge(features[~left_out], labels, balanced_weights(labels, 2), 2)
        scores[left_out] = ridge.head(_STRENGTH).scores(features[left_out])[:, 1]
    right = int(((scores > 0.5) == (is_photo == 1)).sum())
    return TwoSampleTest(Share(right, len(scores)), scores[: len(photos)], scores[len(photos) :])


def _folds(keys: Sequence[str]) -> AnyArray:
    ranks = np.empty(len(keys), np.int64)
    ranks[sorted(range(len(keys)), key=lambda place: keys[place])] = np.arange(len(keys))
    return ranks % _FOLDS


@dataclass(frozen=True)
class Neighbourhoods:
    """Shares by the NEIGHBOURS nearest pictures of the same set.

    covered: photos that have an image in their neighbourhood; 0.97 for two samples of the same pictures
    realistic: images that are in the neighbourhood of a photo (precision)
    reachable: photos that are in the neighbourhood of an image (recall)
    """

    covered: Share
    realistic: Share
    reachable: Share


def neighbourhoods(photos: AnyArray, images: AnyArray) -> Neighbourhoods:
    across = cdist(photos, images)
    of_photos, of_images = _radii(photos), _radii(images)
    near_photo, near_image = across < of_photos[:, None], across < of_images[None, :]
    return Neighbourhoods(
        _share(near_photo.any(axis=1)), _share(near_photo.any(axis=0)), _share(near_image.any(axis=1))
    )


def _radii(features: AnyArray) -> AnyArray:
    """(n,) distance of each to its fifth neighbour"""
    return np.asarray(np.sort(cdist(features, features), axis=1)[:, NEIGHBOURS])


def _share(is_inside: AnyArray) -> Share:
    return Share(int(is_inside.sum()), len(is_inside))
