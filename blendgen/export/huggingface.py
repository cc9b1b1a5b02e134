"""Hugging Face: `hf`, an image folder with metadata.jsonl a split; `parquet`, images inside the files.

Parquet carries typed Image and ClassLabel features in its schema, written by pyarrow alone, so that
`load_dataset(folder)` gives both. Each comes with a dataset card.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import groupby
from typing import Any

from blendgen.errors import SetupError
from blendgen.export.card import dataset_card
from blendgen.export.destination import Destination
from blendgen.export.options import Options
from blendgen.export.samples import Sample, samples
from blendgen.export.source import Source

_OBJECT_FEATURES = {
    "bbox": {
        "feature": {"feature": {"dtype": "float32", "_type": "Value"}, "length": 4, "_type": "List"},
        "_type": "List",
    },
    "area": {"feature": {"dtype": "int64", "_type": "Value"}, "_type": "List"},
    "visible_fraction": {"feature": {"dtype": "float32", "_type": "Value"}, "_type": "List"},
}
_ROWS_AT_ONCE = 64


def export_hf(source: Source, destination: Destination, options: Options, advance: Callable[[int], None]):
    """<split>/name.png and <split>/metadata.jsonl with the label and the objects of each."""
    counts: dict[str, int] = {}
    for split in source.splits:
        counts[split] = 0
        with destination.opened(f"{split}/metadata.jsonl") as file:
            for sample in (one for one in samples(source, options.crops) if one.row["split"] == split):
                name = f"{sample.name}{sample.suffix}"
                sample.place(destination, f"{split}/{name}")
                row = {
                    "file_name": name,
                    "label": sample.label,
                    "label_id": sample.label_id,
                    "objects": _objects(sample),
                }
                file.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")
                counts[split] += 1
                advance(1)
    destination.write_text("README.md", dataset_card(source, counts))
    return {"images_per_split": counts}


def export_parquet(
    source: Source, destination: Destination, options: Options, advance: Callable[[int], None]
):
    """data/<split>-00000-of-00002.parquet, images embedded; a killed export goes on after whole files."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise SetupError(f"parquet needs pyarrow ({error}): pip install 'blendgen[parquet]'") from None
    schema = _schema(pa, source)
    counts: dict[str, int] = {}
    for split in source.splits:
        counts[split], total = 0, 0
        for number, _ in _numbered(source, options, split):
            counts[split], total = counts[split] + 1, number + 1
        for number, group in groupby(_numbered(source, options, split), key=lambda pair: pair[0]):
            name = f"data/{split}-{number:05d}-of-{total:05d}.parquet"
            if destination.has(name):
                advance(sum(1 for _ in group))
                continue
            with destination.opened(name) as file, pq.ParquetWriter(file, schema) as writer:
                for batch in _batches(sample for _, sample in group):
                    writer.write_table(pa.Table.from_pylist([_record(one) for one in batch], schema=schema))
                    advance(len(batch))
    destination.write_text("README.md", dataset_card(source, counts))
    return {"images_per_split": counts}


def _of(source: Source, options: Options, split: str) -> Iterator[Sample]:
    return (one for one in samples(source, options.crops) if one.row["split"] == split)


def _numbered(source: Source, options: Options, split: str) -> Iterator[tuple[int, Sample]]:
    """Samples with the number of the file that holds each: it follows from the images' sizes alone."""
    size, number = 0, 0
    for sample in _of(source, options, split):
        if size >= options.shard_bytes:
            size, number = 0, number + 1
        yield number, sample
        size += sample.path.stat().st_size


def _batches(stream: Iterator[Sample]) -> Iterator[list[Sample]]:
    batch: list[Sample] = []
    for sample in stream:
        batch.append(sample)
        if len(batch) == _ROWS_AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch


def _record(sample: Sample) -> dict[str, Any]:
    return {
        "image": {"bytes": sample.content(), "path": f"{sample.name}{sample.suffix}"},
        "label": sample.label_id,
        "index": sample.row["index"],
        "objects": _objects(sample),
    }


def _objects(sample: Sample) -> dict[str, list]:
    """Boxes of the objects of a whole image; none of a crop, which is one object."""
    columns = sample.row["objects"]
    keys = ("bbox", "category_id", "area", "visible_fraction")
    chosen = {key: columns[key] if sample.box is None else [] for key in keys}
    chosen["category"] = chosen.pop("category_id")
    return chosen


def _schema(pa, source: Source):
    objects = pa.struct(
        [
            ("bbox", pa.list_(pa.list_(pa.float32(), 4))),
            ("area", pa.list_(pa.int64())),
            ("visible_fraction", pa.list_(pa.float32())),
            ("category", pa.list_(pa.int64())),
        ]
    )
    image = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    label = {"names": list(source.classes), "_type": "ClassLabel"}
    features = {
        "image": {"_type": "Image"},
        "label": label,
        "index": {"dtype": "int64", "_type": "Value"},
        "objects": {**_OBJECT_FEATURES, "category": {"feature": label, "_type": "List"}},
    }
    fields = [("image", image), ("label", pa.int64()), ("index", pa.int64()), ("objects", objects)]
    described = {"huggingface": json.dumps({"info": {"features": features}})}
    return pa.schema(fields, metadata=described)
