"""Appearance: how far photos and images are apart for a network that was trained on ImageNet.

In: a folder of photos and a data set, perhaps photos in folders of their classes. Out: Appearance, with the
images that look least like photos. It needs the extra `features`; features are stored in the cache.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from blendgen.dataset.dataset import Dataset
from blendgen.errors import SetupError
from blendgen.geometry.arrays import AnyArray, ImageHW3U8
from blendgen.learn.backbones import load_backbone
from blendgen.learn.features import computed_features
from blendgen.learn.photo_sets import unlabelled_photos
from blendgen.learn.pictures import Picture, PictureSet, dataset_pictures
from blendgen.matching.feature_distances import (
    FEWEST,
    Distance,
    Neighbourhoods,
    TwoSampleTest,
    kernel_distance,
    neighbourhoods,
    two_sample_test,
)
from blendgen.system.progress import Progress

MOST = 500  # pictures of a set
_SHOWN = 8


@dataclass(frozen=True)
class ClassCoverage:
    """label, photos and images of it that were compared, and their neighbourhoods"""

    label: str
    photos: int
    images: int
    neighbourhoods: Neighbourhoods


@dataclass(frozen=True)
class Appearance:
    """backbone: of the features, with its package; count: photos, and as many images, that were compared

    telling: how well photos and images can be separated; classes: those with enough photos in their folders
    least_like_photos, most_like_photos: (name, picture) of images; unlike_images: of photos
    left_out: a message for each photo that is not compared
    """

    backbone: dict[str, Any]
    count: int
    kid: Distance
    telling: TwoSampleTest
    neighbourhoods: Neighbourhoods
    classes: tuple[ClassCoverage, ...]
    least_like_photos: tuple[tuple[str, ImageHW3U8], ...]
    most_like_photos: tuple[tuple[str, ImageHW3U8], ...]
    unlike_images: tuple[tuple[str, ImageHW3U8], ...]
    left_out: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        return {
            "backbone": self.backbone,
            "photos": self.count,
            "images": self.count,
            "kid": asdict(self.kid),
            "two_sample_accuracy": self.telling.accuracy.facts(),
            **_facts(self.neighbourhoods),
            "classes": [
                {"label": one.label, "photos": one.photos, "images": one.images, **_facts(one.neighbourhoods)}
                for one in self.classes
            ],
            "least_like_photos": [name for name, _ in self.least_like_photos],
            "most_like_photos": [name for name, _ in self.most_like_photos],
            "photos_unlike_images": [name for name, _ in self.unlike_images],
            "left_out": list(self.left_out),
        }


def appearance(place: Path, dataset: Dataset, progress: Progress) -> Appearance | str:
    """The reason, as a text, where it cannot be said.

    raises: DatasetError, UsageError, DiskUnavailable
    """
    left_out: list[str] = []
    photos = _evenly(_with_labels(unlabelled_photos(place, left_out), dataset.classes), MOST)
    images = _evenly(_one_of_each_shot(dataset_pictures(dataset)), MOST)
    if min(len(photos), len(images)) < FEWEST:
        return f"at least {FEWEST} photos and the images of {FEWEST} shots are needed"
    try:
        backbone = load_backbone()
    except SetupError as error:
        return str(error)
    sets = [computed_features(one, dataset.classes, backbone, progress, left_out) for one in (photos, images)]
    count = min(map(len, sets))
    if count < FEWEST:
        return f"at least {FEWEST} photos that can be read are needed"
    equal = [_evenly_of(one, count) for one in sets]
    return _compared(backbone.facts(), equal[0], equal[1], _by_class(*sets), tuple(left_out))


def _compared(
    backbone: dict[str, Any],
    photos: PictureSet,
    images: PictureSet,
    classes: tuple[ClassCoverage, ...],
    left_out: tuple[str, ...],
) -> Appearance:
    keys = [picture.key for picture in photos.pictures], [picture.key for picture in images.pictures]
    telling = two_sample_test(photos.features, images.features, keys)
    by_realism = np.argsort(telling.images, kind="stable")
    return Appearance(
        backbone, len(photos), kernel_distance(photos.features, images.features), telling,
        neighbourhoods(photos.features, images.features), classes,
        _pictures(images, by_realism[:_SHOWN]), _pictures(images, by_realism[::-1][:_SHOWN]),
        _pictures(photos, np.argsort(-telling.photos, kind="stable")[:_SHOWN]), left_out,
    )  # fmt: skip


def _by_class(photos: PictureSet, images: PictureSet) -> tuple[ClassCoverage, ...]:
    """Of each class with enough of both, as many of both: coverage grows with the number of images."""
    classes = []
    for label_id, label in enumerate(photos.classes):
        own = [one.at(np.flatnonzero(one.labels == label_id)) for one in (photos, images)]
        count = min(map(len, own))
        if count >= FEWEST:
            own = [_evenly_of(one, count) for one in own]
            around = neighbourhoods(own[0].features, own[1].features)
            classes.append(ClassCoverage(label, count, count, around))
    return tuple(classes)


def _with_labels(photos: Sequence[Picture], classes: Sequence[str]) -> list[Picture]:
    """Photos whose folder has the name of a class are of it."""
    known = {label: number for number, label in enumerate(classes)}
    folders = [PurePosixPath(photo.name).parent.name for photo in photos]
    return [
        Picture(photo.key, known.get(folder, -1), photo.name, photo.group, photo.read)
        for photo, folder in zip(photos, folders, strict=True)
    ]


def _one_of_each_shot(pictures: Sequence[Picture]) -> list[Picture]:
    """Images of the same shot look alike: a test that has seen one of them knows the others."""
    return [*{picture.group: picture for picture in pictures}.values()]


def _evenly(pictures: Sequence[Picture], most: int) -> list[Picture]:
    return [pictures[place] for place in _places(len(pictures), most)]


def _evenly_of(pictures: PictureSet, most: int) -> PictureSet:
    return pictures.at(_places(len(pictures), most))


def _places(count: int, most: int) -> list[int]:
    return sorted({int(place) for place in np.linspace(0, max(0, count - 1), min(count, most)).round()})


def _pictures(pictures: PictureSet, places: AnyArray) -> tuple[tuple[str, ImageHW3U8], ...]:
    chosen = [pictures.pictures[int(place)] for place in places]
    return tuple((picture.name, picture.read()) for picture in chosen)


def _facts(around: Neighbourhoods) -> dict[str, Any]:
    return {
        "coverage": around.covered.facts(),
        "precision": around.realistic.facts(),
        "recall": around.reachable.facts(),
    }
