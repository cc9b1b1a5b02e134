"""Train: a detector from a finished data set, and from real photos with boxes where there are some.

In: a Dataset and Options. Out: a DetectorRun on disk.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from blendgen import __version__
from blendgen.dataset.dataset import Dataset
from blendgen.dataset.object_limits import ObjectLimits
from blendgen.detection.boxed_picture import BoxedPicture, count_facts, dataset_pictures
from blendgen.detection.coco_photos import boxed_photos
from blendgen.detection.run import DetectorRun, write_detector_run
from blendgen.detection.run_page import run_page
from blendgen.learn.backbones import load_backbone, require_learn_extra
from blendgen.learn.choice import shuffled
from blendgen.learn.pixels import statement
from blendgen.learn.run_folder import DETECT, KIND, SCHEMA_VERSION, TASK, refuse_others_folder
from blendgen.learn.train import TRAIN, VAL
from blendgen.learn.training_material import is_colour_class
from blendgen.system.progress import Progress

EPOCHS, SIDE_PX = 20, 320
MIN_VISIBLE, MIN_AREA = 0.1, 25.0
_LEFT_OUT = 10  # one of so many shots, where the data set has no split val
_RENDERS_ALONE = "trained on renders alone: measure it on photos with `blendgen evaluate`"


@dataclass(frozen=True)
class Options:
    """real: COCO file or folder of photos with boxes; photo_share: of a batch, None: chosen

    limits: objects beyond them are not trained on, and are not background either
    """

    backbone: str
    real: Path | None
    photo_share: float | None
    seed: int
    side_px: int
    epochs: int
    limits: ObjectLimits


def train_detector(dataset: Dataset, dest: Path, options: Options, progress: Progress) -> DetectorRun:
    """raises: UsageError, DatasetError, SetupError"""
    began = time.monotonic()
    refuse_others_folder(dest)
    require_learn_extra()
    from blendgen.detection.full_training import FullTraining, Material, Recipe

    left_out: list[str] = []
    backbone = load_backbone(options.backbone, options.side_px)
    renders, val = _divided(dataset, options)
    photos = None
    if options.real is not None:
        photos = boxed_photos(options.real, dataset.classes, (TRAIN,), left_out)
    material = Material(renders, val, photos, dataset.classes, is_colour_class(dataset))
    recipe = Recipe(options.epochs, options.seed, options.photo_share)
    made = FullTraining(material, backbone, recipe, dataset.source.identity, dest, progress).trained()
    alone = [] if photos is not None else [_RENDERS_ALONE]
    record = {
        "kind": KIND, "schema_version": SCHEMA_VERSION, TASK: DETECT, "blendgen": __version__,
        "classes": [*dataset.classes], "threshold": made.threshold, "seed": options.seed,
        "backbone": backbone.facts(), "preprocessing": statement(backbone.preprocessing),
        "dataset": _dataset_facts(dataset, renders, options),
        "photos": _photo_facts(options.real, photos, dataset),
        "tuning": made.facts,
        "metrics": {"val_renders": None if made.val is None else made.val.facts(dataset.classes)},
        "notes": [*alone, *made.notes, *_missing(renders, dataset), *left_out],
        "versions": {name: metadata.version(name) for name in ("numpy", "onnx", "onnxruntime", "torch")},
        "seconds": time.monotonic() - began,
    }  # fmt: skip
    return write_detector_run(dest, record, made.model, run_page(record))


def _divided(dataset: Dataset, options: Options) -> tuple[list[BoxedPicture], list[BoxedPicture]]:
    """Renders to train on, and renders of other shots to test on."""
    pictures = dataset_pictures(dataset, (TRAIN,), options.limits)
    if VAL in dataset.splits:
        return pictures, dataset_pictures(dataset, (VAL,), options.limits)
    groups = shuffled({one.group for one in pictures}, options.seed)
    outside = {*groups[: len(groups) // _LEFT_OUT]}
    inside = [one for one in pictures if one.group not in outside]
    return inside, [one for one in pictures if one.group in outside]


def _dataset_facts(dataset: Dataset, renders: list[BoxedPicture], options: Options) -> dict[str, Any]:
    facts = count_facts(renders, dataset.classes)
    return {
        "folder": str(dataset.folder.resolve()), "name": dataset.source.name, **dataset.source.identity,
        "renders": facts.pop("count"), **facts, **asdict(options.limits),
    }  # fmt: skip


def _photo_facts(
    place: Path | None, photos: list[BoxedPicture] | None, dataset: Dataset
) -> dict[str, Any] | None:
    if photos is None:
        return None
    keys = sorted(one.key for one in photos)
    return {"folder": str(place), **count_facts(photos, dataset.classes), "sha256": keys}


def _missing(renders: list[BoxedPicture], dataset: Dataset) -> list[str]:
    per_class = count_facts(renders, dataset.classes)["per_class"]
    return [f"no box of {label} to train on" for label, count in per_class.items() if not count]
