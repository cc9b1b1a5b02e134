"""Tune: ranges of a spec that make its images better for photos, searched with drafts.

In: a spec and photos, with labels or without. Out: a new spec, if it is better on photos that the search has
not seen; the evidence in any case. Each trial moves the ranges and makes them wider or narrower, never points
of them; all trials draw the same random numbers. The search is that of Optuna (tree-structured Parzen
estimator), and its file makes it resumable.
source: Akiba et al. 2019, Optuna; Bergstra et al. 2011 (TPE)
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from blendgen import __version__
from blendgen.dataset.report_files import REPORT_MARK
from blendgen.draw.design import random_parameters
from blendgen.engine.blender.importing.inventory import measured_inventory
from blendgen.errors import DatasetError, SetupError, UsageError
from blendgen.experiments.search import LOG, Search, TuneOptions, is_moved, values_of
from blendgen.experiments.tune_ranges import ranges
from blendgen.experiments.tune_target import LEAST_P, Photos, Score, chance, divided
from blendgen.files.folder import Folder
from blendgen.files.json_bytes import json_bytes
from blendgen.files.regular_file import read_bounded
from blendgen.learn.backbones import Backbone, load_backbone
from blendgen.learn.features import computed_features
from blendgen.learn.measures import Share
from blendgen.learn.photo_sets import labelled_photos, unlabelled_photos
from blendgen.matching.edit import edited, moved
from blendgen.matching.feature_distances import FEWEST
from blendgen.models.inventory import Inventory
from blendgen.spec.load import load_spec
from blendgen.system.progress import Progress

if TYPE_CHECKING:
    import optuna

KIND, SCHEMA_VERSION = f"{REPORT_MARK.decode()}: tuning", 1
COMMAND = "tune"
TUNE_EXTRA = "pip install 'blendgen[tune]'"
_SHOTS = 24  # that show which parameters vary
_TRAIN = "train"
_OPTUNA, _LOOKED_AT_BYTES, _MAX_LOG_BYTES = b'"op_code"', 200, 2**30


@dataclass(frozen=True)
class Tuning:
    """written: the new spec; None where nothing helped; numbers: JSON; facts: what is in it"""

    written: Path | None
    numbers: Path
    facts: dict[str, Any]


def tune(place: Path, dest: Path, options: TuneOptions, progress: Progress) -> Tuning:
    """place: of the spec; dest: of the new one; raises: UsageError, SpecError, DatasetError, SetupError"""
    _require_optuna()
    _refuse_others(dest, options)
    spec_file = load_spec(place)
    inventory = measured_inventory(spec_file, False)
    left_out: list[str] = []
    backbone = load_backbone(options.backbone)
    photos = _photos(inventory, options, backbone, left_out, progress)
    parameters = random_parameters(spec_file.spec, inventory.catalog, inventory.class_table, range(_SHOTS))
    search = Search(
        spec_file,
        inventory,
        ranges(spec_file.spec, parameters, options.parameters),
        photos,
        backbone,
        options,
    )
    study = search.run(dest, progress)
    best = values_of(study.best_params)
    before = search.final({})
    after = search.final(best) if is_moved(best) else before
    p = chance(before, after, photos.is_labelled)
    helped = p < LEAST_P
    text = place.read_text("utf-8").replace("\r\n", "\n")
    guesses = search.guesses(best, study) if helped else []
    changed = edited(text, guesses, COMMAND) if helped else text
    facts = {
        **_facts(place, options, study, search), "notes": left_out, "helped": helped, "p": p,
        "before": _score_facts(before), "after": _score_facts(after),
        "changes": [{"field": one.field, "value": one.value, "evidence": one.reason} for one in guesses],
        "diff": _diff(text, changed, place),
    }  # fmt: skip
    folder = Folder(dest.parent, ".blendgen-partial")
    folder.write(dest.with_suffix(".tune.json").name, json_bytes(facts))
    if helped:
        folder.write(dest.name, moved(changed, place.parent, dest.parent).encode())
    folder.remove_temporary_files()
    return Tuning(dest if helped else None, dest.with_suffix(".tune.json"), facts)


def sentence(facts: dict[str, Any]) -> str:
    """What came out, in a line."""
    before, after = (
        Share(facts[key]["share"]["right"], facts[key]["share"]["count"]) for key in ("before", "after")
    )
    what = "right" if facts["is_labelled"] else "distinguished from drafts"
    numbers = f"{before} {what} before, {after} after, p {facts['p']:.2g}"
    held_out = f"on {facts['photos_held_out']} photos that the search has not seen"
    if facts["helped"]:
        return f"it helped: {numbers}, {held_out}"
    return f"nothing helped: {numbers}, {held_out}; the spec stays as it is"


def _photos(
    inventory: Inventory, options: TuneOptions, backbone: Backbone, left_out: list[str], progress: Progress
) -> Photos:
    classes = inventory.class_table.classes
    if options.photos is not None:
        pictures = labelled_photos(options.photos, classes, (_TRAIN,), left_out)
    elif options.unlabelled is not None:
        pictures = unlabelled_photos(options.unlabelled, left_out)
    features = computed_features(pictures, classes, backbone, progress, left_out)
    if len(features) < 2 * FEWEST:
        raise DatasetError(
            f"{options.photos or options.unlabelled}: has {len(features)} photos that can be read; at least "
            f"{2 * FEWEST} are needed: one half to search with, the other to see whether it helped"
        )
    return divided(features, options.photos is not None, options.seed)


def _facts(place: Path, options: TuneOptions, study: optuna.Study, search: Search) -> dict[str, Any]:
    trials = [
        {"number": one.number, "state": one.state.name.lower(), "value": one.value,
         "share": one.user_attrs.get("share"), "values": values_of(one.params)}
        for one in study.get_trials()
    ]  # fmt: skip
    return {
        "kind": KIND, "schema_version": SCHEMA_VERSION, "blendgen": __version__, "spec": str(place),
        "photos": str(options.photos or options.unlabelled), "is_labelled": search.photos.is_labelled,
        "photos_searched": len(search.photos.tuned), "photos_held_out": len(search.photos.held_out),
        "backbone": search.backbone.facts(), "parameters": [one.name for one in search.ranges],
        "images_per_trial": options.images, "seed": options.seed,
        "best": study.best_trial.number, "trials": trials,
    }  # fmt: skip


def _score_facts(one: Score) -> dict[str, Any]:
    return {"value": one.value, "share": one.share.facts()}


def _diff(before: str, after: str, place: Path) -> str:
    first, second = (text.splitlines(keepends=True) for text in (before, after))
    return "".join(difflib.unified_diff(first, second, fromfile=str(place), tofile=str(place)))


def _require_optuna() -> None:
    try:
        import optuna  # noqa: F401
    except ImportError:
        raise SetupError(f"this needs optuna: {TUNE_EXTRA}") from None


def _refuse_others(dest: Path, options: TuneOptions) -> None:
    if dest.suffix not in (".yaml", ".yml"):
        raise UsageError(f"{dest}: the name of a spec ends with .yaml")
    if dest.exists() and not options.force:
        raise UsageError(f"{dest}: exists, and is not replaced; choose another name (-o), or add --force")
    log = dest.with_suffix(LOG)
    if log.exists() and _OPTUNA not in read_bounded(log, _MAX_LOG_BYTES)[:_LOOKED_AT_BYTES]:
        raise UsageError(f"{log}: exists and is not the file of a search; choose another name (-o)")
