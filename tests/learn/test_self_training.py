"""Which photos without labels are trained on, and as what."""

from __future__ import annotations

import numpy as np

from blendgen.learn.pictures import Picture, PictureSet
from blendgen.learn.self_training import guessed

CLASSES = ("a", "b")


def photos(count: int) -> PictureSet:
    own = (Picture(f"key{number}", -1, f"{number}.jpg", "", lambda: None) for number in range(count))
    return PictureSet(tuple(own), np.arange(count, dtype=np.float32)[:, None], CLASSES)


def probabilities(of_a: list[float]) -> np.ndarray:
    return np.array([[one, 1 - one] for one in of_a])


def test_the_surest_photos_get_the_class_that_they_were_taken_for():
    own = guessed(photos(8), probabilities([0.9, 0.1, 0.6, 0.45, 0.95, 0.2, 0.7, 0.4]), 0.5)
    assert [picture.name for picture in own.pictures] == ["0.jpg", "1.jpg", "4.jpg", "5.jpg"]
    assert own.labels.tolist() == [0, 1, 0, 1]
    assert own.features[:, 0].tolist() == [0, 1, 4, 5]


def test_a_class_that_swallows_most_photos_gets_no_more_than_its_part():
    own = guessed(photos(10), probabilities([0.99] * 9 + [0.3]), 0.6)
    assert own.labels.tolist() == [0, 0, 0, 1]


def test_each_class_that_is_guessed_has_a_photo_and_equal_ones_keep_their_order():
    own = guessed(photos(4), probabilities([0.8, 0.8, 0.2, 0.2]), 0.01)
    assert [picture.name for picture in own.pictures] == ["0.jpg", "2.jpg"]
    assert not len(guessed(photos(4).at([]), np.zeros((0, 2)), 0.5))
