"""Hugging Face image folder: <split>/ with metadata.jsonl, and a dataset card.

`load_dataset(folder)` returns image, label and objects; `--include mask` adds the masks in <split>/mask/, as
a second image column of that name. scene/split_names.py names the splits; the card lists them. With
push_ready the folder is that of parquet.py.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from typing import Any

from blendgen.containers.features import Feature, feature_of, merged
from blendgen.dataset.source import Source
from blendgen.errors import UsageError
from blendgen.exporters.card import dataset_card, tasks
from blendgen.exporters.destination import Destination
from blendgen.exporters.exporter import LIMITS, Exporter, Options
from blendgen.exporters.full_folders import FullFolders
from blendgen.exporters.parquet import export_parquet
from blendgen.exporters.row_fields import leaves, object_lists
from blendgen.exporters.samples import Sample, samples

_log = logging.getLogger(__name__)


def export_hf(source: Source, destination: Destination, options: Options, advance: Callable[[int], None]):
    """Write <split>/name.png, and <split>/metadata.jsonl with the label and the objects of each image."""
    if options.push_ready:
        return export_parquet(source, destination, options, advance)
    counts = dict.fromkeys(source.splits, 0)
    fields = options.row_fields.without_blank()  # the loader cannot read lists of nulls
    features: dict[str, dict[str, Feature | None]] = {split: {} for split in source.splits}
    full = FullFolders()
    with ExitStack() as stack:
        files = {
            split: stack.enter_context(destination.opened(f"{split}/metadata.jsonl"))
            for split in source.splits
        }
        for sample in samples(source, options.crops, options.extras):
            columns = _place(sample, destination, full.next(sample.split))
            columns |= {"label": sample.label, "label_id": sample.label_id}
            columns |= {"objects": object_lists(source, sample, fields)}
            columns = columns | fields.typed_values(sample) | columns
            _note_features(features[sample.split], columns)
            files[sample.split].write(json.dumps(columns, ensure_ascii=False).encode() + b"\n")
            counts[sample.split] += 1
            advance(1)
    _warn_of_types([features[split] for split in counts if counts[split]] or [{}])
    card = dataset_card(source, counts, "{split}/**", tasks(source, options), options)
    destination.write_text("README.md", card)
    return {"images_per_split": counts}


def _check(options: Options) -> None:
    if "shard_bytes" in options.given() and not options.push_ready:
        raise UsageError("shard_mb: needs push_ready in this format, because an image folder has no shards")


def _note_features(features: dict[str, Feature | None], columns: dict[str, Any]) -> None:
    for name, value in leaves(columns):
        features[name] = merged(features.get(name), feature_of(value))


def _warn_of_types(features: Iterable[dict[str, Feature | None]]) -> None:
    """JSON does not state types: the loader guesses them in each split, and refuses splits that differ."""
    first, *others = features
    name = next((name for name in first if any(own.get(name) != first[name] for own in others)), None)
    if name is not None:
        _log.warning(
            "metadata.jsonl: load_dataset will refuse this export, because the values of %s differ in "
            "type from split to split, or a split has none; export to parquet, which states the types",
            name,
        )


def _place(sample: Sample, destination: Destination, inner: str) -> dict[str, Any]:
    """Add the files; returns the columns with their names, relative to the folder of the split.

    inner: sub-folder of the files, with "/", or nothing
    """
    sample.refuse_exr()
    name = f"{inner}{sample.name}{sample.suffix}"
    sample.place(destination, f"{sample.split}/{name}")
    names = {"file_name": name}
    for extra, path in sample.extras.items():
        names[f"{extra}_file_name"] = f"{extra}/{inner}{sample.name}{path.suffix}"
        destination.place(path, f"{sample.split}/{names[f'{extra}_file_name']}")
    return names


EXPORTER = Exporter(
    name="hf",
    summary="image folder with metadata.jsonl, as Hugging Face datasets reads it",
    write=export_hf,
    options=("push_ready", "shard_bytes", "crops", "extras", "fields", "license", *LIMITS),
    check=_check,
)
