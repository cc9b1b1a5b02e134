"""Train: a classifier from a finished data set, and from real photos where there are some.

In: a Dataset and Options. Out: a Run on disk. Pictures go through the backbone once; the head is then chosen
and fitted in closed form, and full_training.py goes on with all layers. Everything that was tried, and what
it gave, is in the run's record.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from blendgen import __version__
from blendgen.dataset.dataset import Dataset
from blendgen.errors import DatasetError
from blendgen.geometry.arrays import AnyArray
from blendgen.learn.backbones import DEFAULT_BACKBONE, Backbone, load_backbone, require_learn_extra
from blendgen.learn.choice import Chosen, Tried, chosen_for_photos, chosen_for_renders, ridge_of
from blendgen.learn.classifier_model import classifier_model
from blendgen.learn.features import computed_features
from blendgen.learn.head import LinearHead
from blendgen.learn.measures import Share, accuracy
from blendgen.learn.open_set import OpenSet
from blendgen.learn.photo_sets import labelled_photos, unlabelled_photos
from blendgen.learn.pictures import PictureSet, dataset_pictures
from blendgen.learn.pixels import statement
from blendgen.learn.rejection import fitted_open_set
from blendgen.learn.run_folder import KIND, SCHEMA_VERSION, Run, refuse_others_folder, write_run
from blendgen.learn.run_page import run_page
from blendgen.system.progress import Progress

TRAIN, VAL = "train", "val"
FEWEST_CLASSES = 2
EPOCHS = 5
_RENDERS_ALONE = "trained on renders alone: measure it on photos with `blendgen evaluate`"


@dataclass(frozen=True)
class Options:
    """real: folder of labelled photos; unlabelled: folder of others; unknown: pictures of none of the classes

    photo_share: of all weight, that of photos; None: chosen by cross-validation
    side_px: of the network's pictures, None for that of its first training; is_naive: see docs/learning.md
    guesses_labels: all layers are trained on unlabelled photos too, with labels that the network guesses
    """

    backbone: str = DEFAULT_BACKBONE
    real: Path | None = None
    unlabelled: Path | None = None
    unknown: Path | None = None
    photo_share: float | None = None
    seed: int = 0
    side_px: int | None = None
    is_head_only: bool = True
    epochs: int = EPOCHS
    is_naive: bool = False
    guesses_labels: bool = False


@dataclass(frozen=True)
class Material:
    """What a head is made of; val: renders that it is not trained on, perhaps none.

    unlabelled: photos without labels; unknown: pictures of none of the classes
    """

    renders: PictureSet
    val: PictureSet
    photos: PictureSet | None = None
    unlabelled: PictureSet | None = None
    unknown: PictureSet | None = None
    left_out: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Fitted:
    """A head, and how it was chosen."""

    head: LinearHead
    chosen: Chosen


@dataclass(frozen=True)
class Made:
    """What a training leaves; graph: ONNX, from image to features; val: accuracy on renders of the split val

    recipe: of the head; tuning: of all layers; None for what was not done
    """

    head: LinearHead
    graph: bytes
    open_set: OpenSet
    recipe: dict[str, Any] | None
    tuning: dict[str, Any] | None
    val: Share | None
    notes: list[str]


def train(dataset: Dataset, dest: Path, options: Options, progress: Progress) -> Run:
    """raises: UsageError, DatasetError, SetupError"""
    began = time.monotonic()
    refuse_others_folder(dest)
    _refuse_few_classes(dataset)
    if not options.is_head_only:
        require_learn_extra()
    backbone = load_backbone(options.backbone, options.side_px)
    material = gathered(dataset, backbone, options, progress)
    fit = fitted(material, options.seed, options.photo_share)
    made = _with_head(backbone, material, fit, options.seed)
    if not options.is_head_only:
        made = _with_all_layers(dataset, backbone, material, fit, made, options, dest, progress)
    record = {
        "kind": KIND, "schema_version": SCHEMA_VERSION, "blendgen": __version__,
        "classes": [*dataset.classes], "recipe": made.recipe, "seed": options.seed,
        "backbone": backbone.facts(), "preprocessing": statement(backbone.preprocessing),
        "dataset": {"folder": str(dataset.folder.resolve()), "name": dataset.source.name,
                    **dataset.source.identity, "renders": len(material.renders)},
        "photos": _photo_facts(options.real, material.photos),
        "unlabelled": _folder_facts(options.unlabelled, material.unlabelled),
        "unknown": _folder_facts(options.unknown, material.unknown), "open_set": made.open_set.facts(),
        "tuning": made.tuning, "metrics": _metrics(fit, made, material),
        "notes": [*made.notes, *_open_set_notes(made.open_set), *material.left_out],
        "versions": _versions(made), "seconds": time.monotonic() - began,
    }  # fmt: skip
    model = classifier_model(made.graph, backbone.preprocessing, made.head, dataset.classes, made.open_set)
    return write_run(dest, record, made.head, model, run_page(record))


def _with_head(backbone: Backbone, material: Material, fit: Fitted, seed: int) -> Made:
    """A linear head on the frozen backbone."""
    rejecting = fitted_open_set(
        fit.chosen, material.renders, material.photos, _features(material.unlabelled),
        _features(material.unknown), seed,
    )  # fmt: skip
    val = None
    if len(material.val):
        val = accuracy(fit.head.probabilities(material.val.features), material.val.labels)
    recipe, notes = asdict(fit.chosen.best.recipe), _notes(fit, material)
    return Made(fit.head, backbone.path.read_bytes(), rejecting, recipe, None, val, notes)


def _with_all_layers(
    dataset: Dataset, backbone: Backbone, material: Material, fit: Fitted, frozen: Made, options: Options,
    dest: Path, progress: Progress,
) -> Made:  # fmt: skip
    """The network trained; frozen: what is there without, which stays where it is better on photos."""
    from blendgen.learn.full_training import FullTraining

    tuned = FullTraining(dataset, backbone, material, fit, options, dest, progress).tuned()
    if tuned.graph is None or tuned.open_set is None:
        return replace(frozen, tuning=tuned.facts, notes=[*tuned.notes, *frozen.notes])
    notes = [*tuned.notes, *_missing_classes(material.photos)]
    if material.photos is None:
        notes.insert(0, _RENDERS_ALONE)
    return Made(tuned.head, tuned.graph, tuned.open_set, None, tuned.facts, tuned.val, notes)


def gathered(dataset: Dataset, backbone: Backbone, options: Options, progress: Progress) -> Material:
    """All pictures, with features."""
    left_out: list[str] = []
    renders = dataset_features(dataset, (TRAIN,), backbone, progress)
    val = dataset_features(dataset, (VAL,), backbone, progress) if VAL in dataset.splits else renders.at([])
    photos = None
    if options.real is not None:
        pictures = labelled_photos(options.real, dataset.classes, (TRAIN,), left_out)
        photos = computed_features(pictures, dataset.classes, backbone, progress, left_out)
        if not len(photos):
            raise DatasetError(f"{options.real}: no photo can be read: {left_out[0]}")
    unlabelled, unknown = (
        None
        if folder is None
        else computed_features(
            unlabelled_photos(folder, left_out), dataset.classes, backbone, progress, left_out
        )
        for folder in (options.unlabelled, options.unknown)
    )
    return Material(renders, val, photos, unlabelled, unknown, left_out)


def dataset_features(
    dataset: Dataset, splits: Sequence[str], backbone: Backbone, progress: Progress
) -> PictureSet:
    """Of the images of these splits; of all images if the data set has none of them."""
    own = [split for split in splits if split in dataset.splits]
    chosen = dataset.filter(split=own) if own else dataset
    return computed_features(dataset_pictures(chosen), dataset.classes, backbone, progress, [])


def fitted(material: Material, seed: int, photo_share: float | None = None) -> Fitted:
    """The head that cross-validation chooses, trained on everything."""
    renders, photos, unlabelled = material.renders, material.photos, _features(material.unlabelled)
    if photos is None:
        chosen = chosen_for_renders(renders, unlabelled, seed)
    else:
        chosen = chosen_for_photos(renders, photos, unlabelled, seed, photo_share)
    recipe = chosen.best.recipe
    ridge = ridge_of(renders, photos, unlabelled, recipe.photo_share, recipe.is_aligned)
    return Fitted(replace(ridge.head(recipe.strength), temperature=chosen.best.temperature), chosen)


def _features(pictures: PictureSet | None) -> AnyArray | None:
    return None if pictures is None else pictures.features


def _refuse_few_classes(dataset: Dataset) -> None:
    if len(dataset.classes) < FEWEST_CLASSES:
        raise DatasetError(
            f"{dataset.folder}: has a single class, {dataset.classes[0]!r}; a classifier needs at least two "
            "(products[].label in the spec)"
        )


def _versions(made: Made) -> dict[str, str]:
    names = ["numpy", "onnx", "onnxruntime", "scipy"] + (["torch"] if made.tuning is not None else [])
    return {name: metadata.version(name) for name in names}


def _metrics(fit: Fitted, made: Made, material: Material) -> dict[str, Any]:
    on = "photos" if material.photos is not None else "renders"
    tried = {"chosen": fit.chosen.best, "photos_alone": fit.chosen.alone, "with_renders": fit.chosen.mixed}
    return {
        "cross_validation": {
            "on": on, **{name: one and _tried_facts(one) for name, one in tried.items()}
        },
        "val_renders": None if made.val is None else made.val.facts(),
        "temperature": made.head.temperature,
    }  # fmt: skip


def _tried_facts(tried: Tried) -> dict[str, Any]:
    return {
        **asdict(tried.recipe),
        "log_loss": tried.log_loss,
        "accuracy": tried.accuracy.facts(),
        "temperature": tried.temperature,
    }


def _notes(fit: Fitted, material: Material) -> list[str]:
    """What a user must know of the choice."""
    alone, mixed, best = fit.chosen.alone, fit.chosen.mixed, fit.chosen.best
    if material.photos is None:
        notes = [_RENDERS_ALONE]
        if best.recipe.is_aligned:
            notes.append("renders got the feature mean and spread of the unlabelled photos")
        return notes
    notes = _missing_classes(material.photos)
    if alone is None or mixed is None:
        return [*notes, "a class has a single real photo: too few to choose the weight of the photos"]
    compared = f"{mixed.accuracy} with renders, {alone.accuracy} without, on photos left out in turn"
    if best is alone:
        return [*notes, f"renders do not help here and were left out: {compared}"]
    if mixed.log_loss >= alone.log_loss:
        losses = f"log loss {mixed.log_loss:.3f} with renders, {alone.log_loss:.3f} without"
        return [
            *notes,
            f"with this --ratio, renders make it worse than real photos alone: {losses}; {compared}",
        ]
    return [*notes, f"renders help: {compared}"]


def _missing_classes(photos: PictureSet | None) -> list[str]:
    if photos is None:
        return []
    missing = set(range(len(photos.classes))) - {*photos.labels.tolist()}
    return [f"no real photos of {photos.classes[label]}" for label in sorted(missing)]


def _open_set_notes(rejecting: OpenSet) -> list[str]:
    if rejecting.threshold is not None:
        return []
    return [
        "nothing is rejected as unknown: renders alone do not say how familiar photos look; give photos of "
        "the place (unlabelled, --unlabelled) or pictures of other things (unknown, --unknown)"
    ]


def _photo_facts(folder: Path | None, photos: PictureSet | None) -> dict[str, Any] | None:
    if photos is None:
        return None
    counts = np.bincount(photos.labels, minlength=len(photos.classes))
    per_class = {label: int(count) for label, count in zip(photos.classes, counts, strict=True)}
    return {"folder": str(folder), "count": len(photos), "per_class": per_class, "sha256": _keys(photos)}


def _folder_facts(folder: Path | None, pictures: PictureSet | None) -> dict[str, Any] | None:
    if pictures is None:
        return None
    return {"folder": str(folder), "count": len(pictures), "sha256": _keys(pictures)}


def _keys(pictures: PictureSet) -> list[str]:
    return sorted(picture.key for picture in pictures.pictures)
