"""`python -m benchmarks.rows OUT`: what very many rows cost when they are resumed, verified, exported.

In: a finished data set with one image a shot, whose first row is repeated with other numbers. Out: time and
peak memory of each command's work on rows, in a new process, Python included. There are no files behind the
rows. Ten million rows of an ordinary spec take 65 GB; --short leaves out the values that are defaults, as in
rows of older data sets, and a spec without lamps, with `sensor: ideal`, makes them shorter still. The first
work is always `resume`, which sorts the rows for the others: they then need their space twice, but not with
--sorted.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from hashlib import sha256
from itertools import chain
from pathlib import Path
from shutil import rmtree
from typing import Any

import click

from blendgen.cli import run_program
from blendgen.cli.terminal import echo
from blendgen.dataset.layout import Layout
from blendgen.dataset.manifest import read_lines
from blendgen.dataset.store import read_record, record_bytes
from blendgen.errors import ExitCode, UsageError
from blendgen.scene.folder_names import numbered
from blendgen.scene.shot import Exposure, Shot

_MARK = "999999999"  # where a row has the number of its image
_NAMES = (
    "resume",
    "open_rows",
    "status",
    "count_rows",
    "verify",
    "export_csv",
    "export_coco",
    "export_imagefolder",
)
_MEASURE = """\
import json, resource, sys, time
from pathlib import Path
from benchmarks import rows_work
began_s, began_cpu_s = time.perf_counter(), time.process_time()
count = getattr(rows_work, sys.argv[1])(Path(sys.argv[2]), Path(sys.argv[3]))
seconds, cpu_s = time.perf_counter() - began_s, time.process_time() - began_cpu_s
print(json.dumps([count, seconds, cpu_s, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))
"""


@click.command("rows")
@click.argument("folder", type=click.Path(path_type=Path, exists=True), metavar="OUT")
@click.option("-n", "--rows", type=click.IntRange(2), default=100_000, show_default=True)
@click.option("--short", is_flag=True, help="Rows without the values that are defaults.")
@click.option(
    "--only", "names", type=click.Choice(_NAMES), multiple=True, default=_NAMES, help="Measure this."
)
@click.option(
    "--sorted", "in_order", is_flag=True, help="Rows in order, so that resume does not write them again."
)
@click.option("--scratch", type=click.Path(path_type=Path), help="Folder on the disk to measure.")
def command(
    folder: Path, rows: int, short: bool, names: tuple[str, ...], in_order: bool, scratch: Path | None
) -> int:
    """Measure with many rows like the first one of the data set in OUT."""
    template = Layout(folder)
    if read_record(template).get("exposures_per_shot") != 1:
        raise UsageError(f"{folder}: expected a data set with one image a shot")
    with tempfile.TemporaryDirectory(dir=scratch) as place:
        size = _write(template, Layout(Path(place) / "set"), rows, short, in_order)
        echo(f"{rows} rows of {size // rows} B")
        for name in dict.fromkeys(("resume", *names)):
            count, wall_s, cpu_s, peak_mb = _measured(name, Path(place))
            per_million = f"{wall_s * 1e6 / rows:8.1f} s {cpu_s * 1e6 / rows:8.1f} s of one core"
            echo(f"{name:<18} {count:>9} {per_million} a million  {peak_mb:6.0f} MB")
            rmtree(Path(place) / name, ignore_errors=True)
    return ExitCode.OK


def _write(template: Layout, layout: Layout, rows: int, short: bool, in_order: bool) -> int:
    """Write a data set; unless in_order, the last two rows change places, as with workers. Returns bytes."""
    layout.root.mkdir()
    values = json.loads(next(iter(read_lines(template.manifest))))
    if short:
        for column, kind in (("shot", Shot), ("exposure", Exposure)):
            sampled = kind.model_validate(values[column])
            values[column] = sampled.model_dump(mode="json", exclude_defaults=True)
    last = (rows - 2, rows - 1) if in_order else (rows - 1, rows - 2)
    order = chain(range(rows - 2), last)
    with layout.manifest.open("wb") as manifest:
        manifest.writelines(lines(values, order))
    record = read_record(template)
    counts: dict[str, Any] = {"images": rows, "images_failed": 0, "images_failed_per_reason": {}}
    counts |= {f"images_per_{key}": {values[key]: rows} for key in ("split", "label")}
    layout.record.write_bytes(record_bytes(record | counts))
    layout.spec.write_bytes(template.spec.read_bytes())
    return layout.manifest.stat().st_size


def lines(values: dict[str, Any], order: Iterable[int]) -> Iterator[bytes]:
    """The lines of rows like one of another data set; each has a picture of its own."""
    number, padded = str(values["index"]), f"{values['index']:06d}"
    text = json.dumps(values)
    text = text.replace(f"/{padded}.", f"/{_MARK}p.").replace(f'index": {number},', f'index": {_MARK},')
    text = text.replace(values["sha256"], "{sha256}")
    parts = text.split("{sha256}")
    for index in order:
        line = sha256(b"%d" % index).hexdigest().join(parts)
        yield line.replace(f"{_MARK}p", numbered(index)).replace(_MARK, str(index)).encode() + b"\n"


def _measured(name: str, place: Path) -> tuple[int, float, float, float]:
    """(rows, seconds, seconds of one core, peak memory in MB) of a function of rows_work in a process."""
    arguments = [name, str(place / "set"), str(place / name)]
    done = subprocess.run([sys.executable, "-c", _MEASURE, *arguments], check=True, stdout=subprocess.PIPE)
    count, wall_s, cpu_s, peak_mb = json.loads(done.stdout)
    return count, wall_s, cpu_s, peak_mb


if __name__ == "__main__":
    sys.exit(run_program(command, sys.argv[1:], "python -m benchmarks.rows"))
