"""Full training: a detector on renders, then on renders and photos, and what that gives.

In: the pictures of a training and the backbone. Out: Trained. With photos, half of each batch are photos,
however few there are. That is compared with photos alone on a third of the photos that both were not trained
on; the better way is then used for all photos.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import torch

from blendgen import __version__
from blendgen.detection.average_precision import AveragePrecision, average_precision, best_threshold
from blendgen.detection.boxed_picture import BoxedPicture
from blendgen.detection.detector import Boxes, detector_of
from blendgen.detection.detector_loss import Target
from blendgen.detection.graph import detector_model
from blendgen.detection.square import Square
from blendgen.detection.torch_detector import TorchDetector, new_layers
from blendgen.detection.tuning import BATCH, HEAD_RATE, RATE, Pool, Stage, Validate, tune
from blendgen.geometry.arrays import AnyArray
from blendgen.learn.backbones import Backbone, backbone_blocks
from blendgen.learn.checkpoint import Checkpoint
from blendgen.learn.choice import shuffled
from blendgen.learn.pixels import fitted
from blendgen.learn.tuning import device, limited_threads
from blendgen.system.machine import cores
from blendgen.system.progress import Progress

RENDERS, ALONE, BOTH = "renders", "photos_alone", "with_renders"
PHOTO_SHARE = 0.5  # of a batch
FEWEST_COMPARED = 9  # photos, a third of which is left out
_LEAST_IMAGES = 160  # of an epoch with photos


@dataclass(frozen=True)
class Material:
    """renders: to train on; val: of other shots, or none; photos: with boxes, or None"""

    renders: Sequence[BoxedPicture]
    val: Sequence[BoxedPicture]
    photos: Sequence[BoxedPicture] | None
    classes: tuple[str, ...]
    is_colour_class: bool


@dataclass(frozen=True)
class Recipe:
    """photo_share: of a batch, None for half of it, if that is better than photos alone"""

    epochs: int
    seed: int
    photo_share: float | None


@dataclass(frozen=True)
class Trained:
    """model: ONNX; val: on renders or photos that were left out, None without; the rest as in run.json"""

    model: bytes
    threshold: float
    val: AveragePrecision | None
    facts: dict[str, Any]
    notes: list[str]


class FullTraining:
    """All stages of one training; `trained` runs them, or what a checkpoint left of them."""

    def __init__(
        self, material: Material, backbone: Backbone, recipe: Recipe, identity: Any, dest: Path,
        progress: Progress,
    ):  # fmt: skip
        self.material, self.backbone, self.recipe, self.progress = material, backbone, recipe, progress
        self.blocks, self.pads_like_tensorflow = backbone_blocks(backbone)
        self._pools: dict[int, tuple[Sequence[BoxedPicture], Pool]] = {}
        self.checkpoint = Checkpoint(dest, training_key(material, backbone, recipe, identity))
        self.history: dict[str, list[dict[str, float]]] = {}

    def trained(self) -> Trained:
        with limited_threads():
            return self._trained()

    def _trained(self) -> Trained:
        photos, val = self.material.photos, self.material.val
        if photos is None:
            model = self._renders()
            return self._result(RENDERS, model, val, None, [])
        kind, compared, notes = self._chosen(photos)
        model = self._way(kind, kind, photos)
        return self._result(kind, model, val, compared, notes)

    def _way(self, kind: str, name: str, photos: Sequence[BoxedPicture]) -> TorchDetector:
        model = self._new() if kind == ALONE else self._renders()
        return self._with_photos(model, kind, name, photos)

    def _new(self) -> TorchDetector:
        generator = torch.Generator().manual_seed(self.recipe.seed)
        layers = new_layers(self.blocks, len(self.material.classes), generator)
        return TorchDetector(layers, self.pads_like_tensorflow, self.backbone.preprocessing)

    def _renders(self) -> TorchDetector:
        """The detector after the renders, trained once."""
        model, stored = self._new(), self.checkpoint.finished.get(RENDERS)
        if stored is None:
            pool, val = self.pool(self.material.renders), self.material.val
            steps = max(1, round(len(pool) / BATCH))
            stage = self._stage(RENDERS, [(pool, BATCH)], steps, self._validation(val) if val else None)
            history = tune(model, stage, self.checkpoint, self.progress)
            stored = {"model": model.state_dict(), "history": history}
            self.checkpoint.finish(RENDERS, stored)
        model.load_state_dict(stored["model"])
        self.history[RENDERS] = stored["history"]
        return model.eval()

    def _with_photos(
        self, model: TorchDetector, kind: str, name: str, photos: Sequence[BoxedPicture]
    ) -> TorchDetector:
        stored = self.checkpoint.finished.get(name)
        if stored is None:
            share = PHOTO_SHARE if self.recipe.photo_share is None else self.recipe.photo_share
            count = min(BATCH - 1, max(1, round(share * BATCH))) if kind == BOTH else BATCH
            pools = [(self.pool(photos), count)]
            if kind == BOTH:
                pools.insert(0, (self.pool(self.material.renders), BATCH - count))
            steps = max(1, round(max(len(photos), _LEAST_IMAGES) / count))
            history = tune(model, self._stage(name, pools, steps, None), self.checkpoint, self.progress)
            stored = {"model": model.state_dict(), "history": history}
            self.checkpoint.finish(name, stored)
        model.load_state_dict(stored["model"])
        self.history[name] = stored["history"]
        return model.eval()

    def _chosen(self, photos: Sequence[BoxedPicture]) -> tuple[str, dict[str, Any] | None, list[str]]:
        """Which training is better on photos that were left out, what it gave there, and notes."""
        if len(photos) < FEWEST_COMPARED:
            return BOTH, None, [f"fewer than {FEWEST_COMPARED} photos: too few to compare with photos alone"]
        by_key = {one.key: one for one in photos}
        order = shuffled([*by_key], self.recipe.seed)
        outside = [by_key[key] for key in order[: len(order) // 3]]
        inside = [by_key[key] for key in order[len(order) // 3 :]]
        tried = {}
        for kind in (ALONE, BOTH):
            model = self._way(kind, f"{kind}, two thirds", inside)
            tried[kind] = self._measured(model, outside)[0]
        facts = {name: one.facts(self.material.classes) for name, one in tried.items()}
        best = max(tried, key=lambda name: (tried[name].ap50, name == BOTH))
        text = (
            f"mAP50 on {len(outside)} photos left out: {100 * tried[BOTH].ap50:.1f} % with renders, "
            f"{100 * tried[ALONE].ap50:.1f} % on photos alone"
        )
        if self.recipe.photo_share is not None and best == ALONE:
            return BOTH, facts, [f"with this --ratio, renders make it worse: {text}"]
        verdict = "renders help" if best == BOTH else "renders do not help here and were left out"
        return best, facts, [f"{verdict}: {text}"]

    def _stage(
        self, name: str, pools: list[tuple[Pool, int]], steps: int, validate: Validate | None
    ) -> Stage:
        own, classes = self.recipe, len(self.material.classes)
        return Stage(
            name, tuple(pools), own.epochs, steps, own.seed, classes, self.material.is_colour_class, validate
        )

    def pool(self, pictures: Sequence[BoxedPicture]) -> Pool:
        """Pixels and boxes of pictures in the square, read once."""
        if id(pictures) not in self._pools:
            side = self.backbone.preprocessing.side_px

            def square(picture: BoxedPicture) -> AnyArray:
                return fitted(picture.read(), side)

            with ThreadPoolExecutor(cores()) as readers:
                images = np.stack([*readers.map(square, pictures)]).transpose(0, 3, 1, 2).copy()
            pool = Pool(torch.from_numpy(images), tuple(_target(one, side) for one in pictures))
            self._pools[id(pictures)] = pictures, pool
        return self._pools[id(pictures)][1]

    def _validation(self, pictures: Sequence[BoxedPicture]) -> Validate:
        def validate(model: TorchDetector) -> dict[str, float]:
            own, _ = self._measured(model, pictures)
            return {"left_out_map50": own.ap50, "left_out_map50_95": own.ap50_95}

        return validate

    def _measured(
        self, model: TorchDetector, pictures: Sequence[BoxedPicture]
    ) -> tuple[AveragePrecision, float]:
        """AP, and the threshold with the largest F1, as onnxruntime computes them."""
        detector = detector_of(self._onnx(model, 0.5))
        mean, spread = (
            np.reshape(one, (3, 1, 1)) for one in (detector.preprocessing.mean, detector.preprocessing.spread)
        )
        detections: list[Boxes] = []
        for image, own in zip(self.pool(pictures).images.numpy(), pictures, strict=True):
            given = ((image - mean) / spread).astype(np.float32)
            detections.append(detector.boxes_of(given, own.size_px))
        classes = len(self.material.classes)
        return average_precision(pictures, detections, classes), best_threshold(pictures, detections, classes)

    def _onnx(self, model: TorchDetector, threshold: float) -> bytes:
        return detector_model(
            model.trained(), self.pads_like_tensorflow, self.backbone.preprocessing, self.material.classes,
            {"threshold": threshold},
        )  # fmt: skip

    def _result(
        self, kind: str, model: TorchDetector, val: Sequence[BoxedPicture], compared: dict[str, Any] | None,
        notes: list[str],
    ) -> Trained:  # fmt: skip
        measured, threshold = self._measured(model, val) if val else (None, 0.5)
        facts = {
            "chosen": kind, "epochs": self.recipe.epochs, "batch": BATCH, "rate": RATE,
            "head_rate": HEAD_RATE, "keeps_colours": self.material.is_colour_class, "device": str(device()),
            "renders_left_out": len(val), "compared": compared, "history": self.history,
        }  # fmt: skip
        return Trained(self._onnx(model, threshold), threshold, measured, facts, notes)


def _target(picture: BoxedPicture, side_px: int) -> Target:
    boxes = Square(picture.size_px, side_px).into(picture.boxes)
    return Target(
        torch.from_numpy(boxes).float(),
        torch.from_numpy(picture.labels),
        torch.from_numpy(picture.is_ignored),
    )


def training_key(material: Material, backbone: Backbone, recipe: Recipe, identity: Any) -> str:
    """Of everything that the numbers follow from."""
    sets = (material.renders, material.val, material.photos)
    pictures = [
        None if one is None else [
            (p.key, p.boxes.tolist(), p.labels.tolist(), p.is_ignored.tolist()) for p in one
        ]
        for one in sets
    ]  # fmt: skip
    own = [recipe.epochs, recipe.seed, recipe.photo_share, material.classes]
    facts = ["detect", __version__, metadata.version("torch"), backbone.digest, identity, own, pictures]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()
