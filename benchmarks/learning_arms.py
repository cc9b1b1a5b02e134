"""Arms of the learning benchmark: which photos each classifier gets right, for each seed.

In: a data set, and photos in train/<class>/ and test/<class>/. Out: by arm and seed a 0 or 1 for each photo
of test, in the order of their names, so that arms can be compared photo by photo. Renders alone see no photo,
and are also tested on those of train.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from blendgen.dataset.dataset import Dataset
from blendgen.learn.arms import chosen_photos
from blendgen.learn.backbones import load_backbone
from blendgen.learn.features import computed_features
from blendgen.learn.head import LinearHead
from blendgen.learn.photo_sets import labelled_photos
from blendgen.learn.pictures import PictureSet, dataset_pictures
from blendgen.learn.train import Material, fitted
from blendgen.system.progress import Progress

PER_CLASS = (1, 5, 20)
RENDERS, ALIGNED = "renders", "renders, aligned"
ON_ALL_PHOTOS = "renders, tested on all photos"
GUESSED = "renders, and photos with pseudo-labels"  # with all layers trained only


def photos_arm(per_class: int | None, with_renders: bool) -> str:
    """The name of an arm; None: all photos of train."""
    count = "all photos" if per_class is None else f"{per_class} photo{'s' * (per_class > 1)} a class"
    return count + " and renders" * with_renders


# by name, with all layers trained: photos of each class (None: all), and whether there are renders, too
PHOTO_ARMS = {
    photos_arm(count, is_mixed): (count, is_mixed) for count in (5, 20, None) for is_mixed in (False, True)
}


def arms_of(dataset: Dataset, photos: Path, seeds: int, progress: Progress) -> dict[str, list[str]]:
    """{arm: a text of 0 and 1 for each seed}"""
    backbone, left_out = load_backbone(), list[str]()

    def read(split: str) -> PictureSet:
        pictures = labelled_photos(photos, dataset.classes, (split,), left_out)
        pictures.sort(key=lambda picture: picture.name)
        return computed_features(pictures, dataset.classes, backbone, progress, left_out)

    pictures = dataset_pictures(dataset)
    renders = computed_features(pictures, dataset.classes, backbone, progress, left_out)
    pool, test = read("train"), read("test")
    arms: dict[str, list[str]] = {}
    for seed in range(seeds):
        for name, material in _materials(renders, pool, seed):
            head = fitted(material, seed).head
            arms.setdefault(name, []).append(_right(head, test))
            if name == RENDERS:
                arms.setdefault(ON_ALL_PHOTOS, []).append(_right(head, pool) + _right(head, test))
    return arms


def _right(head: LinearHead, photos: PictureSet) -> str:
    right = head.scores(photos.features).argmax(axis=1) == photos.labels
    return "".join(str(int(one)) for one in right)


def _materials(renders: PictureSet, pool: PictureSet, seed: int) -> Iterator[tuple[str, Material]]:
    nothing = renders.at([])
    yield RENDERS, Material(renders, nothing)
    yield ALIGNED, Material(renders, nothing, None, pool)
    for count in (*PER_CLASS, None):
        photos = pool if count is None else pool.at(chosen_photos(pool, partial(min, count), seed))
        yield photos_arm(count, False), Material(photos, nothing)
        yield photos_arm(count, True), Material(renders, nothing, photos)
