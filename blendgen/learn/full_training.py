"""Full training: all layers, first on renders and then on renders and photos, and what that gives.

In: the pictures of a training, a head that fits them, and the backbone. Out: Tuned. With photos, training on
renders and photos is compared with photos alone and with the frozen backbone, on photos that were left out in
turn; the best is taken.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from blendgen.dataset.dataset import Dataset
from blendgen.geometry.arrays import AnyArray
from blendgen.learn.backbones import Backbone
from blendgen.learn.choice import folds
from blendgen.learn.head import LinearHead
from blendgen.learn.left_out import ALONE, BOTH, LeftOut, comparison
from blendgen.learn.measures import Share, accuracy
from blendgen.learn.open_set import OpenSet, Plane, open_set, plane
from blendgen.learn.pictures import PictureSet
from blendgen.learn.run_folder import FROZEN
from blendgen.learn.torch_network import TorchClassifier
from blendgen.learn.train import Fitted, Material, Options
from blendgen.learn.training_stages import GUESSED, NAIVE, RENDERS, Stages, Trained
from blendgen.learn.tuning import BATCH, RATE, device, limited_threads, outputs
from blendgen.system.progress import Progress

FOLDS = 3


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
        self._material, self._fit, self._options = material, fit, options
        self._classes = len(dataset.classes)
        self._stages = Stages(dataset, backbone, material, options, dest, progress)

    def tuned(self) -> Tuned:
        with limited_threads():
            return self._tuned()

    def _tuned(self) -> Tuned:
        photos = self._material.photos
        if self._options.is_naive:
            return self._result(NAIVE, *self._stages.naive(photos), None, {}, [])
        if photos is None:
            return self._without_labels()
        kind, left_out, facts, notes = self._chosen(photos)
        if kind == FROZEN:
            return Tuned(self._fit.head, None, None, self._facts(kind, facts), notes, None)
        if kind == ALONE:
            model, trained = self._stages.on_photos_alone("final", photos)
        else:
            model, trained = self._stages.with_photos("final", photos)
        return self._result(kind, model, trained, left_out, facts, notes)

    def _without_labels(self) -> Tuned:
        model, trained = self._stages.after_renders()
        unlabelled = self._material.unlabelled
        if unlabelled is None or not self._options.guesses_labels:
            return self._result(RENDERS, model, trained, None, {}, [])
        model, count = self._stages.after_guesses(unlabelled)
        note = (
            f"{count} of {len(unlabelled)} photos without labels were trained on with the class that the "
            "network took them for: test that with labelled photos"
        )
        return self._result(GUESSED, model, trained, None, {}, [note])

    def _folds(self, photos: PictureSet) -> int:
        """How many parts of the photos are left out in turn; 0 if a class has a single one."""
        counts = np.bincount(photos.labels, minlength=self._classes)
        fewest = int(counts[counts > 0].min())
        return min(FOLDS, fewest) if fewest > 1 else 0

    def _chosen(self, photos: PictureSet) -> tuple[str, LeftOut | None, dict[str, Any], list[str]]:
        """Which training is the best on photos that were left out, what it gave there, and notes."""
        count, stages = self._folds(photos), self._stages
        if not count:
            return BOTH, None, {}, ["a class has a single real photo: too few to compare with photos alone"]
        tried = {
            ALONE: self._left_out(ALONE, photos, count, stages.on_photos_alone),
            BOTH: self._left_out(BOTH, photos, count, stages.with_photos),
        }
        facts = {name: one.facts() for name, one in tried.items()}
        frozen = self._fit.chosen.best
        facts[FROZEN] = {"accuracy": frozen.accuracy.facts(), "log_loss": frozen.log_loss}
        best = min(facts, key=lambda name: float(facts[name]["log_loss"]))
        kind = best if self._options.photo_share is None else BOTH
        return kind, tried.get(kind), facts, [comparison(kind, best, facts)]

    def _left_out(
        self, name: str, photos: PictureSet, count: int, train: Callable[[str, PictureSet], Trained]
    ) -> LeftOut:
        stages = self._stages
        number = folds(photos.labels, photos.groups, count, self._options.seed)
        scores, familiarity = np.zeros((len(photos), self._classes)), np.zeros(len(photos))
        for fold in range(count):
            own, outside = f"{name} {fold + 1} of {count}", np.flatnonzero(number == fold)
            stored = stages.checkpoint.finished.get(own)
            inside = photos.at(np.flatnonzero(number != fold))
            if stored is None:
                model, trained = train(own, inside)
                features, result = outputs(model, stages.pool(photos).at(outside).images)
                values = self._plane(model, trained).familiarity(features)
                stored = {
                    "scores": torch.from_numpy(result), "familiarity": torch.from_numpy(values),
                    "history": stages.history[own],
                }  # fmt: skip
                stages.checkpoint.finish(own, stored)
            stages.history[own] = stored["history"]
            scores[outside] = stored["scores"].numpy()
            familiarity[outside] = stored["familiarity"].numpy()
        return LeftOut(scores, photos.labels, familiarity)

    def _plane(self, model: TorchClassifier, trained: Sequence[PictureSet]) -> Plane:
        return plane(np.concatenate([self._stages.features(model, one) for one in trained]))

    def _result(
        self, kind: str, model: TorchClassifier, trained: Sequence[PictureSet], photos: LeftOut | None,
        compared: dict[str, Any], notes: list[str],
    ) -> Tuned:  # fmt: skip
        """photos: that were left out in turn"""
        own, unlabelled = self._plane(model, trained), self._features(model, self._material.unlabelled)
        rest = self._stages.val
        features, scores = outputs(model, self._stages.pool(rest).images)
        val = LeftOut(scores, rest.labels, own.familiarity(features))
        head = replace(model.linear_head(), temperature=(photos or val).temperature)
        if kind == RENDERS and unlabelled is not None:
            head = self._stages.aligned_head(model, unlabelled)
            notes = [*notes, "renders got the feature mean and spread of the unlabelled photos"]
        if photos is None and unlabelled is not None:
            values, known = own.familiarity(unlabelled), "photos without labels"
        else:
            values = (photos or val).familiarity
            known = "renders that were left out" if photos is None else "photos left out in turn"
        unknown = self._features(model, self._material.unknown)
        others = None if unknown is None else own.familiarity(unknown)
        are_photos = photos is not None or unlabelled is not None
        result = open_set(own, values, known, are_photos, others)
        share = accuracy(head.scores(features), rest.labels)
        return Tuned(head, self._stages.graph(model), result, self._facts(kind, compared), notes, share)

    def _features(self, model: TorchClassifier, pictures: PictureSet | None) -> AnyArray | None:
        return self._stages.features(model, pictures) if pictures is not None and len(pictures) else None

    def _facts(self, kind: str, compared: dict[str, Any]) -> dict[str, Any]:
        return {
            "chosen": kind, "epochs": self._options.epochs, "batch": BATCH, "rate": RATE,
            "keeps_colours": self._stages.is_colour_class, "device": str(device()),
            "renders_left_out": len(self._stages.val), "cross_validation": compared or None,
            "history": self._stages.history,
        }  # fmt: skip
