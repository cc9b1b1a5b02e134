"""Hugging Face image folder: <split>/ with metadata.jsonl, and a dataset card.

`load_dataset(folder)` returns image, label and objects; `--include mask` adds the masks in <split>/mask/, as
a second image column of that name. scene/split_names.py names the splits; the card lists them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any

from blendgen.dataset.source import Source
from blendgen.exporters.card import dataset_card, tasks
from blendgen.exporters.destination import Destination
from blendgen.exporters.exporter import LIMITS, Exporter, Options
from blendgen.exporters.samples import Sample, samples


def export_hf(source: Source, destination: Destination, options: Options, advance: Callable[[int], None]):
    """Write <split>/name.png, and <split>/metadata.jsonl with the label and the objects of each image."""
    counts = dict.fromkeys(source.splits, 0)
    with ExitStack() as stack:
        files = {
            split: stack.enter_context(destination.opened(f"{split}/metadata.jsonl"))
            for split in source.splits
        }
        for sample in samples(source, options.crops, options.extras):
            columns = _place(sample, destination) | {"label": sample.label, "label_id": sample.label_id}
            columns |= {"objects": object_lists(source, sample)}
            files[sample.split].write(json.dumps(columns, ensure_ascii=False).encode() + b"\n")
            counts[sample.split] += 1
            advance(1)
    card = dataset_card(source, counts, "{split}/**", tasks(source, options), options)
    destination.write_text("README.md", card)
    return {"images_per_split": counts}


def object_lists(source: Source, sample: Sample) -> dict[str, Sequence[Any]]:
    """Boxes of the objects of a whole image, and keypoints if the data set has them.

    Empty for a crop, which is a single object.
    """
    objects = sample.row.objects
    keys = ["bbox", "category_id", "area", "visible_fraction", *(["keypoints"] if source.keypoints else [])]
    chosen: dict[str, Any] = {key: getattr(objects, key) if sample.box is None else [] for key in keys}
    chosen["category"] = chosen.pop("category_id")
    return chosen


def _place(sample: Sample, destination: Destination) -> dict[str, str]:
    """Add the files; returns the columns with their names, relative to the folder of the split."""
    sample.refuse_exr()
    name = f"{sample.name}{sample.suffix}"
    sample.place(destination, f"{sample.split}/{name}")
    names = {"file_name": name}
    for extra, path in sample.extras.items():
        names[f"{extra}_file_name"] = f"{extra}/{sample.name}{path.suffix}"
        destination.place(path, f"{sample.split}/{names[f'{extra}_file_name']}")
    return names


EXPORTER = Exporter(
    name="hf",
    summary="image folder with metadata.jsonl, as Hugging Face datasets reads it",
    write=export_hf,
    options=("crops", "extras", "license", *LIMITS),
)
