"""Search: trials of moved ranges, each judged by drafts; a study of Optuna that goes on where it was stopped.

In: a spec with its ranges, photos with features. Out: the study, and scores of the spec with any values.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from blendgen.dataset.identity import PIXELS_VERSION
from blendgen.errors import GeometryError, SpecError, UsageError
from blendgen.experiments.drafts import DraftOptions, draft_spec, drafts
from blendgen.experiments.tune_ranges import LEAST_SPREAD, MOST_SHIFT, MOST_SPREAD, Range
from blendgen.experiments.tune_target import Photos, Score, score
from blendgen.learn.backbones import DEFAULT_BACKBONE, Backbone
from blendgen.learn.features import computed_features
from blendgen.learn.pictures import PictureSet, dataset_pictures
from blendgen.models.inventory import Inventory
from blendgen.spec.load import Override, SpecFile, check_spec
from blendgen.starter.guess import Guess
from blendgen.system.progress import Counter, Progress

if TYPE_CHECKING:
    import optuna

LOG = ".tune.log"
_FINAL = 2  # times as many images in the last comparison
_AS_IT_IS = (("shift", 0.0), ("spread", 1.0))

Values = dict[str, tuple[float, float]]  # parameter -> (shift, spread)


@dataclass(frozen=True)
class TuneOptions:
    """photos: in class folders, or unlabelled; parameters: names of parameters and sections, none for all

    images: of each trial; force: replace the new spec
    """

    photos: Path | None = None
    unlabelled: Path | None = None
    parameters: tuple[str, ...] = ()
    trials: int = 30
    images: int = 120
    backbone: str = DEFAULT_BACKBONE
    seed: int = 0
    force: bool = False
    drafts: DraftOptions = field(default_factory=DraftOptions)

    def __post_init__(self) -> None:
        if (self.photos is None) == (self.unlabelled is None):
            raise UsageError(
                "give either photos (--photos) in class folders, or unlabelled ones (--unlabelled)"
            )
        for name in ("trials", "images"):
            if getattr(self, name) < 2:
                raise UsageError(f"{name} (--{name}): expected at least 2, got {getattr(self, name)}")


@dataclass(frozen=True)
class Search:
    """What a trial needs."""

    spec_file: SpecFile
    inventory: Inventory
    ranges: Sequence[Range]
    photos: Photos
    backbone: Backbone
    options: TuneOptions

    def run(self, dest: Path, progress: Progress) -> optuna.Study:
        """The study with all its trials; those of an earlier call count."""
        import optuna
        from optuna.storages import JournalStorage
        from optuna.storages.journal import JournalFileBackend
        from optuna.trial import TrialState

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        storage = JournalStorage(JournalFileBackend(str(dest.with_suffix(LOG))))
        name = self._identity()
        study = optuna.create_study(storage=storage, study_name=name, load_if_exists=True)
        done = len(study.get_trials(states=(TrialState.COMPLETE, TrialState.PRUNED)))
        study.sampler = optuna.samplers.TPESampler(seed=self.options.seed + done)
        if not done:
            study.enqueue_trial(
                {f"{one.name} {key}": value for one in self.ranges for key, value in _AS_IT_IS}
            )
        left = max(0, self.options.trials - done)
        if done:
            progress.note(f"{done} of {self.options.trials} trials are there already")
        progress.begin(left, "trial")
        study.optimize(self._trial, n_trials=left, callbacks=[lambda *_: progress.advance(1)])
        return study

    def _trial(self, trial: optuna.Trial) -> float:
        import optuna

        values = {
            one.name: (
                trial.suggest_float(f"{one.name} shift", -MOST_SHIFT, MOST_SHIFT),
                trial.suggest_float(f"{one.name} spread", LEAST_SPREAD, MOST_SPREAD),
            )
            for one in self.ranges
        }
        try:
            result = self._score(values, range(self.options.images), self.photos.tuned)
        except (SpecError, GeometryError) as error:
            if not is_moved(values):
                raise  # the spec as it is cannot be made
            raise optuna.TrialPruned(str(error)) from None
        trial.set_user_attr("share", result.share.facts())
        return result.value

    def final(self, values: Values) -> Score:
        """With images and photos that no trial has seen."""
        first, count = self.options.images, _FINAL * self.options.images
        return self._score(values, range(first, first + count), self.photos.held_out)

    def guesses(self, values: Values, study: optuna.Study) -> list[Guess]:
        reason = f"chosen by {len(study.trials)} trials with {len(self.photos.tuned)} photos"
        return [
            Guess(tuple(one.name.split(".")), one.moved(*values[one.name]), reason) for one in self.ranges
        ]

    def _score(self, values: Values, indices: range, photos: PictureSet) -> Score:
        spec = self._moved(values).spec.model_copy(update={"hold_out": {}, "splits": {"train": 1.0}})
        spec = spec.model_copy(update={"images": indices.stop, "exposures_per_shot": 1})
        silent = Counter(lambda finished, total: None)
        small = draft_spec(spec, self.options.drafts.side_px)
        with drafts(small, self.inventory, indices, self.options.drafts, silent) as dataset:
            pictures = dataset_pictures(dataset)
            features = computed_features(pictures, dataset.classes, self.backbone, silent, [])
        return score(features, photos, self.photos.is_labelled, self.options.seed)

    def _moved(self, values: Values) -> SpecFile:
        """The spec with moved ranges; raises SpecError."""
        overrides = [
            Override(one.name, tuple(one.name.split(".")), one.moved(*values[one.name]))
            for one in self.ranges
            if one.name in values
        ]
        return check_spec(self.spec_file.document, self.spec_file.folder, tuple(overrides))

    def _identity(self) -> str:
        """The name of the study: of everything that its values depend on."""
        stated = {
            "pixels_version": PIXELS_VERSION,
            "spec": self.spec_file.spec.model_dump(mode="json"),
            "products": [product.content_hash for product in self.inventory.catalog.products],
            "ranges": [one.name for one in self.ranges],
            "photos": [picture.key for picture in self.photos.tuned.pictures],
            "backbone": self.backbone.digest, "labelled": self.photos.is_labelled,
            "images": self.options.images, "size": self.options.drafts.side_px, "seed": self.options.seed,
        }  # fmt: skip
        text = json.dumps(stated, sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:32]


def values_of(parameters: dict[str, float]) -> Values:
    names = dict.fromkeys(name.rpartition(" ")[0] for name in parameters)
    return {name: (parameters[f"{name} shift"], parameters[f"{name} spread"]) for name in names}


def is_moved(values: Values) -> bool:
    return any(one != tuple(value for _, value in _AS_IT_IS) for one in values.values())
