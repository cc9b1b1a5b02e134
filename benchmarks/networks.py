"""`python -m benchmarks.networks CARDS`: renders and photos with all layers trained, for docs/results.md.

In: the folder of benchmarks/learning.py. Out: networks.json: for several specs and for refined images, which
photos are right in each training, paired differences, and how well distances between photos and renders
predict the accuracy. Data sets and finished trainings stay in the scratch folder, and are not made again.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

import blendgen
from benchmarks.learning import MATCHED, SPEC, data_sets, distances
from benchmarks.learning_arms import RENDERS
from benchmarks.learning_page import NETWORKS, write_page
from benchmarks.paired import differences, rank_correlations
from blendgen.cli import run_program
from blendgen.cli.progress import Progress
from blendgen.cli.terminal import say
from blendgen.dataset.dataset import open_dataset
from blendgen.errors import ExitCode
from blendgen.learn.backbones import load_backbone

BASE, REFINED, MATCHED_CAMERA = "base", "refined", "matched camera"
_PRESET = "phone"  # of the sensor of the base
_SIZE = 128


@click.command("networks")
@click.argument("cards", type=click.Path(path_type=Path, exists=True), metavar="CARDS")
@click.option("--scratch", type=click.Path(path_type=Path), default=Path("out/networks"), show_default=True)
@click.option("-n", "--images", type=click.IntRange(12), default=240, show_default=True, help="Of each spec.")
@click.option("--seeds", type=click.IntRange(1), default=3, show_default=True, help="Trainings of each arm.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), default=Path("docs/results"), show_default=True
)
def command(cards: Path, scratch: Path, images: int, seeds: int, output: Path) -> int:
    """Render the playing cards in CARDS with several specs, and train all layers of networks with them."""
    scratch.mkdir(parents=True, exist_ok=True)
    with Progress(own_stdout=False) as progress:
        folders = dict(data_sets(cards, scratch, images, progress))
        folders[MATCHED_CAMERA] = _matched_camera(scratch, images, progress)
        folders[REFINED] = scratch / REFINED
        refined = blendgen.refine(
            folders[BASE], folders[REFINED], photos=cards / "photos" / "train", progress=progress
        )
        results: dict[str, dict[str, Any]] = {name: {"arms": {}} for name in folders}
        for seed in range(seeds):
            for name, folder in folders.items():
                say(f"seed {seed}: {name}")
                for arm, right in trained(name, folder, cards, seed, scratch, progress):
                    results[name]["arms"].setdefault(arm, []).append(right)
        for name, folder in folders.items():
            results[name] |= distances(folder, cards / "photos", progress)
    values = {
        "schema_version": 1,
        "blendgen": blendgen.__version__,
        "backbone": load_backbone().facts(),
        "size": _SIZE,
        "images": images,
        "seeds": seeds,
        "digests": {name: open_dataset(folder).source.identity for name, folder in folders.items()},
        "refined": {name: refined.origin[name] for name in ("refined", "left")},
        "results": results,
        "differences": differences(results),
        "rank_correlations": rank_correlations(results),
    }
    output.mkdir(parents=True, exist_ok=True)
    (output / NETWORKS).write_text(json.dumps(values, indent=1) + "\n")
    write_page(output)
    return ExitCode.OK


def _matched_camera(scratch: Path, images: int, progress: Progress) -> Path:
    """Renders of the base with the matched sensor and gain; light and surface are its own."""
    evidence = json.loads((scratch / f"{MATCHED}.match.json").read_text())
    values = {one["field"]: one["value"] for one in evidence["values"]}
    sensor = {field[7:]: value for field, value in values.items() if field.startswith("sensor.")}
    gain = {field: value for field, value in values.items() if field == "exposure.gain_db"}
    changes = {"images": images, "sensor": {"preset": _PRESET, **sensor}, **gain}
    folder = scratch / MATCHED_CAMERA.replace(" ", "-")
    say(f"{MATCHED_CAMERA}: {folder}")
    blendgen.generate(scratch / SPEC, folder, overrides=changes, progress=progress)
    return folder


def trained(
    name: str, folder: Path, cards: Path, seed: int, scratch: Path, progress: Progress
) -> Iterator[tuple[str, str]]:
    """Arm, and which photos are right; what an earlier call finished is read from the scratch folder."""
    from benchmarks.network_arms import GUESSED, PHOTO_ARMS, Networks

    dataset = open_dataset(folder)
    place = scratch / "trained" / f"{folder.name}-{seed}"
    place.mkdir(parents=True, exist_ok=True)
    stored, key = place / "arms.json", {"blendgen": blendgen.__version__, **dataset.source.identity}
    values = json.loads(stored.read_text()) if stored.exists() else {}
    arms: dict[str, str] = values["arms"] if values.get("key") == key else {}
    networks = None
    for arm in (RENDERS, GUESSED, *PHOTO_ARMS) if name == BASE else (RENDERS,):
        if arm not in arms:
            networks = networks or Networks(dataset, cards / "photos", seed, _SIZE, place, progress)
            arms |= networks.arm(arm)
            stored.write_text(json.dumps({"key": key, "arms": arms}))
    yield from arms.items()


if __name__ == "__main__":
    sys.exit(run_program(command, sys.argv[1:], "python -m benchmarks.networks"))
