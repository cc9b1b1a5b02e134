"""`python -m benchmarks.watch`: how long `blendgen preview --watch` takes after a change of the spec.

In: a spec. Out: medians of several changes: seconds from the change until the sheet shows its first new
image and until it is finished, seconds of CPU time of all processes, and their memory in the end. One kind of
change makes every shot another one; one changes the sensor alone, and no shot; one changes a file of a folder
of models, which is measured again and rendered in its shots.
"""

from __future__ import annotations

import itertools
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import click
import yaml

from benchmarks.processes import usage
from blendgen.cli import run_program
from blendgen.cli.terminal import echo
from blendgen.errors import BlendgenError, ExitCode

_SCENE = Path(__file__).parent.parent / "scenes" / "tabletop.yaml"
_LONGEST_S = 600.0
_POLL_S = 0.01
_QUIET_S = 0.5  # processes have done all that a change causes
_CHANGES = {
    "every shot": lambda number: {"seed": 1000 + number},
    "the sensor": lambda number: {"sensor": ("webcam", "cctv")[number % 2]},
}
_MODELS = 6  # boxes of these sizes in metres, x to z
_SIZES_M = [(0.04 + 0.01 * number, 0.06, 0.02 + 0.005 * number) for number in range(_MODELS)]
_CORNERS = list(itertools.product((0.0, 1.0), repeat=3))
_FACES = ("1 2 4 3", "5 7 8 6", "1 5 6 2", "3 4 8 7", "1 3 7 5", "2 6 8 4")


class Sheet(NamedTuple):
    """Of one change."""

    first_image_s: float
    seconds: float
    computing_s: float


@click.command("watch")
@click.argument("spec", type=click.Path(path_type=Path, exists=True), metavar="[SPEC]", default=_SCENE)
@click.option("--resolution", type=click.IntRange(16, 8192), default=64, show_default=True)
@click.option("-n", "--images", type=click.IntRange(1, 400), default=12, show_default=True)
@click.option("--rounds", type=click.IntRange(1), default=7, show_default=True, help="Changes of each kind.")
def command(spec: Path, resolution: int, images: int, rounds: int) -> int:
    """Measure the sheet of SPEC (by default scenes/tabletop.yaml) after changes.

    SPEC may not name files by relative paths.
    """
    values = yaml.safe_load(spec.read_text()) | {"resolution": [resolution, resolution]}
    with tempfile.TemporaryDirectory(prefix="blendgen-bench-") as place, \
            _watching(Path(place), values, images) as watch:  # fmt: skip
        for kind, change in _CHANGES.items():
            _measure(kind, rounds, partial(_respecified, watch, values, change), watch)
        echo(f"peak memory of all processes: {watch.memory_mb():.0f} MB")
    with tempfile.TemporaryDirectory(prefix="blendgen-bench-") as place:
        folder = Path(place) / "models"
        folder.mkdir()
        for number, size_m in enumerate(_SIZES_M):
            _write_box(folder / f"box_{number}.obj", size_m)
        values |= {"products": [{"directory": "models", "unit": "m"}]}
        # no run before has measured these boxes
        cache = {"BLENDGEN_CACHE_DIR": str(Path(place) / "cache")}
        with _watching(Path(place), values, images, cache) as watch:
            _measure("a model file", rounds, partial(_taller, folder), watch)
    return ExitCode.OK


def _measure(kind: str, rounds: int, change: Callable[[int], None], watch: _Watch) -> None:
    """Print the medians of a kind of change; change: makes one, with its number."""
    watch.changed(partial(change, rounds))  # what stays is loaded
    sheets = [watch.changed(partial(change, number)) for number in range(rounds)]
    first_s, all_s, computing_s = map(statistics.median, zip(*sheets, strict=True))
    times = f"first image {first_s:5.2f} s  sheet {all_s:5.2f} s  {computing_s:5.2f} s of CPU"
    echo(f"{kind} changes: {times}")


def _respecified(watch: _Watch, values: dict, change: Callable[[int], dict], number: int) -> None:
    watch.rewrite(values | change(number))


def _taller(folder: Path, number: int) -> None:
    """Change one of the boxes into one that has never been measured."""
    x, y, z = _SIZES_M[0]
    _write_box(folder / "box_0.obj", (x, y, z + 0.001 * (number + 1)))


def _write_box(file: Path, size_m: tuple[float, float, float]) -> None:
    corners = [[side * at for side, at in zip(size_m, corner, strict=True)] for corner in _CORNERS]
    lines = [*(f"v {x} {y} {z}" for x, y, z in corners), *(f"f {face}" for face in _FACES)]
    new = file.with_suffix(".new")
    new.write_text("\n".join(lines) + "\n")
    new.replace(file)


class _Watch:
    """A running `blendgen preview --watch`, which has written its first sheet."""

    def __init__(self, process: subprocess.Popen[bytes], folder: Path):
        self._process, self._folder = process, folder
        self._sheets = 0
        self._finished()

    def rewrite(self, values: dict) -> None:
        """Change the spec."""
        (self._folder / "new.yaml").write_text(yaml.safe_dump(values))
        (self._folder / "new.yaml").replace(self._folder / "scene.yaml")

    def changed(self, change: Callable[[], None]) -> Sheet:
        """Change something, and wait for the sheet."""
        time.sleep(_QUIET_S)
        before_s, changed_s = self._computing_s(), time.time()
        change()
        times = self._finished(changed_s)
        seconds = time.time() - changed_s
        time.sleep(_QUIET_S)
        return Sheet(min(times) - changed_s, seconds, self._computing_s() - before_s)

    def memory_mb(self) -> float:
        return sum(usage(pid).peak_bytes for pid in _family(self._process.pid)) / 2**20

    def _finished(self, since_s: float = 0.0) -> set[float]:
        """Wait for the line about the next sheet; the times at which the file was written since then."""
        self._sheets += 1
        sheet, times = self._folder / "sheet.png", set()
        until_s = time.monotonic() + _LONGEST_S
        while (self._folder / "out").read_text().count("sheet.png: ") < self._sheets:
            if self._process.poll() is not None or time.monotonic() > until_s:
                raise BlendgenError(f"no sheet was made: {(self._folder / 'out').read_text()}")
            times |= {sheet.stat().st_mtime} if sheet.exists() else set()
            time.sleep(_POLL_S)
        times.add(sheet.stat().st_mtime)
        return {written_s for written_s in times if written_s >= since_s}

    def _computing_s(self) -> float:
        return sum(usage(pid).computing_s for pid in _family(self._process.pid))


@contextmanager
def _watching(
    folder: Path, values: dict, images: int, environment: Mapping[str, str] = MappingProxyType({})
) -> Iterator[_Watch]:
    (folder / "scene.yaml").write_text(yaml.safe_dump(values))
    command = [sys.executable, "-m", "blendgen", "preview", "scene.yaml", "--watch"]
    command += ["-n", str(images), "-o", "sheet.png"]
    with (folder / "out").open("wb") as out:
        process = subprocess.Popen(
            command, cwd=folder, stdout=out, stderr=out, env={**os.environ, **environment}
        )
    try:
        yield _Watch(process, folder)
    finally:
        process.terminate()  # a shell may have let us ignore Ctrl-C
        process.wait()


def _family(pid: int) -> Iterator[int]:
    """A process and those that it has started, as far as the system (Linux) tells."""
    yield pid
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in children.read_text().split():
            yield from _family(int(child))


if __name__ == "__main__":
    sys.exit(run_program(command, sys.argv[1:], "python -m benchmarks.watch"))
