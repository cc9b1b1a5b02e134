"""`python -m benchmarks.learning CARDS`: what renders are worth on real photos, for docs/results.md.

In: a folder with `models/<class>/*.glb`, `photos/train/<class>/` and `photos/test/<class>/`. Out:
learning.json: accuracy of a linear head on a frozen network for several specs and choices of photos, paired
differences, and how well distances between photos and renders predict the accuracy. Data sets stay in the
scratch folder, which benchmarks/networks.py shares, and are not made again.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

import blendgen
from benchmarks.learning_arms import arms_of
from benchmarks.learning_page import FROZEN, write_page
from benchmarks.paired import differences, rank_correlations
from blendgen.cli import run_program
from blendgen.cli.progress import Progress
from blendgen.cli.terminal import say
from blendgen.dataset.dataset import open_dataset
from blendgen.errors import ExitCode
from blendgen.learn.backbones import load_backbone

SPEC = "cards.yaml"  # here, and in the scratch folder
BASE, MATCHED = "base", "matched"
SCRATCH, IMAGES = Path("out/results"), 240
_MATCH_PHOTOS = 20
# what is changed in the spec; a matched one has the camera, light and surface of photos
VARIANTS: dict[str, dict[str, Any]] = {
    BASE: {},
    "ideal camera": {"sensor": "ideal", "exposure.gain_db": 0},
    "one surface": {"surface.kind": "paper", "surface.color": "#c8b490", "surface.wear": 0.2},
    "one light": {
        "lighting.environment.image": "studio", "lighting.lamps.count": 0, "exposure.camera_ev": 0.2,
        "exposure.environment_ev": 0,
    },
    "one view": {
        "camera.elevation_deg": 90, "camera.frame_fill": 0.8, "camera.subject_offset": {"disk": 0.01},
        "camera.focal_length_mm": 40, "camera.roll_deg": 0,
    },
    MATCHED: {},
}  # fmt: skip


@click.command("learning")
@click.argument("cards", type=click.Path(path_type=Path, exists=True), metavar="CARDS")
@click.option("--scratch", type=click.Path(path_type=Path), default=SCRATCH, show_default=True)
@click.option(
    "-n", "--images", type=click.IntRange(12), default=IMAGES, show_default=True, help="Of each spec."
)
@click.option("--seeds", type=click.IntRange(1), default=3, show_default=True, help="Choices of photos.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), default=Path("docs/results"), show_default=True
)
def command(cards: Path, scratch: Path, images: int, seeds: int, output: Path) -> int:
    """Render the playing cards in CARDS with several specs, and test classifiers on the photos in CARDS."""
    scratch.mkdir(parents=True, exist_ok=True)
    with Progress(own_stdout=False) as progress:
        results = {
            name: _result(name, data_set(name, cards, scratch, images, progress), cards, seeds, progress)
            for name in VARIANTS
        }
    values = {
        "schema_version": 1,
        "blendgen": blendgen.__version__,
        "backbone": load_backbone().facts(),
        "images": images,
        "seeds": seeds,
        "variants": {name: VARIANTS[name] for name in results},
        "results": results,
        "differences": differences(results),
        "rank_correlations": rank_correlations(results),
    }
    output.mkdir(parents=True, exist_ok=True)
    (output / FROZEN).write_text(json.dumps(values, indent=1) + "\n")
    write_page(output)
    return ExitCode.OK


def data_set(name: str, cards: Path, scratch: Path, images: int, progress: Progress) -> Path:
    """Of this variant, rendered unless it is there."""
    spec = scratch / SPEC
    spec.write_text(
        (Path(__file__).parent / SPEC)
        .read_text()
        .replace("directory: models", f"directory: {cards.resolve() / 'models'}")
    )
    folder = scratch / name.replace(" ", "-")
    own = _matched(cards, scratch, spec, progress) if name == MATCHED else spec
    say(f"{name}: {folder}")
    blendgen.generate(own, folder, overrides={"images": images, **VARIANTS[name]}, progress=progress)
    return folder


def _matched(cards: Path, scratch: Path, spec: Path, progress: Progress) -> Path:
    """The spec with the camera, light and surface of some photos without labels."""
    place, dest = scratch / "match-photos", scratch / "matched.yaml"
    photos = sorted((cards / "photos" / "train").rglob("*.jpg"))
    place.mkdir(exist_ok=True)
    for number in range(_MATCH_PHOTOS):
        photo = photos[number * len(photos) // _MATCH_PHOTOS]
        (place / f"{number:02d}.jpg").write_bytes(photo.read_bytes())
    if not dest.exists():
        blendgen.match(place, dest, spec=spec, progress=progress)
    return dest


def _result(name: str, folder: Path, cards: Path, seeds: int, progress: Progress) -> Mapping[str, Any]:
    say(f"{name}: compare and train")
    arms = arms_of(open_dataset(folder), cards / "photos", seeds, progress)
    return {**distances(folder, cards / "photos", progress), "arms": arms}


def distances(folder: Path, photos: Path, progress: Progress) -> dict[str, Any]:
    """What `compare` says of a data set, by the names in paired.DISTANCES."""
    comparison = blendgen.compare(photos, folder, progress=progress)
    values = comparison.as_dict()
    of_network = values["appearance"]
    return {
        "statistics_that_differ": len(comparison.differing),
        "mean_difference_spreads": _mean_difference(values["differences"]),
        "kid": of_network["kid"]["value"],
        "coverage": of_network["coverage"]["value"],
        "precision": of_network["precision"]["value"],
        "two_sample_accuracy": of_network["two_sample_accuracy"]["value"],
    }


def _mean_difference(statistics: list[dict[str, Any]]) -> float:
    """Of the statistics that are known, in units of the photos' spread."""
    known = [abs(one["spreads"]) for one in statistics if one["verdict"] != "unknown"]
    return sum(known) / len(known)


if __name__ == "__main__":
    sys.exit(run_program(command, sys.argv[1:], "python -m benchmarks.learning"))
