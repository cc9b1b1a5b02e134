"""`python -m benchmarks.status OUT`: what `blendgen status` costs for a data set of very many rows.

In: a finished data set, whose first row is repeated. Out: seconds and peak memory of one look, each in a new
process: where all rows have to be counted, as after a loss of all that a run wrote about itself; where
dataset.json or the status file of a run has counted them; and of many shards.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import click

from blendgen.cli import run_program
from blendgen.cli.terminal import echo
from blendgen.dataset.layout import Layout
from blendgen.dataset.manifest import read_lines
from blendgen.dataset.run_status import RunStatus, write_run_status
from blendgen.errors import ExitCode
from blendgen.system.process import this_process

_BLOCK_ROWS = 1000
_LOOK = """\
import json, resource, sys, time
import blendgen, blendgen.farm.status
began_s = time.perf_counter()
status = blendgen.status(sys.argv[1], wait_s=0)
seconds = time.perf_counter() - began_s
print(json.dumps([status.images, seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))
"""


@click.command("status")
@click.argument("folder", type=click.Path(path_type=Path, exists=True), metavar="OUT")
@click.option("-n", "--rows", type=click.IntRange(1), default=1_000_000, show_default=True)
@click.option("--shards", type=click.IntRange(1), default=1000, show_default=True)
@click.option("--scratch", type=click.Path(path_type=Path), help="Folder on the disk to measure.")
def command(folder: Path, rows: int, shards: int, scratch: Path | None) -> int:
    """Measure `blendgen status` with many rows like the first one of the data set in OUT."""
    with tempfile.TemporaryDirectory(dir=scratch) as place:
        for name, prepared in _cases(Layout(folder), Path(place), rows, shards):
            images, seconds, peak_mb = _look(prepared)
            echo(f"{name:<32} {images:>10} images  {seconds:8.3f} s  {peak_mb:6.0f} MB")
    return ExitCode.OK


def _cases(template: Layout, place: Path, rows: int, shards: int) -> Iterator[tuple[str, Path]]:
    layout = _copied(template, place / "out")
    row = next(iter(read_lines(template.manifest)))
    with layout.manifest.open("wb") as manifest:
        for done in range(0, rows, _BLOCK_ROWS):
            manifest.write(row * min(_BLOCK_ROWS, rows - done))
    yield f"every row counted ({len(row)} B each)", layout.root
    counted = {"images": rows, "manifest_bytes": layout.manifest.stat().st_size, "phase": "rendering"}
    process = asdict(this_process())
    write_run_status(layout, RunStatus.model_validate(counted | process | {"run": "r", "started": ""}))
    yield "counted by a run", layout.root
    layout.run_status.unlink()
    layout.record.write_text(json.dumps(json.loads(layout.record.read_text()) | {"images": rows}))
    yield "counted by dataset.json", layout.root
    for index in range(shards):
        shard = _copied(template, place / "many" / "shards" / f"{index:05d}-of-{shards:05d}")
        shutil.copy(template.manifest, shard.manifest)
    yield f"{shards} shards", place / "many"


def _copied(template: Layout, root: Path) -> Layout:
    """The files that describe a data set, in a new folder."""
    layout = Layout(root)
    root.mkdir(parents=True)
    for path in (template.spec, template.record):
        shutil.copy2(path, root)
    return layout


def _look(folder: Path) -> tuple[int, float, float]:
    """(images, seconds, peak memory in MB) of one look in a new process."""
    done = subprocess.run([sys.executable, "-c", _LOOK, folder], check=True, capture_output=True, text=True)
    images, seconds, peak_mb = json.loads(done.stdout)
    return images, seconds, peak_mb


if __name__ == "__main__":
    sys.exit(run_program(command, sys.argv[1:], "python -m benchmarks.status"))
