"""What looks unlike all classes is rejected, and what looks like them is not."""

from __future__ import annotations

import numpy as np
import pytest

from blendgen.learn.choice import chosen_for_photos, chosen_for_renders, ridge_of
from blendgen.learn.open_set import auroc, open_set, plane
from blendgen.learn.pictures import Picture, PictureSet
from blendgen.learn.rejection import fitted_open_set

WIDTH, CLASSES = 40, 3


def pictures(count: int, seed: int, shift: float = 0.0, names: str = "a") -> PictureSet:
    """Features near a plane of three directions, one for each class."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % CLASSES
    features = 4 * np.eye(CLASSES, WIDTH)[labels] + rng.normal(0, 0.4, (count, WIDTH)) + shift
    own = tuple(Picture(f"{names}{n}", int(label), "", f"{names}{n}", None) for n, label in enumerate(labels))
    return PictureSet(own, features.astype(np.float32), ("a", "b", "c"))


def others(count: int) -> np.ndarray:
    """In directions that no class has."""
    return np.random.default_rng(9).normal(0, 1.2, (count, WIDTH)).astype(np.float32)


def fitted(renders, photos=None, unlabelled=None, unknown=None):
    chosen = (
        chosen_for_renders(renders, unlabelled, 0)
        if photos is None
        else chosen_for_photos(renders, photos, unlabelled, 0, None)
    )
    recipe = chosen.best.recipe
    head = ridge_of(renders, photos, unlabelled, recipe.photo_share, recipe.is_aligned).head(recipe.strength)
    return head, fitted_open_set(chosen, renders, photos, unlabelled, unknown, 0)


def accepted(head, result, features) -> float:
    return float((result.plane.familiarity(features) >= result.threshold).mean())


def test_photos_set_a_threshold_that_holds_for_new_ones():
    head, result = fitted(pictures(60, 1), pictures(120, 2, 0.2, "p"))
    assert result.known == "photos left out in turn" and 0.93 <= result.accepted.value <= 0.97
    assert accepted(head, result, pictures(300, 3, 0.2).features) > 0.88
    assert accepted(head, result, others(300)) < 0.1


def test_photos_without_labels_set_it_where_there_are_no_others():
    unlabelled = pictures(200, 2, 0.2).features
    head, result = fitted(pictures(60, 1), unlabelled=unlabelled)
    assert result.known == "photos without labels"
    assert accepted(head, result, pictures(300, 3, 0.2).features) > 0.88
    assert accepted(head, result, others(300)) < 0.1


def test_renders_alone_reject_nothing_unless_there_are_pictures_of_other_things():
    _, result = fitted(pictures(60, 1))
    assert result.threshold is None and result.accepted.value == 1 and result.facts()["threshold"] is None
    head, result = fitted(pictures(60, 1), unknown=others(50))
    assert result.known == "renders of shots left out in turn"
    assert result.auroc > 0.95 and 0.9 < result.rejected.value < 1
    assert accepted(head, result, others(300)) < 0.2
    assert accepted(head, result, pictures(300, 3).features) > 0.95


def test_known_and_unknown_that_look_alike_are_not_all_rejected():
    rng = np.random.default_rng(0)
    own = plane(pictures(60, 1).features)
    known, unknown = rng.normal(0, 1, (2, 200))
    result = open_set(own, known, "photos", True, unknown)
    assert result.accepted.value >= 0.5 and 0.4 < result.auroc < 0.6


def test_the_auroc_counts_pairs_and_halves_ties():
    assert auroc(np.array([2.0, 3.0]), np.array([1.0, 0.0])) == 1
    assert auroc(np.array([1.0, 1.0]), np.array([1.0])) == 0.5
    assert auroc(np.array([0.0, 2.0]), np.array([1.0])) == 0.5


@pytest.mark.parametrize("count", [30, 90])
def test_a_plane_holds_the_directions_of_most_spread(count):
    """For fewer pictures than features, and for more."""
    features = pictures(count, 4).features.astype(float)
    own = plane(features)
    assert np.allclose(own.basis.T @ own.basis, np.eye(own.basis.shape[1]), atol=1e-8)
    inside = (own.basis @ np.arange(1.0, own.basis.shape[1] + 1))[None]
    assert np.allclose(own.familiarity(np.concatenate([inside, 7 * inside])), 1)
    units = features / np.linalg.norm(features, axis=1, keepdims=True)
    values = np.linalg.svd(units, compute_uv=False)[: own.basis.shape[1]]
    assert (own.familiarity(features) ** 2).sum() == pytest.approx((values**2).sum())
    assert own.familiarity(np.zeros((1, WIDTH)))[0] == 0
