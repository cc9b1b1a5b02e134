"""The closed-form head, what chooses it, and the measures of what it is worth."""

from __future__ import annotations

import math

import numpy as np
import pytest

from blendgen.learn.alignment import aligned
from blendgen.learn.arms import PHOTOS_PER_CLASS
from blendgen.learn.choice import chosen_for_photos, chosen_for_renders, folds, shuffled
from blendgen.learn.head import Ridge, balanced_weights, best_temperature, softmax
from blendgen.learn.measures import Share, accuracy, calibration, confusion, precisions, recalls
from blendgen.learn.pictures import Picture, PictureSet
from blendgen.learn.worth import worth

CLASSES = ("a", "b", "c")


def pictures(count: int, noise: float, shift: float = 0.0, name: str = "x", width: int = 12) -> PictureSet:
    """Features around one corner for each class."""
    rng = np.random.default_rng([count, *name.encode()])
    labels = np.arange(count) % len(CLASSES)
    features = np.eye(len(CLASSES), width)[labels] * 2 + rng.normal(0, noise, (count, width)) + shift
    made = [
        Picture(f"{name}{number}", int(label), f"{name}{number}", f"{name}{number // 2}", None)
        for number, label in enumerate(labels)
    ]
    return PictureSet(tuple(made), features.astype(np.float32), CLASSES)


@pytest.mark.parametrize("count", [9, 60])
def test_a_head_is_weighted_ridge_regression(count):
    data = pictures(count, 0.5)
    weights = balanced_weights(data.labels, 3) * np.linspace(1, 3, count)
    weights /= weights.sum()
    head = Ridge(data.features, data.labels, weights, 3).head(0.7)
    x, y = data.features.astype(float), np.eye(3)[data.labels]
    mean, target = weights @ x, weights @ y
    scale = np.sqrt((weights @ (x - mean) ** 2).mean())
    a = (x - mean) / scale
    gram = a.T @ (a * weights[:, None]) + 0.7 * np.eye(12)
    expected = np.linalg.solve(gram, a.T @ ((y - target) * weights[:, None])) / scale
    assert np.allclose(head.weight, expected)
    assert np.allclose(head.scores(x), (x - mean) @ expected + target)


def test_classes_weigh_the_same_however_many_pictures_they_have():
    labels = np.array([0, 0, 0, 2])
    weights = balanced_weights(labels, 3)
    assert weights[:3].sum() == pytest.approx(weights[3]) == pytest.approx(0.5)


def test_folds_keep_groups_together_and_classes_even():
    labels = np.repeat([0, 1], 20)
    groups = [f"{number // 2}" for number in range(40)]
    number = folds(labels, groups, 5, 1)
    assert all(len({*number[[g == one for g in groups]]}) == 1 for one in {*groups})
    assert np.bincount(number[:20]).tolist() == [4] * 5 == np.bincount(number[20:]).tolist()
    assert not np.array_equal(number, folds(labels, groups, 5, 2))
    assert shuffled({"b", "a"}, 1) == shuffled(["a", "b"], 1)


def test_noise_is_regularised_more():
    clean = chosen_for_renders(pictures(90, 0.1), None, 0).best.recipe.strength
    noisy = chosen_for_renders(pictures(90, 3.0), None, 0).best.recipe.strength
    assert noisy > clean


def test_renders_are_used_where_they_help_and_left_out_where_they_mislead():
    renders, few = pictures(120, 0.7, name="r"), pictures(9, 0.7, name="p")
    helped = chosen_for_photos(renders, few, None, 0, None)
    assert helped.best is helped.mixed and helped.best.recipe.photo_share < 1
    turned = PictureSet(renders.pictures, np.roll(renders.features, 1, axis=1), CLASSES)
    misled = chosen_for_photos(turned, pictures(60, 0.9, name="p"), None, 0, None)
    assert misled.best is misled.alone and misled.best.recipe.photo_share == 1


def test_one_photo_of_a_class_is_too_few_to_choose():
    chosen = chosen_for_photos(pictures(60, 0.5), pictures(3, 0.5, name="p"), None, 0, None)
    assert chosen.alone is None and 0 < chosen.best.recipe.photo_share < 1


def test_a_shift_of_all_photos_is_corrected():
    renders, photos = pictures(200, 0.3), pictures(200, 0.3, shift=1.5, name="p")
    moved = aligned(renders.features, photos.features)
    assert np.abs(moved.mean(axis=0) - photos.features.mean(axis=0)).max() < 1e-6
    assert aligned(renders.features, photos.features[:0]).tolist() == renders.features.tolist()


def test_the_temperature_makes_probabilities_of_scores():
    rng = np.random.default_rng(2)
    true = rng.dirichlet(np.ones(3), 4000)
    labels = np.array([rng.choice(3, p=p) for p in true])
    temperature, _ = best_temperature(np.log(true) * 0.5, labels)
    assert temperature == pytest.approx(0.5, abs=0.06)
    measured = calibration(softmax(np.log(true)), labels)
    assert measured.error < 0.03 and sum(share.count for *_, share in measured.bins) == 4000


def test_wilson_intervals_are_those_of_the_literature():
    """Newcombe 1998, Two-sided confidence intervals for the single proportion, table I."""
    for right, count, low, high in ((81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0, 0.1611)):
        assert Share(right, count).interval == pytest.approx((low, high), abs=1e-4)
    assert Share(0, 0).interval == (0.0, 1.0) and math.isnan(Share(0, 0).value)
    assert Share(0, 0).facts()["value"] is None


def test_a_confusion_has_true_classes_in_rows():
    labels, predicted = np.array([0, 0, 1, 2]), np.array([0, 1, 1, 1])
    probabilities = np.eye(3)[predicted]
    table = confusion(probabilities, labels)
    assert table == [[1, 1, 0], [0, 1, 0], [0, 1, 0]]
    assert [share.right for share in recalls(table)] == [1, 1, 0]
    assert [share.count for share in precisions(table)] == [1, 3, 0]
    assert accuracy(probabilities, labels) == Share(2, 4)


CURVE = [(1, Share(400, 1000)), (2, Share(500, 1000)), (5, Share(600, 1000)), (20, Share(900, 1000))]


def test_a_data_set_is_worth_the_photos_that_are_as_good():
    answer = worth(Share(750, 1000), CURVE)
    assert answer["photos_per_class"] == pytest.approx(10, rel=0.01)  # half the way, in the logarithm
    assert answer["low"] < 10 < answer["high"]
    assert answer["sentence"].startswith("This data set is worth about 10 photos of each class (")


def test_outside_of_the_curve_only_a_bound_is_stated():
    more, less = worth(Share(990, 1000), CURVE), worth(Share(100, 1000), CURVE)
    assert more["photos_per_class"] is None and "more than 20 photos of each class" in more["sentence"]
    assert less["photos_per_class"] is None and "less than 1 photo of each class" in less["sentence"]
    assert worth(Share(5, 10), CURVE[:1])["sentence"].startswith("There are too few")
    assert PHOTOS_PER_CLASS == (1, 2, 5, 10, 20)
