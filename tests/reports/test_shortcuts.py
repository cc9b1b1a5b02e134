"""Shortcuts: what is independent raises no alarm, also of a few images; what depends on the class does."""

import numpy as np
import pytest

from blendgen.reports.shortcuts import Shortcut, chance, judged, mutual_information_bits
from blendgen.streams import stream


def table_of(name, classes, bins, pairs):
    shortcut = Shortcut(name, classes, bins)
    for label_id, number in pairs:
        shortcut.add(label_id, number)
    return shortcut


def independent(seed, images, nuisances=20, classes=14):
    """Nuisances of random images whose classes take turns, as those of data sets do."""
    random = stream(seed, 0, 0, "test")
    bins = [2 + number % 7 for number in range(nuisances)]
    return [
        table_of(
            f"nuisance {number}",
            classes,
            size,
            [(i % classes, int(random.integers(size))) for i in range(images)],
        )
        for number, size in enumerate(bins)
    ]


@pytest.mark.parametrize("images", [20, 60, 300])
def test_random_images_raise_no_alarm(images):
    warnings = [one for seed in range(5) for one in judged(independent(seed, images)) if one["warns"]]
    assert warnings == []


def test_chance_is_uniform_for_random_images():
    p = [chance(one.counts) for seed in range(10) for one in independent(seed, 60)]
    assert 0.02 < np.mean(np.array(p) < 0.05) < 0.1
    assert 0.42 < np.mean(p) < 0.58


def test_the_estimate_has_hardly_any_bias():
    bits = [mutual_information_bits(one.counts)[0] for one in independent(1, 500)]
    assert np.mean(bits) < 0.015


def test_a_surface_that_tells_the_class_is_a_shortcut():
    pairs = [(i % 3, i % 3 if i % 4 else 0) for i in range(60)]
    others = independent(3, 60, classes=3)
    first, *rest = judged([*others, table_of("surface.kind", 3, 3, pairs)])
    assert first["name"] == "surface.kind" and first["warns"] and first["p"] < 1e-6
    assert 0.3 < first["share"] <= 1 and not any(one["warns"] for one in rest)


def test_a_dependence_too_small_to_be_of_use_is_none():
    """Of many images the smallest dependence is certain, and still no use to a classifier."""
    counts = np.array([[50500, 49500], [49500, 50500]])
    shortcut = Shortcut("light", 2, 2)
    shortcut.counts += counts
    one = judged([shortcut])[0]
    assert one["p"] < 1e-3 and one["share"] < 0.001 and not one["warns"]


@pytest.mark.parametrize(
    "counts", [[[5, 5]], [[5], [5]], [[1, 2], [3, 4]], np.zeros((2, 3), int), [[9] * 10] * 1]
)
def test_nothing_can_be_said_of_one_class_one_value_or_few_images(counts):
    table = np.array(counts)
    assert chance(table[table.any(1)][:, table.any(0)]) is None
