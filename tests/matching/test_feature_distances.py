"""Distances of features: zero where nothing differs, with intervals that hold, in any order of the files."""

from __future__ import annotations

import numpy as np
import pytest

from blendgen.matching.feature_distances import kernel_distance, neighbourhoods, two_sample_test

WIDTH = 16


def sample(seed: int, count: int = 60, shift: float = 0.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(shift, 1.0, (count, WIDTH))


def keys(count: int, name: str) -> list[str]:
    return [f"{name}{number:03d}" for number in range(count)]


def plain_kernel_distance(first: np.ndarray, second: np.ndarray) -> float:
    """By its definition, a pair at a time."""

    def mean(x, y, is_same):
        values = [
            (float(a @ b) / WIDTH + 1) ** 3
            for i, a in enumerate(x)
            for j, b in enumerate(y)
            if not (is_same and i == j)
        ]
        return sum(values) / len(values)

    return mean(first, first, True) + mean(second, second, True) - 2 * mean(first, second, False)


def test_the_kernel_distance_is_that_of_its_definition():
    first, second = sample(1, 12), sample(2, 15, 0.5)
    assert kernel_distance(first, second).value == pytest.approx(
        plain_kernel_distance(first, second), rel=1e-9
    )


def test_the_interval_of_the_kernel_distance_is_that_of_leaving_out_each_picture():
    first, second = sample(1, 11), sample(2, 13, 0.5)
    without = [
        np.array([plain_kernel_distance(np.delete(first, i, 0), second) for i in range(11)]),
        np.array([plain_kernel_distance(first, np.delete(second, i, 0)) for i in range(13)]),
    ]
    variance = sum((len(one) - 1) / len(one) * ((one - one.mean()) ** 2).sum() for one in without)
    result = kernel_distance(first, second)
    assert result.high - result.value == pytest.approx(1.959964 * np.sqrt(variance), rel=1e-6)
    assert result.value - result.low == pytest.approx(result.high - result.value)


def test_the_interval_of_the_kernel_distance_holds():
    """Of samples without a difference 95 % contain 0; with a binomial tolerance for 60 of them."""
    result = [kernel_distance(sample(2 * seed), sample(2 * seed + 1)) for seed in range(60)]
    assert sum(one.low <= 0 <= one.high for one in result) >= 51
    shifted = [kernel_distance(sample(2 * seed), sample(2 * seed + 1, shift=0.5)) for seed in range(20)]
    assert all(one.low > 0 for one in shifted)


def test_equal_sets_are_not_separability_and_others_are():
    names = keys(60, "p"), keys(60, "i")
    alike = two_sample_test(sample(1), sample(2), names).accuracy
    assert alike.interval[0] < 0.5 < alike.interval[1]
    apart = two_sample_test(sample(1), sample(2, shift=1.0), names)
    assert (
        apart.accuracy.value > 0.9 and apart.photos.mean() < 1 and apart.photos.mean() > apart.images.mean()
    )


def test_the_scores_do_not_depend_on_the_order_of_files():
    photos, images = sample(1), sample(2, shift=0.5)
    names, order = keys(60, "p"), np.random.default_rng(3).permutation(60)
    plain = two_sample_test(photos, images, (names, keys(60, "i")))
    mixed = two_sample_test(photos[order], images, ([names[i] for i in order], keys(60, "i")))
    assert mixed.photos == pytest.approx(plain.photos[order]) and mixed.accuracy == plain.accuracy


def test_photos_without_an_image_nearby_are_not_covered():
    photos = np.concatenate([sample(1, 30), sample(2, 30, shift=20.0)])
    images = sample(3)
    around = neighbourhoods(photos, images)
    assert 25 <= around.covered.right <= 30 and around.covered.count == 60
    assert 25 <= around.reachable.right <= 30
    assert 30 < around.realistic.right < 60
    everything = neighbourhoods(photos, photos + 1e-9)
    assert everything.covered.value == everything.realistic.value == everything.reachable.value == 1
