"""`python -m benchmarks.networks CARDS`: renders and photos with all layers trained, for docs/results.md.

In: the folder of benchmarks/learning.py. Out: networks.json: for several specs and for refined images, which
photos are right in each training, paired differences, and how well distances between photos and renders
predict the accuracy. Data sets and finished trainings stay in the scratch folder, and are not made again: a
call that was stopped, or that --minutes ended, goes on where it was.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

import blendgen
from benchmarks.learning import BASE, IMAGES, MATCHED, SCRATCH, SPEC, VARIANTS, data_set, distances
from benchmarks.learning_arms import GUESSED, PHOTO_ARMS, RENDERS
from benchmarks.learning_page import NETWORKS, write_page
from benchmarks.paired import differences, rank_correlations
from blendgen.cli import run_program
from blendgen.cli.progress import Progress
from blendgen.cli.terminal import say
from blendgen.dataset.dataset import Dataset, open_dataset
from blendgen.dataset.refined import REFINED_KEY
from blendgen.errors import DatasetError, ExitCode, UsageError
from blendgen.learn.backbones import load_backbone

REFINED, MATCHED_CAMERA = "refined", "matched camera"
MATCHED_STANDARD = f"{MATCHED_CAMERA}, view Standard"  # in place of AgX
_FIRST = (BASE, "ideal camera", MATCHED, MATCHED_CAMERA, REFINED, MATCHED_STANDARD)
NAMES = (*_FIRST, *(name for name in VARIANTS if name not in _FIRST))
_PRESET = "phone"  # of the sensor of the base
_SIZE = 128
_ARMS = "arms.json"
# of the base; with all photos an epoch is several times as long
_FEW_PHOTOS = tuple(arm for arm, (count, _) in PHOTO_ARMS.items() if count is not None)
_ALL_PHOTOS = (GUESSED, *(arm for arm, (count, _) in PHOTO_ARMS.items() if count is None))


@click.command("networks")
@click.argument("cards", type=click.Path(path_type=Path, exists=True), metavar="CARDS")
@click.option("--scratch", type=click.Path(path_type=Path), default=SCRATCH, show_default=True)
@click.option(
    "-n", "--images", type=click.IntRange(12), default=IMAGES, show_default=True, help="Of each spec."
)
@click.option("--seeds", type=click.IntRange(1), default=3, show_default=True, help="Trainings of each arm.")
@click.option("--minutes", type=click.FloatRange(0), help="Begin no training after so long.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), default=Path("docs/results"), show_default=True
)
def command(
    cards: Path, scratch: Path, images: int, seeds: int, minutes: float | None, output: Path
) -> int:  # fmt: skip
    """Render the playing cards in CARDS with several specs, and train all layers of networks with them."""
    scratch.mkdir(parents=True, exist_ok=True)
    end = None if minutes is None else time.monotonic() + 60 * minutes
    with Progress(own_stdout=False) as progress:
        work = Work(cards, scratch, images, progress)
        for name, seed, arms in order(seeds):
            work.train(name, seed, arms, end)
        values = {
            "schema_version": 1,
            "blendgen": blendgen.__version__,
            "backbone": load_backbone().facts(),
            "size": _SIZE,
            "images": images,
            "seeds": seeds,
            **work.results(seeds),
        }
    output.mkdir(parents=True, exist_ok=True)
    (output / NETWORKS).write_text(json.dumps(values, indent=1) + "\n")
    write_page(output)
    return ExitCode.OK


def order(seeds: int) -> Iterator[tuple[str, int, Sequence[str]]]:
    """Name, seed and arms, what matters most first: a call with --minutes may end after any of them."""
    for arms in ((RENDERS, *_FEW_PHOTOS), _ALL_PHOTOS):
        for seed in range(seeds):
            yield BASE, seed, arms
    for name in (one for one in NAMES if one != BASE):
        for seed in range(seeds):
            yield name, seed, (RENDERS,)


@dataclass(frozen=True)
class Work:
    """What is in the scratch folder, and is made there. images: of each spec"""

    cards: Path
    scratch: Path
    images: int
    progress: Progress

    def train(self, name: str, seed: int, arms: Sequence[str], end: float | None) -> None:
        """All arms that no earlier call finished; none begins after `end`, by time.monotonic."""
        from benchmarks.network_arms import Networks

        if _is_over(end):
            return
        dataset = open_dataset(self._made(name))
        finished, networks = self._finished(dataset, seed), None
        for arm in (one for one in arms if one not in finished):
            if _is_over(end):
                return
            say(f"{name}, seed {seed}: {arm}")
            networks = networks or Networks(
                dataset, self.cards / "photos", seed, _SIZE, self._place(dataset, seed), self.progress
            )
            finished |= networks.arm(arm)
            self.store(dataset, seed, finished)

    def results(self, seeds: int) -> dict[str, Any]:
        """Of all that is finished."""
        results, digests, facts = {}, {}, dict[str, Any]()
        for name in NAMES:
            dataset = self._complete(name)
            arms = {} if dataset is None else self.arms(dataset, seeds)
            if dataset is None or RENDERS not in arms:
                continue
            results[name] = {"arms": arms, **distances(dataset.folder, self.cards / "photos", self.progress)}
            digests[name] = dataset.source.identity
            if name == REFINED:
                origin = dataset.source.record[REFINED_KEY]
                facts = {"refined": {key: origin[key] for key in ("refined", "left")}}
        if BASE not in results:
            raise UsageError("no training was finished: allow more --minutes")
        return {
            "digests": digests, **facts, "results": results, "differences": differences(results),
            "rank_correlations": rank_correlations(results),
        }  # fmt: skip

    def _made(self, name: str) -> Path:
        """Its data set, made unless it is there."""
        if name == REFINED:
            return self._refined()
        if name == MATCHED_CAMERA:
            return self._matched_camera(name, {})
        if name == MATCHED_STANDARD:
            return self._matched_camera(name, {"view": "Standard"})
        return data_set(name, self.cards, self.scratch, self.images, self.progress)

    def _refined(self) -> Path:
        photos, folder = self.cards / "photos" / "train", self._folder(REFINED)
        say(f"{REFINED}: {folder}")
        blendgen.refine(self._made(BASE), folder, photos=photos, progress=self.progress)
        return folder

    def _matched_camera(self, name: str, changed: dict[str, str]) -> Path:
        """Renders of the base with the matched sensor and gain; light and surface are its own.

        changed: in the sensor
        """
        self._made(MATCHED)
        evidence = json.loads((self.scratch / f"{MATCHED}.match.json").read_text())
        values = {one["field"]: one["value"] for one in evidence["values"]}
        sensor = {field[7:]: value for field, value in values.items() if field.startswith("sensor.")}
        gain = {field: value for field, value in values.items() if field == "exposure.gain_db"}
        changes = {"images": self.images, "sensor": {"preset": _PRESET, **sensor, **changed}, **gain}
        folder = self._folder(name)
        say(f"{name}: {folder}")
        blendgen.generate(self.scratch / SPEC, folder, overrides=changes, progress=self.progress)
        return folder

    def _folder(self, name: str) -> Path:
        return self.scratch / name.replace(",", "").replace(" ", "-")

    def _complete(self, name: str) -> Dataset | None:
        """The finished data set of this name; None: there is none, or one of fewer or more images"""
        try:
            dataset = open_dataset(self._folder(name))
        except DatasetError:
            return None
        return dataset if dataset.source.images == self.images else None

    def arms(self, dataset: Dataset, seeds: int) -> dict[str, list[str]]:
        """{arm: text of each seed}, from 0 to the first that is missing"""
        arms: dict[str, list[str]] = {}
        for seed in range(seeds):
            for arm, right in self._finished(dataset, seed).items():
                if len(arms.setdefault(arm, [])) == seed:
                    arms[arm].append(right)
        return {arm: rights for arm, rights in arms.items() if rights}

    def store(self, dataset: Dataset, seed: int, arms: dict[str, str]) -> None:
        stored = {"key": _key(dataset), "arms": arms}
        (self._place(dataset, seed) / _ARMS).write_text(json.dumps(stored))

    def _finished(self, dataset: Dataset, seed: int) -> dict[str, str]:
        """{arm: text of 0 and 1} of earlier calls"""
        stored = self._place(dataset, seed) / _ARMS
        values = json.loads(stored.read_text()) if stored.exists() else {}
        return dict(values["arms"]) if values.get("key") == _key(dataset) else {}

    def _place(self, dataset: Dataset, seed: int) -> Path:
        """For what a training leaves."""
        place = self.scratch / "trained" / f"{dataset.folder.name}-{seed}"
        place.mkdir(parents=True, exist_ok=True)
        return place


def _is_over(end: float | None) -> bool:
    return end is not None and time.monotonic() >= end


def _key(dataset: Dataset) -> dict[str, Any]:
    return {"blendgen": blendgen.__version__, **dataset.source.identity}


if __name__ == "__main__":
    sys.exit(run_program(command, sys.argv[1:], "python -m benchmarks.networks"))
