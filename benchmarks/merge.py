"""`python -m benchmarks.merge`: time and memory of `blendgen merge`, over shards with simulated rows.

Rows have the columns and the length of real ones, and differ in their numbers alone. Their files are a
picture of one pixel; with --no-files there are none, and only the work on rows is measured, so that ten
million of them fit on a disk. The peak is that of a process that does nothing but merge, Python included.
"""

from __future__ import annotations

import io
import resource
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import click
from PIL import Image

from blendgen.cli.terminal import echo, echo_json
from blendgen.dataset.layout import Layout
from blendgen.dataset.manifest import Summary
from blendgen.dataset.ownership import spec_sha256
from blendgen.dataset.rows import row_line
from blendgen.dataset.store import counts_record, record_bytes
from blendgen.farm.shards import Shard
from blendgen.scene.row import Objects, Row, RowCamera, RowFile

_EYE4 = tuple(tuple(float(row == column) for column in range(4)) for row in range(4))
_MARK = 999_999_000  # an index that is replaced
_MERGE = """\
import sys
from pathlib import Path
from blendgen import api
from blendgen.farm import merge
from blendgen.farm.placement import Placement
if sys.argv[2] == "no-files":
    Placement.place = lambda self, source, row, index: None
    merge.sheet_bytes = lambda folder: bytes([255, 216]) + b"contact sheet of blendgen"
api.merge(sys.argv[1])
"""


@click.command()
@click.option("--rows", type=click.IntRange(1), default=100_000, show_default=True, help="Rows in all.")
@click.option("--shards", "count", type=click.IntRange(1), default=10, show_default=True, help="Shards.")
@click.option("--row-bytes", default=6000, show_default=True, help="About so long is a row.")
@click.option("--no-files", is_flag=True, help="Make and place no files.")
@click.option("--folder", type=click.Path(path_type=Path), help="Where to make the shards; default: $TMPDIR.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def command(rows, count, row_bytes, no_files, folder, as_json):
    """Merge simulated shards, twice; the second time there is nothing to do."""
    with TemporaryDirectory(dir=folder) as place:
        out = Path(place) / "out"
        for index in range(count):
            make_shard(out, Shard(index, count), rows, row_bytes, not no_files)
        first, again = (merge_seconds(out, no_files) for _ in range(2))
        lines = sum(1 for _ in Layout(out).manifest.open("rb"))
    millions = rows / 1e6
    figures = {
        "rows": lines,
        "shards": count,
        "wall_seconds_per_million": round(first[0] / millions, 1),
        "cpu_seconds_per_million": round(first[1] / millions, 1),
        "cpu_seconds_per_million_again": round(again[1] / millions, 1),
        "peak_mib": round(children().ru_maxrss / 1024),
    }
    if as_json:
        echo_json(figures)
    else:
        echo("\n".join(f"{name:32}{value}" for name, value in figures.items()))


def make_shard(out: Path, shard: Shard, rows: int, row_bytes: int, with_files: bool) -> None:
    """Write a finished shard of a data set with one image a shot."""
    layout, picture = Layout(out / "shards" / shard.name), pixel()
    for folder in ("images", "masks"):
        (layout.root / folder / "train" / "thing").mkdir(parents=True)
    indices = shard.images(rows, 1)
    with layout.manifest.open("wb") as manifest:
        for line, names in lines(indices, row_bytes, picture):
            manifest.write(line)
            for name in names if with_files else ():
                (layout.root / name).write_bytes(picture)
    spec = f"images: {rows}\n"
    record = {
        "schema_version": 1, "name": "simulated", "digest": "0" * 64, "pixels_version": 1,
        "classes": ["thing"], "exposures_per_shot": 1, "blendgen_version": "0", "blender_version": "0",
        "spec_sha256": spec_sha256(spec),
    }  # fmt: skip
    counted = Summary(Counter({("thing", "train"): len(indices)}))
    layout.record.write_bytes(record_bytes(record | counts_record(counted, {})))
    layout.spec.write_text(spec)


def lines(indices: range, row_bytes: int, picture: bytes) -> Iterator[tuple[bytes, list[str]]]:
    """The line of the manifest and the names of the files of each row."""
    file = {"sha256": sha256(picture).hexdigest(), "size_bytes": len(picture)}
    paths = ("images/train/thing/{:06d}.png", "masks/train/thing/{:06d}.png")
    files = {
        kind: RowFile(name=path.format(_MARK), **file)
        for kind, path in zip(("image", "mask"), paths, strict=True)
    }
    bare = row_line(_row(files, []))
    text = row_line(_row(files, [0.123456789] * max(0, (row_bytes - len(bare)) // 13)))
    parts = text.encode().split(str(_MARK).encode())
    for index in indices:
        padded, number = b"%06d" % index, b"%d" % index
        pieces = (parts[0], padded, parts[1], padded, parts[2], number, parts[3], number, parts[4])
        yield b"".join(pieces), [path.format(index) for path in paths]


def _row(files: dict[str, RowFile], values: list[float]) -> Row:
    objects = Objects(
        bbox=((0, 0, 1, 1),), bbox_amodal=((0, 0, 1, 1),), category=("thing",), category_id=(0,), area=(1,),
        product=("thing",), colorway=("default",), case=(None,), visible_fraction=(1.0,), instance_id=(1,),
        object_to_world=(_EYE4,), object_to_camera=(_EYE4,), size_m=((0.1, 0.1, 0.1),),
    )  # fmt: skip
    camera = RowCamera(
        intrinsics=((1.0, 0.0, 0.5), (0.0, 1.0, 0.5), (0.0, 0.0, 1.0)), world_to_camera=_EYE4,
        distortion=(0.0, 0.0, 0.0, 0.0, 0.0),
    )  # fmt: skip
    return Row(
        index=_MARK, label="thing", split="train", files=files, label_id=0, shot_index=_MARK, width=1,
        height=1, objects=objects, camera=camera, shot_values={"values": values}, exposure_values={},
    )  # fmt: skip


def pixel() -> bytes:
    """A picture of one pixel, as a PNG."""
    buffer = io.BytesIO()
    Image.new("RGB", (1, 1)).save(buffer, "PNG")
    return buffer.getvalue()


def merge_seconds(out: Path, no_files: bool) -> tuple[float, float]:
    """Wall time and computing time of a process that merges the shards of a folder."""
    start, before = time.perf_counter(), children()
    arguments = [str(out), "no-files" if no_files else "files"]
    subprocess.run([sys.executable, "-c", _MERGE, *arguments], check=True)
    after = children()
    computing = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - start, computing


def children() -> resource.struct_rusage:
    """What all processes together have used that this one has started."""
    return resource.getrusage(resource.RUSAGE_CHILDREN)


if __name__ == "__main__":
    command()
