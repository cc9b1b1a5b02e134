"""WebDataset: <split>-000000.tar of 000042.png, 000042.cls and 000042.json.

Shards end at a size that follows from the files alone, so that an export that was killed goes on after
the shards that are whole.
"""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable
from typing import Any

from blendgen.export.destination import Destination
from blendgen.export.options import Options
from blendgen.export.samples import Sample, samples
from blendgen.export.source import Source

COLUMNS = (
    "file_name",
    "label",
    "label_id",
    "split",
    "index",
    "shot_index",
    "width",
    "height",
    "objects",
    "camera",
)


def export_webdataset(
    source: Source, destination: Destination, options: Options, advance: Callable[[int], None]
):
    """Each split's samples in shards of about options.shard_bytes."""
    shards: dict[str, int] = {}
    for split in source.splits:
        number, held, size = 0, [], 0
        for sample in (one for one in samples(source, options.crops) if one.row["split"] == split):
            held.append(sample)
            size += sample.path.stat().st_size
            if size >= options.shard_bytes:
                _write(destination, split, number, held, advance)
                number, held, size = number + 1, [], 0
        if held:
            _write(destination, split, number, held, advance)
            number += 1
        shards[split] = number
    return {"shards": shards}


def plain_columns(sample: Sample) -> dict[str, Any]:
    """What of a row describes the picture and not how it was made."""
    columns = {key: sample.row[key] for key in COLUMNS}
    if sample.box is not None:
        columns |= {"label": sample.label, "label_id": sample.label_id}
        columns |= {"crop": list(sample.box), "instance_id": sample.instance_id}
    return columns


def _write(destination: Destination, split: str, number: int, held: list[Sample], advance) -> None:
    name = f"{split}-{number:06d}.tar"
    if not destination.has(name):
        with (
            destination.opened(name) as file,
            tarfile.open(fileobj=file, mode="w", format=tarfile.USTAR_FORMAT) as tar,
        ):
            for sample in held:
                _add(tar, f"{sample.name}{sample.suffix}", sample.content())
                _add(tar, f"{sample.name}.cls", str(sample.label_id).encode())
                _add(
                    tar, f"{sample.name}.json", json.dumps(plain_columns(sample), ensure_ascii=False).encode()
                )
    advance(len(held))


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    tar.addfile(info, io.BytesIO(data))
