"""Probe: a designed experiment that finds out what changes the answers of a classifier.

In: a Run and a spec. Out: a page, its numbers, and the changes to the spec that they suggest. Each shot is
rendered at the levels of a fractional factorial design; all other values, down to the noise of the sensor,
are those of the shot, so that only the parameters of the design can be the reason for another answer.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from blendgen import __version__
from blendgen.dataset.dataset import Dataset
from blendgen.dataset.report_files import REPORT_MARK, is_report_file
from blendgen.engine.blender.importing.inventory import measured_inventory
from blendgen.errors import DatasetError, UsageError
from blendgen.experiments.cause import advice, share_of_class
from blendgen.experiments.changes import Changes, changes
from blendgen.experiments.classifier import label_numbers, log_odds, probabilities
from blendgen.experiments.drafts import DraftOptions, drafts
from blendgen.experiments.effects import Effect, Predictions, Verdict, effects
from blendgen.experiments.plan import Planned, plan
from blendgen.experiments.probe_page import Shown, probe_page
from blendgen.files.folder import Folder
from blendgen.files.json_bytes import json_bytes
from blendgen.geometry.arrays import AnyArray
from blendgen.learn.measures import Share
from blendgen.learn.pictures import dataset_pictures
from blendgen.learn.run_folder import Run
from blendgen.matching.edit import moved
from blendgen.spec.load import load_spec
from blendgen.system.progress import Progress

KIND, SCHEMA_VERSION = f"{REPORT_MARK.decode()}: probe", 1
IMAGES = 1000
_SHOWN = 3
_FEW = 6  # shots beyond one of each class, below which F tests show little


@dataclass(frozen=True)
class ProbeOptions:
    """parameters: names of parameters and sections, none for all; images: about how many are rendered

    written: where the changed spec goes, None for nowhere; force: replace it
    """

    parameters: tuple[str, ...] = ()
    images: int = IMAGES
    written: Path | None = None
    force: bool = False
    drafts: DraftOptions = field(default_factory=DraftOptions)


@dataclass(frozen=True)
class Probe:
    """page: HTML; numbers: JSON next to it; written: the changed spec, None where nothing is to be changed

    facts: what is in numbers, docs/experiments.md explains the keys
    """

    page: Path
    numbers: Path
    written: Path | None
    facts: dict[str, Any]

    @property
    def shortcuts(self) -> tuple[str, ...]:
        """Parameters that decide in place of the product."""
        return self._with(Verdict.SHORTCUT)

    @property
    def blind(self) -> tuple[str, ...]:
        """Parameters at a level of which the classifier is right less often."""
        return self._with(Verdict.BLIND)

    def _with(self, verdict: Verdict) -> tuple[str, ...]:
        return tuple(one["parameter"] for one in self.facts["parameters"] if one["verdict"] == verdict)


def probe(run: Run, place: Path, dest: Path | None, options: ProbeOptions, progress: Progress) -> Probe:
    """place: of the spec; dest: of the page, None for probe.html in the run

    raises: UsageError, SpecError, DatasetError, SetupError
    """
    page = dest or run.folder / "probe.html"
    _refuse_others(page, options)
    spec_file = load_spec(place)
    inventory = measured_inventory(spec_file, False)
    numbers = label_numbers(run, inventory.class_table.classes, str(place))
    planned = plan(spec_file.spec, inventory, options.parameters, options.images, options.drafts.side_px)
    indices = range(len(planned.levels))
    with drafts(planned.spec, inventory, indices, options.drafts, progress, planned.design()) as dataset:
        predictions, positions = _predicted(run, dataset, numbers, planned, progress)
        measured = effects(predictions, planned.factors, len(run.classes))
        suggested = changes(_text(place), str(place), spec_file.folder, measured)
        facts = {
            "kind": KIND, "schema_version": SCHEMA_VERSION, "blendgen": __version__,
            "run": str(run.folder), "spec": str(place),
            **_facts(run, planned, predictions, measured, suggested, len(indices)),
        }  # fmt: skip
        content = probe_page(facts, _shown(dataset, positions, predictions, measured, run.classes))
    written = _write(page, content, facts, suggested, options, place)
    return Probe(page, page.with_suffix(".json"), written, facts)


def _predicted(
    run: Run, dataset: Dataset, numbers: Sequence[int], planned: Planned, progress: Progress
) -> tuple[Predictions, AnyArray]:
    """The predictions of the drafts that can be compared, and their positions in the data set.

    A draft that was drawn at another attempt than the others of its shot has other random numbers.
    """
    rows = [*dataset.rows()]
    cells = np.array([row.index for row in rows])
    shots = cells // planned.runs
    attempts = np.array([row.shot.attempt for row in rows])
    usual = {shot: np.bincount(attempts[shots == shot]).argmax() for shot in np.unique(shots)}
    positions = np.flatnonzero(attempts == [usual[shot] for shot in shots])
    pictures = dataset_pictures(dataset)
    chances = probabilities(run, [pictures[position] for position in positions], progress)
    labels = np.array([numbers[rows[position].label_id] for position in positions])
    scores = log_odds(chances[np.arange(len(positions)), labels])
    levels = planned.levels[cells[positions]]
    predictions = Predictions(shots[positions], labels, chances.argmax(axis=1), levels, scores)
    return predictions, positions


def _facts(
    run: Run,
    planned: Planned,
    predictions: Predictions,
    measured: Sequence[Effect],
    suggested: Changes,
    images: int,
) -> dict[str, Any]:
    share = Share(int(predictions.right.sum()), len(predictions.labels))
    known = len(np.unique(predictions.labels))
    notes = []
    names = [one.factor.name for one in measured if one.verdict == Verdict.SHORTCUT]
    causes = {name: share_of_class(run, name) for name in names}
    if share.interval[0] <= 1 / len(run.classes) and not causes:
        notes.append(
            "the classifier is not better than chance on these drafts, so little can be said about it: make "
            "them larger (--size), or check that the spec is like that of its data set"
        )
    if len(predictions.labels) < images:
        notes.append(
            f"{images - len(predictions.labels)} of {images} drafts cannot be made with these values"
        )
    if len(planned.shots) - known < _FEW:
        notes.append(
            f"{len(planned.shots)} shots of {known} classes show only large effects; to show smaller ones, "
            "ask for more images (--images)"
        )
    if known < len(run.classes):
        notes.append(
            f"{known} of {len(run.classes)} classes were shown; ask for more images (--images) for all"
        )
    return {
        "design": {"images": len(predictions.labels), "shots": len(planned.shots),
                   "runs_per_shot": planned.runs, "resolution": [*planned.spec.resolution],
                   "classes": known},
        "accuracy": share.facts(),
        "classes": [*run.classes],
        "parameters": [one.facts(run.classes) for one in measured],
        "changes": [
            {"field": one.field, "value": one.value, "evidence": one.reason} for one in suggested.values
        ],
        "advice": [*(advice(name, own) for name, own in causes.items()), *suggested.others],
        "class_in_dataset": causes,
        "diff": suggested.diff,
        "notes": notes,
    }  # fmt: skip


def _shown(
    dataset: Dataset,
    positions: AnyArray,
    predictions: Predictions,
    measured: Sequence[Effect],
    classes: Sequence[str],
) -> dict[str, list[Shown]]:
    """Drafts at two levels of each parameter that has a fault."""
    return {
        effect.factor.name: [
            Shown(dataset.image(int(positions[place])), _caption(effect, predictions, place, classes))
            for place in _examples(predictions, effect)
        ]
        for effect in measured
        if effect.verdict in (Verdict.SHORTCUT, Verdict.BLIND)
    }


def _examples(predictions: Predictions, effect: Effect) -> Iterator[int]:
    """Positions of images of one shot of two classes, some at each of two levels, which show the fault."""
    levels = predictions.levels[:, effect.number]
    for label, good, bad in _cases(predictions, effect):
        shot = predictions.shots[predictions.labels == label][0]
        for level, is_right in ((good, True), (bad, False)):
            own = np.flatnonzero((predictions.shots == shot) & (levels == level))
            yield from sorted(own.tolist(), key=lambda place: predictions.right[place] != is_right)[:_SHOWN]


def _cases(predictions: Predictions, effect: Effect) -> list[tuple[int, int, int]]:
    """(class, level at which it is recognised, level at which it is not)"""
    if effect.verdict == Verdict.SHORTCUT and effect.pull is not None:
        pull = effect.pull
        return [(pull.first, pull.a, pull.b), (pull.second, pull.b, pull.a)]
    return [(int(label), effect.best, effect.worst) for label in np.unique(predictions.labels)[:2]]


def _caption(effect: Effect, predictions: Predictions, place: int, classes: Sequence[str]) -> str:
    level = effect.factor.levels[predictions.levels[place, effect.number]].name
    label, predicted = classes[predictions.labels[place]], classes[predictions.predicted[place]]
    return f"{level}: {label}" + ("" if label == predicted else f", taken for {predicted}")


def _text(place: Path) -> str:
    return place.read_text("utf-8").replace("\r\n", "\n")


def _write(
    page: Path, content: bytes, facts: dict[str, Any], suggested: Changes, options: ProbeOptions, place: Path
) -> Path | None:
    folder = Folder(page.parent, ".blendgen-partial")
    folder.write(page.with_suffix(".json").name, json_bytes(facts))
    folder.write(page.name, content)
    folder.remove_temporary_files()
    written = options.written
    if written is None or not suggested.values:
        return None
    target = Folder(written.parent, ".blendgen-partial")
    target.write(written.name, moved(suggested.text, place.parent, written.parent).encode())
    target.remove_temporary_files()
    return written


def _refuse_others(page: Path, options: ProbeOptions) -> None:
    if page.suffix != ".html":
        raise UsageError(f"{page}: the name of the page ends with .html")
    for path in (page, page.with_suffix(".json")):
        if os.path.lexists(path) and not is_report_file(path):
            raise DatasetError(f"{path}: exists and was not written by blendgen; choose another file (-o)")
    written = options.written
    if written is None:
        return
    if written.suffix not in (".yaml", ".yml"):
        raise UsageError(f"{written}: the name of a spec ends with .yaml")
    if written.exists() and not options.force:
        raise UsageError(f"{written}: exists, and is not replaced; choose another name, or add --force")
