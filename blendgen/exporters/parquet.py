"""Parquet: data/<split>-00000-of-00002.parquet with the images inside, and a dataset card.

The schema contains Image and ClassLabel features, so that `load_dataset(folder)` of the datasets library
returns both; only pyarrow is needed to write them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from blendgen.dataset.source import Source
from blendgen.errors import SetupError
from blendgen.exporters.card import dataset_card
from blendgen.exporters.destination import Destination
from blendgen.exporters.exporter import LIMITS, Exporter, Options
from blendgen.exporters.huggingface import object_lists
from blendgen.exporters.parts import Put, numbered_samples, one_file_per_split
from blendgen.exporters.samples import Sample

_ROWS_AT_ONCE = 64


def export_parquet(
    source: Source, destination: Destination, options: Options, advance: Callable[[int], None]
):
    """Write all files; the manifest is read twice, because file names contain the number of files."""
    try:
        import pyarrow as pa
    except ImportError as error:
        raise SetupError(f"parquet needs pyarrow ({error}): pip install 'blendgen[parquet]'") from None
    schema = _schema(pa, source, options)
    files, counts = dict.fromkeys(source.splits, 0), dict.fromkeys(source.splits, 0)
    for number, sample in numbered_samples(source, options):
        files[sample.split] = number + 1

    def opened(split: str, number: int):
        name = f"data/{split}-{number:05d}-of-{files[split]:05d}.parquet"
        return _table(source, destination, name, schema)

    with one_file_per_split(opened) as put:
        for number, sample in numbered_samples(source, options):
            put(number, sample)
            counts[sample.split] += 1
            advance(1)
    destination.write_text("README.md", dataset_card(source, counts, "data/{split}-*"))
    return {"images_per_split": counts}


@contextmanager
def _table(source: Source, destination: Destination, name: str, schema) -> Iterator[Put]:
    """Write one file, a few rows at a time."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if destination.has(name):
        yield lambda sample: None
        return
    rows: list[dict[str, Any]] = []
    with destination.opened(name) as file, pq.ParquetWriter(file, schema) as writer:

        def flush() -> None:
            writer.write_table(pa.Table.from_pylist(rows, schema=schema))
            rows.clear()

        def put(sample: Sample) -> None:
            rows.append(_record(source, sample))
            if len(rows) == _ROWS_AT_ONCE:
                flush()

        yield put
        if rows:
            flush()


def _record(source: Source, sample: Sample) -> dict[str, Any]:
    sample.refuse_exr()
    extras = {
        name: {"bytes": data, "path": f"{sample.name}.{name}{sample.extras[name].suffix}"}
        for name, data in sample.extra_contents().items()
    }
    return {
        "image": {"bytes": sample.content(), "path": f"{sample.name}{sample.suffix}"},
        **extras,
        "label": sample.label_id,
        "index": sample.row.index,
        "objects": object_lists(source, sample),
    }


def _schema(pa, source: Source, options: Options):
    image = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    label = {"names": list(source.classes), "_type": "ClassLabel"}
    boxes = pa.list_(pa.list_(pa.float32(), 4))
    objects = {
        "bbox": (boxes, _lists(_lists(_value("float32"), length=4))),
        "area": (pa.list_(pa.int64()), _lists(_value("int64"))),
        "visible_fraction": (pa.list_(pa.float32()), _lists(_value("float32"))),
        "category": (pa.list_(pa.int64()), _lists(label)),
    }
    if source.keypoints:
        points = pa.list_(pa.list_(pa.list_(pa.float32(), 3)))
        objects["keypoints"] = (points, _lists(_lists(_lists(_value("float32"), length=3))))
    columns = {
        "image": (image, {"_type": "Image"}),
        **{name: (image, {"_type": "Image"}) for name in options.extras},
        "label": (pa.int64(), label),
        "index": (pa.int64(), _value("int64")),
        "objects": (pa.struct([(key, kind) for key, (kind, _) in objects.items()]),
                    {key: feature for key, (_, feature) in objects.items()}),
    }  # fmt: skip
    features = {name: feature for name, (_, feature) in columns.items()}
    described = {"huggingface": json.dumps({"info": {"features": features}})}
    return pa.schema([(name, kind) for name, (kind, _) in columns.items()], metadata=described)


def _value(dtype: str) -> dict[str, Any]:
    return {"dtype": dtype, "_type": "Value"}


def _lists(feature: dict[str, Any], **length: int) -> dict[str, Any]:
    return {"feature": feature, **length, "_type": "List"}


EXPORTER = Exporter(
    name="parquet",
    summary="Parquet files with the images inside, as Hugging Face datasets reads them",
    write=export_parquet,
    options=("crops", "extras", "shard_bytes", *LIMITS),
)
