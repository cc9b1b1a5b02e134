"""WebDataset: <split>-000000.tar with 000042.png, .cls and .json, and 000042.mask.png on request."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from blendgen.dataset.rows import row_values
from blendgen.dataset.source import Source
from blendgen.exporters.card import dataset_card, tasks
from blendgen.exporters.destination import Destination
from blendgen.exporters.exporter import LIMITS, Exporter, Options
from blendgen.exporters.parts import Put, numbered_samples, one_file_per_split
from blendgen.exporters.row_fields import RowFields
from blendgen.exporters.samples import Sample

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
    """Write the samples of each split in shards of about options.shard_bytes."""
    shards, images = dict.fromkeys(source.splits, 0), dict.fromkeys(source.splits, 0)
    with one_file_per_split(partial(_shard, destination, options.row_fields)) as put:
        for number, sample in numbered_samples(source, options):
            put(number, sample)
            shards[sample.split] = number + 1
            images[sample.split] += 1
            advance(1)
    card = dataset_card(source, images, "{split}-*.tar", tasks(source, options), options)
    destination.write_text("README.md", card)
    return {"shards": shards}


def plain_columns(sample: Sample, fields: RowFields) -> dict[str, Any]:
    """The columns of a row that describe the image, and of those about its rendering the given fields."""
    values = row_values(sample.row)
    columns = {column: values[column] for column in COLUMNS}
    if sample.box is not None:
        columns |= {"label": sample.label, "label_id": sample.label_id}
        columns |= {"crop": list(sample.box), "instance_id": sample.instance_id}
    if fields.features:
        columns["attributes"] = fields.sample_values(sample)
    return columns


@contextmanager
def _shard(destination: Destination, fields: RowFields, split: str, number: int) -> Iterator[Put]:
    name = f"{split}-{number:06d}.tar"
    if destination.has(name):
        yield lambda sample: None
        return
    with (
        destination.opened(name) as file,
        tarfile.open(fileobj=file, mode="w", format=tarfile.USTAR_FORMAT) as tar,
    ):
        yield partial(_add_sample, tar, fields)


def _add_sample(tar: tarfile.TarFile, fields: RowFields, sample: Sample) -> None:
    _add(tar, f"{sample.name}{sample.suffix}", sample.content())
    for name, data in sample.extra_contents().items():
        _add(tar, f"{sample.name}.{name}{sample.extras[name].suffix}", data)
    _add(tar, f"{sample.name}.cls", str(sample.label_id).encode())
    columns = json.dumps(plain_columns(sample, fields), ensure_ascii=False)
    _add(tar, f"{sample.name}.json", columns.encode())


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    tar.addfile(info, io.BytesIO(data))


EXPORTER = Exporter(
    name="webdataset",
    summary="tar files of images, classes and JSON",
    write=export_webdataset,
    options=("crops", "extras", "shard_bytes", "fields", "license", *LIMITS),
)
