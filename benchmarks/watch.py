"""`python -m benchmarks.watch`: how long `blendgen preview --watch` takes after a change of the spec.

In: a spec. Out: medians of several changes: seconds from the change until the sheet shows its first new
image and until it is finished, seconds of CPU time of all processes, and their memory in the end. One kind of
change makes every shot another one; the other changes the sensor alone, and no shot.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
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
            watch.changed(values | change(rounds))  # what stays is loaded
            sheets = [watch.changed(values | change(number)) for number in range(rounds)]
            first_s, all_s, computing_s = map(statistics.median, zip(*sheets, strict=True))
            times = f"first image {first_s:5.2f} s  sheet {all_s:5.2f} s  {computing_s:5.2f} s of CPU"
            echo(f"{kind} changes: {times}")
        echo(f"peak memory of all processes: {watch.memory_mb():.0f} MB")
    return ExitCode.OK


class _Watch:
    """A running `blendgen preview --watch`, which has written its first sheet."""

    def __init__(self, process: subprocess.Popen[bytes], folder: Path):
        self._process, self._folder = process, folder
        self._sheets = 0
        self._finished()

    def changed(self, values: dict) -> Sheet:
        """Change the spec, and wait for the sheet."""
        time.sleep(_QUIET_S)
        before_s, changed_s = self._computing_s(), time.time()
        (self._folder / "new.yaml").write_text(yaml.safe_dump(values))
        (self._folder / "new.yaml").replace(self._folder / "scene.yaml")
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
def _watching(folder: Path, values: dict, images: int) -> Iterator[_Watch]:
    (folder / "scene.yaml").write_text(yaml.safe_dump(values))
    command = [sys.executable, "-m", "blendgen", "preview", "scene.yaml", "--watch"]
    command += ["-n", str(images), "-o", "sheet.png"]
    with (folder / "out").open("wb") as out:
        process = subprocess.Popen(command, cwd=folder, stdout=out, stderr=out)
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
