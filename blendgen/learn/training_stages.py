"""Training stages: a network trained on renders, on renders and photos, or on photos alone.

In: the pictures of a training and the backbone. Out: TorchClassifiers, with the pictures that each was
trained on. What is finished is in the checkpoint. In stages with photos, each batch has as many photos as
renders, however few photos there are. full_training.py chooses which stages to run and which is best.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch

from blendgen.dataset.dataset import Dataset
from blendgen.geometry.arrays import AnyArray
from blendgen.learn.backbones import Backbone, backbone_blocks
from blendgen.learn.checkpoint import Checkpoint
from blendgen.learn.head import LinearHead
from blendgen.learn.network import feature_model
from blendgen.learn.pictures import Picture, PictureSet
from blendgen.learn.pixels import fitted as fitted_square
from blendgen.learn.self_training import guessed
from blendgen.learn.torch_network import TorchClassifier
from blendgen.learn.train import Material, Options, fitted
from blendgen.learn.training_material import divided, is_colour_class, training_key
from blendgen.learn.tuning import BATCH, Pool, Stage, outputs, tune
from blendgen.system.machine import cores
from blendgen.system.progress import Progress

PHOTO_SHARE = 0.5  # of a batch
_LEAST_IMAGES = 320  # of an epoch with photos
RENDERS, NAIVE, GUESSED = "renders", "naive", "pseudo_labels"

Trained = tuple[TorchClassifier, list[PictureSet]]


class Stages:
    """renders, val: that are trained on, and that are left out; history: of each stage that was run"""

    def __init__(
        self, dataset: Dataset, backbone: Backbone, material: Material, options: Options, dest: Path,
        progress: Progress,
    ):  # fmt: skip
        self._backbone, self._options, self._progress = backbone, options, progress
        self._classes = len(dataset.classes)
        self.is_colour_class = is_colour_class(dataset)
        self.renders, self.val = divided(material, options.seed)
        self._pools: dict[int, tuple[PictureSet, Pool]] = {}  # with the pictures, so that no id comes again
        self.checkpoint = Checkpoint(dest, training_key(dataset, backbone, material, options))
        self.history: dict[str, Any] = {}

    @cached_property
    def head(self) -> LinearHead:
        """Of the renders, on the frozen backbone."""
        return fitted(Material(self.renders, self.renders.at([])), self._options.seed).head

    def pool(self, pictures: PictureSet) -> Pool:
        """Pixels of pictures, read once."""
        if id(pictures) not in self._pools:
            with ThreadPoolExecutor(cores()) as readers:
                squares = [*readers.map(self._square, pictures.pictures)]
            images = torch.from_numpy(np.stack(squares).transpose(0, 3, 1, 2).copy())
            self._pools[id(pictures)] = pictures, Pool(images, torch.from_numpy(pictures.labels))
        return self._pools[id(pictures)][1]

    def _square(self, picture: Picture) -> AnyArray:
        return fitted_square(picture.read(), self._backbone.preprocessing.side_px)

    def _model(self, head: LinearHead) -> TorchClassifier:
        blocks, pads_like_tensorflow = backbone_blocks(self._backbone)
        return TorchClassifier(blocks, pads_like_tensorflow, head, self._backbone.preprocessing)

    def _stage(self, name: str, pools: list[tuple[Pool, int]], validation: Pool | None = None) -> Stage:
        """All of the last pool in an epoch, which are the photos; several times while they are few."""
        (last, count), options = pools[-1], self._options
        images = len(last) * BATCH / count
        if validation is None:
            images = max(images, min(len(self.renders), max(4 * images, _LEAST_IMAGES)))
        steps = max(1, round(images / BATCH))
        return Stage(
            name, tuple(pools), options.epochs, steps, options.seed, self.is_colour_class, validation
        )

    def after_renders(self) -> Trained:
        """The network after the renders, trained once."""
        if RENDERS not in self.checkpoint.finished:
            model = self._model(self.head)
            stage = self._stage(RENDERS, [(self.pool(self.renders), BATCH)], self.pool(self.val))
            self.history[RENDERS] = tune(model, stage, self.checkpoint, self._progress)
            self._finish(RENDERS, model)
        return self._finished(RENDERS)[0], [self.renders]

    def with_photos(self, name: str, photos: PictureSet) -> Trained:
        """After the renders, renders and photos."""
        model, _ = self.after_renders()
        share = PHOTO_SHARE if self._options.photo_share is None else self._options.photo_share
        count = min(BATCH - 1, max(1, round(share * BATCH)))
        pools = [(self.pool(self.renders), BATCH - count), (self.pool(photos), count)]
        self.history[name] = tune(model, self._stage(name, pools), self.checkpoint, self._progress)
        return model, [self.renders, photos]

    def on_photos_alone(self, name: str, photos: PictureSet) -> Trained:
        model = self._model(fitted(Material(photos, photos.at([])), self._options.seed).head)
        stage = self._stage(name, [(self.pool(photos), BATCH)])
        self.history[name] = tune(model, stage, self.checkpoint, self._progress)
        return model, [photos]

    def naive(self, photos: PictureSet | None) -> Trained:
        """Everything at once: photos are as rare among the pictures as they are, and the head starts at 0."""
        used = [self.renders] + ([] if photos is None else [photos])
        width = self.renders.features.shape[1]
        model = self._model(LinearHead(np.zeros((width, self._classes)), np.zeros(self._classes)))
        pools = [self.pool(one) for one in used]
        mixed = Pool(*(torch.cat([getattr(one, part) for one in pools]) for part in ("images", "labels")))
        stage = self._stage(NAIVE, [(mixed, BATCH)], self.pool(self.val))
        self.history[NAIVE] = tune(model, stage, self.checkpoint, self._progress)
        return model, used

    def after_guesses(self, photos: PictureSet) -> tuple[TorchClassifier, int]:
        """After the renders, renders and photos whose labels the network guessed; and how many these are."""
        if GUESSED not in self.checkpoint.finished:
            model, _ = self.after_renders()
            features = self.features(model, photos)
            own = guessed(photos, self.aligned_head(model, features).probabilities(features))
            trained, _ = self.with_photos(GUESSED, own)
            self._finish(GUESSED, trained, count=len(own))
        model, facts = self._finished(GUESSED)
        return model, facts["count"]

    def _finish(self, name: str, model: TorchClassifier, **facts: Any) -> None:
        stored = {"model": model.state_dict(), "history": self.history[name], **facts}
        self.checkpoint.finish(name, stored)

    def _finished(self, name: str) -> tuple[TorchClassifier, dict[str, Any]]:
        model, stored = self._model(self.head), self.checkpoint.finished[name]
        model.load_state_dict(stored["model"])
        self.history[name] = stored["history"]
        return model, stored

    def graph(self, model: TorchClassifier) -> bytes:
        """ONNX, from image to features."""
        _, pads_like_tensorflow = backbone_blocks(self._backbone)
        made = feature_model(model.network.trained(), pads_like_tensorflow, self._backbone.name)
        return bytes(made.SerializeToString())

    def features(self, model: TorchClassifier, pictures: PictureSet) -> AnyArray:
        return outputs(model, self.pool(pictures).images)[0]

    def aligned_head(self, model: TorchClassifier, unlabelled: AnyArray) -> LinearHead:
        """Fitted again, to features of the trained network that have the mean and spread of the photos."""
        renders = replace(self.renders, features=self.features(model, self.renders))
        photos = renders.at([])
        photos = replace(photos, features=unlabelled)
        return fitted(Material(renders, renders.at([]), None, photos), self._options.seed).head
