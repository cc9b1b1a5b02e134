"""Full training: all layers, first on renders and then on renders and photos, and what that gives.

In: the pictures of a training, a head that fits them, and the backbone. Out: Tuned. After the renders, each
batch has as many photos as renders, however few photos there are. With photos, that is compared with tuning
on photos alone and with the frozen backbone, on photos that were left out in turn; the best is taken.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from blendgen.dataset.dataset import Dataset
from blendgen.geometry.arrays import AnyArray
from blendgen.learn.backbones import Backbone, backbone_blocks
from blendgen.learn.checkpoint import Checkpoint
from blendgen.learn.choice import folds
from blendgen.learn.head import LinearHead
from blendgen.learn.left_out import ALONE, BOTH, LeftOut, comparison
from blendgen.learn.measures import Share, accuracy
from blendgen.learn.network import feature_model
from blendgen.learn.open_set import OpenSet, Plane, open_set, plane
from blendgen.learn.pictures import Picture, PictureSet
from blendgen.learn.pixels import fitted as fitted_square
from blendgen.learn.run_folder import FROZEN
from blendgen.learn.torch_network import TorchClassifier
from blendgen.learn.train import Fitted, Material, Options, fitted
from blendgen.learn.training_material import divided, is_colour_class, training_key
from blendgen.learn.tuning import BATCH, RATE, Pool, Stage, device, outputs, tune
from blendgen.system.machine import cores
from blendgen.system.progress import Progress

FOLDS = 3
PHOTO_SHARE = 0.5  # of a batch
_LEAST_IMAGES = 320  # of an epoch with photos
RENDERS, NAIVE = "renders", "naive"


@dataclass(frozen=True)
class Tuned:
    """graph: ONNX, from image to features, None if the backbone stays frozen; the rest as in run.json"""

    head: LinearHead
    graph: bytes | None
    open_set: OpenSet | None
    facts: dict[str, Any]
    notes: list[str]
    val: Share | None


class FullTraining:
    """All stages of one training; `tuned` runs them, or what a checkpoint left of them."""

    def __init__(
        self, dataset: Dataset, backbone: Backbone, material: Material, fit: Fitted, options: Options,
        dest: Path, progress: Progress,
    ):  # fmt: skip
        self.backbone, self.material, self.fit, self.options = backbone, material, fit, options
        self.progress, self.classes = progress, len(dataset.classes)
        self.is_colour_class = is_colour_class(dataset)
        self.renders, self.val = divided(material, options.seed)
        self._pools: dict[int, tuple[PictureSet, Pool]] = {}  # with the pictures, so that no id comes again
        self.checkpoint = Checkpoint(dest, training_key(dataset, backbone, material, options))
        self.history: dict[str, Any] = {}

    def tuned(self) -> Tuned:
        """With no more threads than this process has cores: a container may have fewer than its machine."""
        threads = torch.get_num_threads()
        torch.set_num_threads(min(threads, cores()))
        try:
            return self._tuned()
        finally:
            torch.set_num_threads(threads)

    def _tuned(self) -> Tuned:
        photos = self.material.photos
        count = 0 if photos is None else self._folds(photos)
        if self.options.is_naive:
            return self._result(NAIVE, *self._naive(), None, {}, [])
        head = fitted(Material(self.renders, self.renders.at([])), self.options.seed).head
        if photos is None:
            return self._result(RENDERS, *self._renders(head), None, {}, [])
        kind, left_out, facts, notes = self._chosen(photos, head, count)
        if kind == FROZEN:
            return Tuned(self.fit.head, None, None, self._facts(kind, facts), notes, None)
        if kind == ALONE:
            model, trained = self._alone("final", photos)
        else:
            model, trained = self._both("final", head, photos)
        return self._result(kind, model, trained, left_out, facts, notes)

    def pool(self, pictures: PictureSet) -> Pool:
        """Pixels of pictures, read once."""
        if id(pictures) not in self._pools:
            with ThreadPoolExecutor(cores()) as readers:
                squares = [*readers.map(self._square, pictures.pictures)]
            images = torch.from_numpy(np.stack(squares).transpose(0, 3, 1, 2).copy())
            self._pools[id(pictures)] = pictures, Pool(images, torch.from_numpy(pictures.labels))
        return self._pools[id(pictures)][1]

    def _square(self, picture: Picture) -> AnyArray:
        return fitted_square(picture.read(), self.backbone.preprocessing.side_px)

    def _model(self, head: LinearHead) -> TorchClassifier:
        blocks, pads_like_tensorflow = backbone_blocks(self.backbone)
        return TorchClassifier(blocks, pads_like_tensorflow, head, self.backbone.preprocessing)

    def _stage(self, name: str, pools: list[tuple[Pool, int]], validation: Pool | None = None) -> Stage:
        """All of the last pool in an epoch, which are the photos; several times while they are few."""
        (last, count), options = pools[-1], self.options
        images = len(last) * BATCH / count
        if validation is None:
            images = max(images, min(len(self.renders), max(4 * images, _LEAST_IMAGES)))
        steps = max(1, round(images / BATCH))
        return Stage(
            name, tuple(pools), options.epochs, steps, options.seed, self.is_colour_class, validation
        )

    def _renders(self, head: LinearHead) -> tuple[TorchClassifier, list[PictureSet]]:
        """The network after the renders, trained once."""
        model = self._model(head)
        stored = self.checkpoint.finished.get("renders")
        stage = self._stage("renders", [(self.pool(self.renders), BATCH)], self.pool(self.val))
        if stored is None:
            history = tune(model, stage, self.checkpoint, self.progress)
            stored = {"model": model.state_dict(), "history": history}
            self.checkpoint.finish("renders", stored)
        model.load_state_dict(stored["model"])
        self.history["renders"] = stored["history"]
        return model, [self.renders]

    def _both(
        self, name: str, head: LinearHead, photos: PictureSet
    ) -> tuple[TorchClassifier, list[PictureSet]]:
        """After the renders, renders and photos."""
        model, _ = self._renders(head)
        share = PHOTO_SHARE if self.options.photo_share is None else self.options.photo_share
        count = min(BATCH - 1, max(1, round(share * BATCH)))
        pools = [(self.pool(self.renders), BATCH - count), (self.pool(photos), count)]
        self.history[name] = tune(model, self._stage(name, pools), self.checkpoint, self.progress)
        return model, [self.renders, photos]

    def _alone(self, name: str, photos: PictureSet) -> tuple[TorchClassifier, list[PictureSet]]:
        model = self._model(fitted(Material(photos, photos.at([])), self.options.seed).head)
        stage = self._stage(name, [(self.pool(photos), BATCH)])
        self.history[name] = tune(model, stage, self.checkpoint, self.progress)
        return model, [photos]

    def _naive(self) -> tuple[TorchClassifier, list[PictureSet]]:
        """Everything at once: photos are as rare among the pictures as they are, and the head starts at 0."""
        used = [self.renders] + ([] if self.material.photos is None else [self.material.photos])
        width = self.renders.features.shape[1]
        model = self._model(LinearHead(np.zeros((width, self.classes)), np.zeros(self.classes)))
        pools = [self.pool(one) for one in used]
        mixed = Pool(*(torch.cat([getattr(one, part) for one in pools]) for part in ("images", "labels")))
        stage = self._stage("naive", [(mixed, BATCH)], self.pool(self.val))
        self.history["naive"] = tune(model, stage, self.checkpoint, self.progress)
        return model, used

    def _folds(self, photos: PictureSet) -> int:
        """How many parts of the photos are left out in turn; 0 if a class has a single one."""
        counts = np.bincount(photos.labels, minlength=self.classes)
        fewest = int(counts[counts > 0].min())
        return min(FOLDS, fewest) if fewest > 1 and not self.options.is_naive else 0

    def _chosen(
        self, photos: PictureSet, head: LinearHead, count: int
    ) -> tuple[str, LeftOut | None, dict[str, Any], list[str]]:
        """Which training is the best on photos that were left out, what it gave there, and notes."""
        if not count:
            return BOTH, None, {}, ["a class has a single real photo: too few to compare with photos alone"]
        tried = {
            ALONE: self._left_out(ALONE, photos, count, self._alone),
            BOTH: self._left_out(BOTH, photos, count, lambda name, own: self._both(name, head, own)),
        }
        facts = {name: one.facts() for name, one in tried.items()}
        frozen = self.fit.chosen.best
        facts[FROZEN] = {"accuracy": frozen.accuracy.facts(), "log_loss": frozen.log_loss}
        best = min(facts, key=lambda name: float(facts[name]["log_loss"]))
        kind = best if self.options.photo_share is None else BOTH
        return kind, tried.get(kind), facts, [comparison(kind, best, facts)]

    def _left_out(
        self, name: str, photos: PictureSet, count: int,
        train: Callable[[str, PictureSet], tuple[TorchClassifier, list[PictureSet]]],
    ) -> LeftOut:  # fmt: skip
        number = folds(photos.labels, photos.groups, count, self.options.seed)
        scores, familiarity = np.zeros((len(photos), self.classes)), np.zeros(len(photos))
        for fold in range(count):
            own, outside = f"{name} {fold + 1} of {count}", np.flatnonzero(number == fold)
            stored = self.checkpoint.finished.get(own)
            inside = photos.at(np.flatnonzero(number != fold))
            if stored is None:
                model, trained = train(own, inside)
                features, result = outputs(model, self.pool(photos).at(outside).images)
                values = self._plane(model, trained).familiarity(features)
                stored = {
                    "scores": torch.from_numpy(result), "familiarity": torch.from_numpy(values),
                    "history": self.history[own],
                }  # fmt: skip
                self.checkpoint.finish(own, stored)
            self.history[own] = stored["history"]
            scores[outside] = stored["scores"].numpy()
            familiarity[outside] = stored["familiarity"].numpy()
        return LeftOut(scores, photos.labels, familiarity)

    def _plane(self, model: TorchClassifier, trained: Sequence[PictureSet]) -> Plane:
        return plane(np.concatenate([outputs(model, self.pool(one).images)[0] for one in trained]))

    def _result(
        self, kind: str, model: TorchClassifier, trained: Sequence[PictureSet], photos: LeftOut | None,
        compared: dict[str, Any], notes: list[str],
    ) -> Tuned:  # fmt: skip
        """photos: that were left out in turn"""
        own, unlabelled = self._plane(model, trained), self._features(model, self.material.unlabelled)
        features, scores = outputs(model, self.pool(self.val).images)
        val = LeftOut(scores, self.val.labels, own.familiarity(features))
        head = replace(model.linear_head(), temperature=(photos or val).temperature)
        if kind == RENDERS and unlabelled is not None:
            head = self._aligned_head(model, unlabelled)
            notes = [*notes, "renders got the feature mean and spread of the unlabelled photos"]
        if photos is None and unlabelled is not None:
            values, known = own.familiarity(unlabelled), "photos without labels"
        else:
            values = (photos or val).familiarity
            known = "renders that were left out" if photos is None else "photos left out in turn"
        unknown = self._features(model, self.material.unknown)
        others = None if unknown is None else own.familiarity(unknown)
        are_photos = photos is not None or unlabelled is not None
        result = open_set(own, values, known, are_photos, others)
        share = accuracy(head.scores(features), self.val.labels)
        return Tuned(head, _graph(model, self.backbone), result, self._facts(kind, compared), notes, share)

    def _features(self, model: TorchClassifier, pictures: PictureSet | None) -> AnyArray | None:
        if pictures is None or not len(pictures):
            return None
        return outputs(model, self.pool(pictures).images)[0]

    def _aligned_head(self, model: TorchClassifier, unlabelled: AnyArray) -> LinearHead:
        """Fitted again, to features of the trained network that have the mean and spread of the photos."""
        renders = replace(self.renders, features=outputs(model, self.pool(self.renders).images)[0])
        photos = renders.at([])
        photos = replace(photos, features=unlabelled)
        return fitted(Material(renders, renders.at([]), None, photos), self.options.seed).head

    def _facts(self, kind: str, compared: dict[str, Any]) -> dict[str, Any]:
        return {
            "chosen": kind, "epochs": self.options.epochs, "batch": BATCH, "rate": RATE,
            "keeps_colours": self.is_colour_class, "device": str(device()),
            "renders_left_out": len(self.val), "cross_validation": compared or None,
            "history": self.history,
        }  # fmt: skip


def _graph(model: TorchClassifier, backbone: Backbone) -> bytes:
    _, pads_like_tensorflow = backbone_blocks(backbone)
    made = feature_model(model.network.trained(), pads_like_tensorflow, backbone.name)
    return bytes(made.SerializeToString())
