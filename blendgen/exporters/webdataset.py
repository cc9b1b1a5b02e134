"""WebDataset: <split>-000000.tar with 000042.png, .cls and .json, and 000042.mask.png on request."""

from __future__ import annotations

import logging
import tarfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

from blendgen.containers.members import add_member, described, members, opened_tar
from blendgen.dataset.source import Source
from blendgen.exporters.card import dataset_card, tasks
from blendgen.exporters.destination import Destination
from blendgen.exporters.exporter import LIMITS, Exporter, Options
from blendgen.exporters.parts import Put, numbered_samples, one_file_per_split
from blendgen.exporters.row_fields import RowFields, leaves
from blendgen.exporters.samples import Sample
from blendgen.files.names import some_of

_log = logging.getLogger(__name__)
_FIRST_SAMPLES = 5  # of the last split, from which Hugging Face datasets infers types


def export_webdataset(
    source: Source, destination: Destination, options: Options, advance: Callable[[int], None]
):
    """Write the samples of each split in shards of about options.shard_bytes."""
    shards, images = dict.fromkeys(source.splits, 0), dict.fromkeys(source.splits, 0)
    first: dict[str, set[str]] = {split: set() for split in source.splits}
    every: set[str] = set()
    with one_file_per_split(partial(_shard, destination, options.row_fields)) as put:
        for number, sample in numbered_samples(source, options):
            put(number, sample)
            shards[sample.split] = number + 1
            valued = _columns_with_values(plain_columns(sample, options.row_fields))
            every |= valued
            if images[sample.split] < _FIRST_SAMPLES:
                first[sample.split] |= valued
            images[sample.split] += 1
            advance(1)
    card = dataset_card(source, images, "{split}-*.tar", tasks(source, options), options)
    destination.write_text("README.md", card)
    _warn_of_types({split: first[split] for split in images if images[split]}, every)
    return {"shards": shards}


def _columns_with_values(columns: dict[str, Any]) -> set[str]:
    return {name for name, one in leaves(columns) if _has_value(one)}


def _has_value(one: Any) -> bool:
    return any(map(_has_value, one)) if isinstance(one, list | tuple) else one is not None


def _warn_of_types(first: Mapping[str, set[str]], every: set[str]) -> None:
    """first: of each split with samples, the columns with values in the first of them; every: of all samples.

    Hugging Face datasets cannot read what does not fit the types that it infers; other readers do not infer.
    """
    last, valued = [("", set()), *first.items()][-1]
    if lacking := sorted(every - valued):
        _log.warning(
            "the first %d images of %s, from which Hugging Face datasets infers types, have no values of "
            "%s: load_dataset will refuse this export; export to parquet, which states the types",
            _FIRST_SAMPLES, last, some_of(lacking),
        )  # fmt: skip


def plain_columns(sample: Sample, fields: RowFields) -> dict[str, Any]:
    """The columns of a row that describe the image, and of those about its rendering the given fields."""
    columns = described(sample.row)
    if sample.box is not None:
        columns |= {"label": sample.label, "label_id": sample.label_id}
        columns |= {"crop": list(sample.box), "instance_id": sample.instance_id}
    attributes = fields.sample_values(sample)
    if attributes:
        columns["attributes"] = attributes
    return columns


@contextmanager
def _shard(destination: Destination, fields: RowFields, split: str, number: int) -> Iterator[Put]:
    name = f"{split}-{number:06d}.tar"
    if destination.has(name):
        yield lambda sample: None
        return
    with destination.opened(name) as file, opened_tar(file) as tar:
        yield partial(_add_sample, tar, fields)


def _add_sample(tar: tarfile.TarFile, fields: RowFields, sample: Sample) -> None:
    image, columns = (sample.suffix, sample.content()), plain_columns(sample, fields)
    for name, data in members(sample.name, image, sample.extra_contents(), sample.label_id, columns):
        add_member(tar, name, data)


EXPORTER = Exporter(
    name="webdataset",
    summary="tar files of images, classes and JSON",
    write=export_webdataset,
    options=("crops", "extras", "shard_bytes", "fields", "license", *LIMITS),
)
