"""Select: which images of a spec are worth rendering, judged by drafts of many more.

In: a Run, a spec, perhaps photos. Out: the numbers of images in a file for `generate --index @FILE`, with the
score of each candidate in a JSON file next to it. A score is the entropy of the answer of the run, so that
what it is least sure of is rendered; or how near a draft is to photos by features. Each class gets its share,
and all images of a shot are chosen together.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from blendgen import __version__
from blendgen.dataset.report_files import REPORT_MARK, is_report_file
from blendgen.engine.blender.importing.inventory import measured_inventory
from blendgen.errors import DatasetError, UsageError
from blendgen.experiments.classifier import label_numbers, probabilities
from blendgen.experiments.drafts import DraftOptions, draft_spec, drafts
from blendgen.files.folder import Folder
from blendgen.files.json_bytes import json_bytes
from blendgen.geometry.arrays import AnyArray
from blendgen.learn.features import computed_features
from blendgen.learn.photo_sets import unlabelled_photos
from blendgen.learn.pictures import Picture, dataset_pictures
from blendgen.learn.run_folder import Run
from blendgen.learn.run_network import network_of
from blendgen.scene.row import Row
from blendgen.spec.load import load_spec
from blendgen.spec.model import Spec
from blendgen.system.progress import Progress

KIND, SCHEMA_VERSION = f"{REPORT_MARK.decode()}: selection", 1
CANDIDATES = 4  # for each image that is wanted
_TRAIN = "train"
_NEIGHBOURS = 3
_HEAD = f"# {REPORT_MARK.decode()}: images chosen by blendgen select; for blendgen generate --index @FILE\n"


@dataclass(frozen=True)
class SelectOptions:
    """images: to choose; candidates: the first ones of the spec, None for four times as many

    photos: folder of photos, whose nearest candidates are chosen; None: those with the largest entropy
    """

    images: int
    candidates: int | None = None
    photos: Path | None = None
    drafts: DraftOptions = field(default_factory=DraftOptions)


@dataclass(frozen=True)
class Selection:
    """indices: chosen, ascending; file: that holds them; numbers: JSON; facts: what is in it"""

    indices: tuple[int, ...]
    file: Path
    numbers: Path
    facts: dict[str, Any]


@dataclass(frozen=True)
class Candidate:
    """A shot; score: the larger, the sooner it is chosen"""

    images: tuple[int, ...]
    label: str
    score: float


def select(run: Run, place: Path, dest: Path, options: SelectOptions, progress: Progress) -> Selection:
    """place: of the spec; raises: UsageError, SpecError, DatasetError, SetupError"""
    _refuse_others(dest)
    spec_file = load_spec(place)
    spec = spec_file.spec
    count = _candidates(spec, options)
    inventory = measured_inventory(spec_file, False)
    label_numbers(run, inventory.class_table.classes, str(place))
    left_out: list[str] = []
    small = draft_spec(spec, options.drafts.side_px)
    with drafts(small, inventory, range(count), options.drafts, progress) as dataset:
        rows = [row for row in dataset.rows() if row.split == _TRAIN or _TRAIN not in dataset.splits]
        own = {row.image.name for row in rows}
        pictures = [picture for picture in dataset_pictures(dataset) if picture.name in own]
        scores = _scores(run, pictures, options.photos, left_out, progress)
    shots = candidates(rows, scores)
    chosen = chosen_shots(shots, -(-options.images // spec.exposures_per_shot))
    indices = tuple(sorted(index for shot in chosen for index in shot.images))
    if len(indices) < options.images:
        left_out.append(
            f"only {len(indices)} images are chosen: so many of the {count} candidates are of the split "
            f"{_TRAIN}; ask for more candidates"
        )
    facts = {
        "kind": KIND, "schema_version": SCHEMA_VERSION, "blendgen": __version__,
        "run": str(run.folder), "spec": str(place), "by": "entropy" if options.photos is None else "photos",
        "photos": None if options.photos is None else str(options.photos),
        "candidates": [
            {"images": [*one.images], "label": one.label, "score": one.score, "chosen": one in chosen}
            for one in shots
        ],
        "images": [*indices], "notes": left_out,
    }  # fmt: skip
    folder = Folder(dest.parent, ".blendgen-partial")
    folder.write(dest.with_suffix(".json").name, json_bytes(facts))
    folder.write(dest.name, (_HEAD + "\n".join(ranges(indices)) + "\n").encode())
    folder.remove_temporary_files()
    return Selection(indices, dest, dest.with_suffix(".json"), facts)


def candidates(rows: Sequence[Row], scores: AnyArray) -> list[Candidate]:
    """The shots of rows; the score of a shot is the mean of its images."""
    places: dict[int, list[int]] = defaultdict(list)
    for place, row in enumerate(rows):
        places[row.shot_index].append(place)
    return [
        Candidate(tuple(rows[place].index for place in own), rows[own[0]].label, float(np.mean(scores[own])))
        for own in places.values()
    ]


def chosen_shots(shots: Iterable[Candidate], count: int) -> list[Candidate]:
    """The best of each class in turn, so that classes stay balanced."""
    by_label: dict[str, list[Candidate]] = defaultdict(list)
    for shot in sorted(shots, key=lambda one: (-one.score, one.images)):
        by_label[shot.label].append(shot)
    order = sorted(
        (place, label, shot.images, shot) for label, own in by_label.items() for place, shot in enumerate(own)
    )
    return [shot for *_, shot in order[:count]]


def ranges(indices: Sequence[int]) -> list[str]:
    """Ascending numbers as ranges, such as 0-3 and 7."""
    groups = groupby(enumerate(indices), key=lambda pair: pair[1] - pair[0])
    runs = [[index for _, index in group] for _, group in groups]
    return [str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs]


def entropy(chances: AnyArray) -> AnyArray:
    """(n,) nats, of (n, classes) probabilities"""
    sure = np.maximum(np.asarray(chances, np.float64), 1e-12)
    return np.asarray(-(sure * np.log(sure)).sum(axis=1))


def nearness(drafts: AnyArray, photos: AnyArray) -> AnyArray:
    """(n,) minus the mean distance to the nearest photos; both sets have their own mean and spread taken off,
    as all drafts differ from all photos in the same way."""
    ours, theirs = (_standardised(features) for features in (drafts, photos))
    squares = (ours**2).sum(axis=1)[:, None] + (theirs**2).sum(axis=1)[None] - 2 * ours @ theirs.T
    nearest = np.sort(np.sqrt(np.maximum(squares, 0)), axis=1)[:, :_NEIGHBOURS]
    return np.asarray(-nearest.mean(axis=1))


def _standardised(features: AnyArray) -> AnyArray:
    values = np.asarray(features, np.float64)
    return np.asarray((values - values.mean(axis=0)) / np.maximum(values.std(axis=0), 1e-6))


def _scores(
    run: Run, pictures: Sequence[Picture], photos: Path | None, left_out: list[str], progress: Progress
) -> AnyArray:
    if photos is None:
        return entropy(probabilities(run, pictures, progress))
    network = network_of(run)
    wanted = computed_features(unlabelled_photos(photos, left_out), run.classes, network, progress, left_out)
    if not len(wanted):
        raise DatasetError(f"{photos}: no photo can be read: {left_out[0]}")
    own = computed_features(pictures, run.classes, network, progress, left_out)
    return nearness(own.features, wanted.features)


def _candidates(spec: Spec, options: SelectOptions) -> int:
    """Whole shots, at least as many images as are wanted."""
    if options.images < 1:
        raise UsageError(f"images (--images): expected at least 1, got {options.images}")
    count = CANDIDATES * options.images if options.candidates is None else options.candidates
    if count <= options.images:
        raise UsageError(
            f"candidates (--candidates): expected more than the {options.images} images that are chosen, "
            f"got {count}"
        )
    return -(-count // spec.exposures_per_shot) * spec.exposures_per_shot


def _refuse_others(dest: Path) -> None:
    if dest.suffix == ".json":
        raise UsageError(f"{dest}: the scores go to a JSON file of that name; name it .txt")
    for path in (dest, dest.with_suffix(".json")):
        if os.path.lexists(path) and not is_report_file(path):
            raise DatasetError(f"{path}: exists and was not written by blendgen; choose another file (-o)")
