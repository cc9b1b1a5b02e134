"""Network arms: which photos a network with all layers trained gets right, on several kinds of pictures.

In: a data set, and photos in train/<class>/ and test/<class>/. Out: by arm a 0 or 1 for each photo of test,
in the order of their names, as learning_arms.py gives them for a frozen network. Each arm is what `train`
does last; nothing is chosen by cross-validation, as the photos of test show which arm is better.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import torch

from benchmarks.learning_arms import ALIGNED, GUESSED, ON_ALL_PHOTOS, PHOTO_ARMS, RENDERS
from blendgen.dataset.dataset import Dataset
from blendgen.learn.arms import chosen_photos
from blendgen.learn.backbones import DEFAULT_BACKBONE, Backbone, load_backbone
from blendgen.learn.features import computed_features
from blendgen.learn.head import LinearHead
from blendgen.learn.photo_sets import labelled_photos
from blendgen.learn.pictures import PictureSet
from blendgen.learn.torch_network import TorchClassifier
from blendgen.learn.train import Material, Options, dataset_features
from blendgen.learn.training_stages import Stages
from blendgen.learn.tuning import outputs
from blendgen.system.machine import cores
from blendgen.system.progress import Progress


class Networks:
    """Trainings with one data set and one seed; folder: for checkpoints; side_px: of the pictures"""

    def __init__(
        self, dataset: Dataset, photos: Path, seed: int, side_px: int, folder: Path, progress: Progress
    ):
        torch.set_num_threads(cores())
        backbone, self._seed = load_backbone(DEFAULT_BACKBONE, side_px), seed
        renders, val = (dataset_features(dataset, (split,), backbone, progress) for split in ("train", "val"))
        material = Material(renders, val)
        options = Options(seed=seed, is_head_only=False)
        self._stages = Stages(dataset, backbone, material, options, folder, progress)
        self._pool, self._test = (
            _photos(photos, split, dataset, backbone, progress) for split in ("train", "test")
        )

    def arm(self, name: str) -> dict[str, str]:
        """{arm: text of 0 and 1} of this name, and of what is measured with it"""
        if name == RENDERS:
            return self._of_renders()
        if name == GUESSED:
            model, _ = self._stages.after_guesses(self._pool)
            return {GUESSED: self._right(model, self._test)}
        count, is_mixed = PHOTO_ARMS[name]
        wanted = partial(min, count) if count else (lambda available: available)
        photos = self._pool.at(chosen_photos(self._pool, wanted, self._seed))
        train = self._stages.with_photos if is_mixed else self._stages.on_photos_alone
        return {name: self._right(train(name, photos)[0], self._test)}

    def _of_renders(self) -> dict[str, str]:
        """As they are, and aligned with the photos of train, without their labels."""
        model, _ = self._stages.after_renders()
        right = self._right(model, self._test)
        aligned = self._stages.aligned_head(model, self._stages.features(model, self._pool))
        return {
            RENDERS: right,
            ON_ALL_PHOTOS: self._right(model, self._pool) + right,
            ALIGNED: self._right(model, self._test, aligned),
        }

    def _right(self, model: TorchClassifier, photos: PictureSet, head: LinearHead | None = None) -> str:
        features, scores = outputs(model, self._stages.pool(photos).images)
        scores = scores if head is None else head.scores(features)
        return "".join(str(int(one)) for one in scores.argmax(axis=1) == photos.labels)


def _photos(folder: Path, split: str, dataset: Dataset, backbone: Backbone, progress: Progress) -> PictureSet:
    left_out: list[str] = []
    pictures = labelled_photos(folder, dataset.classes, (split,), left_out)
    pictures.sort(key=lambda picture: picture.name)
    return computed_features(pictures, dataset.classes, backbone, progress, left_out)
