"""`python -m benchmarks.loaders OUT`: how fast a DataLoader of PyTorch reads a finished data set.

In: a folder with a data set. Out: images per second, compared with those of the same image files opened with
Pillow alone, as by an ImageFolder. All are measured in turn in each round; ratios are taken within a round.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import click
import numpy as np
from PIL import Image

from benchmarks.spread import Spread, ratio, spread
from blendgen.cli import run_program
from blendgen.cli.terminal import echo
from blendgen.dataset.dataset import Dataset, open_dataset
from blendgen.errors import ExitCode, UsageError

_BATCH = 16
FILES = "files, Pillow alone"


class ImageFiles:
    """The images of an ImageFolder as arrays with the number of their class."""

    def __init__(self, folder: Path):
        self._paths = sorted(path for path in folder.glob("*/*/*") if path.is_file())
        self._classes = sorted({path.parent.name for path in self._paths})

    def __len__(self) -> int:
        return len(self._paths)

    def __getitem__(self, position: int) -> dict[str, Any]:
        path = self._paths[position]
        with Image.open(path) as picture:
            return {
                "image": np.array(picture.convert("RGB")),
                "label_id": self._classes.index(path.parent.name),
            }


def sources(dataset: Dataset) -> dict[str, Any]:
    """What is measured, by name; the first is what the others are compared with."""
    images = dataset.with_fields("image")
    cases = {FILES: ImageFiles(dataset.folder / "images"), "image": images}
    cases["image, shuffled stream"] = images.stream(seed=0)
    if len(dataset) and "mask" in dataset.signature():
        cases["image and mask"] = dataset.with_fields("image", "mask")
    return cases


def rates(loaders: Mapping[str, Iterable[Any]], images: int, rounds: int) -> dict[str, list[float]]:
    """Images per second of each loader in each round, after a pass that is not measured."""
    for loader in loaders.values():
        _pass_s(loader)
    measured: dict[str, list[float]] = {name: [] for name in loaders}
    for _ in range(rounds):
        for name, loader in loaders.items():
            measured[name].append(images / _pass_s(loader))
    return measured


def _pass_s(loader: Iterable[Any]) -> float:
    began_s = time.perf_counter()
    for _ in loader:
        pass
    return time.perf_counter() - began_s


def lines(measured: Mapping[str, list[float]]) -> list[str]:
    """A line for each loader."""
    files = measured[FILES]
    return [f"{'loader':<24}{'images/s':>16}{'compared with files':>24}"] + [
        f"{name:<24}{_figure(spread(values), 1):>16}{_figure(ratio(values, files), 2):>24}"
        for name, values in measured.items()
    ]


def _figure(values: Spread, digits: int) -> str:
    return f"{values.median:.{digits}f} ±{values.relative:.0%}"


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("folder", metavar="OUT", type=click.Path(path_type=Path))
@click.option(
    "--workers", type=click.IntRange(1, 256), default=2, show_default=True, help="Workers of each loader."
)
@click.option(
    "--rounds", type=click.IntRange(1, 1000), default=7, show_default=True, help="Rounds; the median counts."
)
def command(folder: Path, workers: int, rounds: int) -> int:
    """Measure how fast a DataLoader of PyTorch reads the data set in OUT."""
    try:
        from torch.utils.data import DataLoader
    except ImportError:
        raise UsageError("PyTorch is not installed; pip install torch") from None
    dataset = open_dataset(folder)
    options = {"batch_size": _BATCH, "num_workers": workers, "persistent_workers": True}
    loaders = {name: DataLoader(source, **options) for name, source in sources(dataset).items()}
    for line in lines(rates(loaders, len(dataset), rounds)):
        echo(line)
    return ExitCode.OK


if __name__ == "__main__":
    sys.exit(run_program(command, sys.argv[1:], "python -m benchmarks.loaders"))
