"""Rejection: the OpenSet of a head on a frozen backbone, from pictures that it was not trained on.

In: the pictures of a training, and how its head was chosen. Out: OpenSet. Known pictures are the labelled
photos, each left out in turn; else the photos without labels; else the renders, each shot left out in turn.
Photos come first because renders look more familiar than photos do.
"""

from __future__ import annotations

import numpy as np

from blendgen.geometry.arrays import AnyArray
from blendgen.learn.choice import FOLDS, Chosen, folds, training_set
from blendgen.learn.open_set import OpenSet, open_set, plane
from blendgen.learn.pictures import PictureSet


def fitted_open_set(
    chosen: Chosen, renders: PictureSet, photos: PictureSet | None, unlabelled: AnyArray | None,
    unknown: AnyArray | None, seed: int,
) -> OpenSet:  # fmt: skip
    """unlabelled, unknown: features of photos without labels, and of pictures of none of the classes"""
    recipe = chosen.best.recipe
    trained, _, _ = training_set(renders, photos, unlabelled, recipe.photo_share, recipe.is_aligned)
    own = plane(trained)
    others = own.familiarity(unknown) if unknown is not None and len(unknown) else None
    if photos is not None and chosen.alone is not None:
        # training_set has the photos last
        values = _left_out(trained, photos, len(trained) - len(photos), seed)
        return open_set(own, values, "photos left out in turn", True, others)
    if unlabelled is not None and len(unlabelled):
        return open_set(own, own.familiarity(unlabelled), "photos without labels", True, others)
    values = _left_out(trained, renders, 0, seed)
    return open_set(own, values, "renders of shots left out in turn", False, others)


def _left_out(trained: AnyArray, pictures: PictureSet, start: int, seed: int) -> AnyArray:
    """Familiarity of pictures, trained[start:], with the plane of what is trained on without their fold."""
    number = folds(pictures.labels, pictures.groups, FOLDS, seed)
    own = slice(start, start + len(pictures))
    values = np.zeros(len(pictures))
    for fold in {*number.tolist()}:
        outside = np.flatnonzero(number == fold)
        is_inside = np.ones(len(trained), bool)
        is_inside[start + outside] = False
        if is_inside.any():
            values[outside] = plane(trained[is_inside]).familiarity(trained[own][outside])
    return values
