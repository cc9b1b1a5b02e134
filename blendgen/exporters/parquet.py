"""Parquet: data/<split>-00000-of-00002.parquet with the images inside, a dataset card and croissant.json.

`hf upload` takes the folder as it is: the card states splits, features, sizes and tasks, and shows a few of
the images. `load_dataset(folder)` returns Image and ClassLabel features, which the schema contains; only
pyarrow is needed to write them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from blendgen.containers.features import Feature, card_features
from blendgen.containers.table import image_cells, image_features, opened_table, require_pyarrow, schema_of
from blendgen.dataset.source import Source
from blendgen.exporters.card import dataset_card, tasks
from blendgen.exporters.croissant_page import PAGE
from blendgen.exporters.croissant_parquet import parquet_page
from blendgen.exporters.destination import Destination
from blendgen.exporters.exporter import LIMITS, Exporter, Options
from blendgen.exporters.parts import Put, numbered_samples, one_file_per_split
from blendgen.exporters.previews import Previews
from blendgen.exporters.row_fields import RowFields, object_lists
from blendgen.exporters.samples import Sample
from blendgen.scene.split_names import hub_split


def export_parquet(
    source: Source, destination: Destination, options: Options, advance: Callable[[int], None]
):
    """Write all files; the manifest is read twice, because file names contain the number of files."""
    require_pyarrow()
    features = _features(source, options)
    files, counts = _counts(source, options)
    previews = Previews(destination, sum(counts.values()))

    def opened(split: str, number: int):
        name = _file_name(split, number, files[split])
        return _table(source, destination, name, features, options.row_fields)

    with one_file_per_split(opened) as put:
        for number, sample in numbered_samples(source, options):
            put(number, sample)
            previews.add(sample)
            advance(1)
    info = {"features": card_features(features), **_sizes(destination, files, counts)}
    purposes, pictures = tasks(source, options), previews.table()
    card = dataset_card(source, counts, "data/{split}-*", purposes, options, info=info, pictures=pictures)
    destination.write_text("README.md", card)
    page = parquet_page(source, features, options.license)
    destination.write_text(PAGE, json.dumps(page, indent=1, ensure_ascii=False) + "\n")
    return {"images_per_split": counts, "license": options.license}


def _counts(source: Source, options: Options) -> tuple[dict[str, int], dict[str, int]]:
    """Files and samples of each split."""
    files, counts = dict.fromkeys(source.splits, 0), dict.fromkeys(source.splits, 0)
    for number, sample in numbered_samples(source, options):
        files[sample.split] = number + 1
        counts[sample.split] += 1
    return files, counts


def _file_name(split: str, number: int, files: int) -> str:
    return f"data/{split}-{number:05d}-of-{files:05d}.parquet"


@contextmanager
def _table(
    source: Source, destination: Destination, name: str, features: Mapping[str, Feature], fields: RowFields
) -> Iterator[Put]:
    """Write one file, a few rows at a time."""
    if destination.has(name):
        yield lambda sample: None
        return
    with destination.opened(name) as file, opened_table(file, schema_of(features)) as put:
        yield lambda sample: put(
            fields.typed_values(sample) | _record(source, sample, fields), sample.size_bytes()
        )


def _record(source: Source, sample: Sample, fields: RowFields) -> dict[str, Any]:
    sample.refuse_exr()
    image = sample.suffix, sample.content()
    return {
        **image_cells(sample.name, image, sample.extra_contents()),
        "label": sample.label_id,
        "index": sample.row.index,
        "objects": object_lists(source, sample, fields),
    }


def _features(source: Source, options: Options) -> dict[str, Feature]:
    fields, crops = options.row_fields, options.crops is not None
    of_objects = fields.list_features(crops)
    columns = image_features(source.classes, bool(source.keypoints), options.extras, of_objects)
    return columns | fields.sample_features(crops) | columns


def _sizes(destination: Destination, files: Mapping[str, int], counts: Mapping[str, int]) -> dict[str, Any]:
    """Sizes for `dataset_info`, read from the finished files: an earlier run may have written some."""
    splits: list[dict[str, Any]] = []
    on_disk = 0
    for split, total in files.items():
        if not total:  # of crops, if no image of the split has an object
            continue
        paths = [destination.root / _file_name(split, number, total) for number in range(total)]
        on_disk += sum(path.stat().st_size for path in paths)
        size = sum(map(_content_bytes, paths))
        splits.append({"name": hub_split(split), "num_bytes": size, "num_examples": counts[split]})
    total_bytes = sum(one["num_bytes"] for one in splits)
    return {"splits": splits, "download_size": on_disk, "dataset_size": total_bytes}


def _content_bytes(path: Path) -> int:
    """Size of the columns of a file, not compressed."""
    import pyarrow.parquet as pq

    metadata = pq.read_metadata(path)
    return sum(metadata.row_group(number).total_byte_size for number in range(metadata.num_row_groups))


EXPORTER = Exporter(
    name="parquet",
    summary="Parquet files with the images inside, for the Hugging Face hub and its datasets library",
    write=export_parquet,
    options=("crops", "extras", "shard_bytes", "fields", "license", *LIMITS),
)
