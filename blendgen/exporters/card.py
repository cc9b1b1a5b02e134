"""Dataset card: README.md of a data set on the Hugging Face hub, from dataset.json."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from blendgen.dataset.source import Source
from blendgen.scene.split_names import hub_split

_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))


def dataset_card(source: Source, images_per_split: Mapping[str, int], files: str, **loader: Any) -> str:
    """The front matter and text of the card.

    images_per_split: of the export
    files: a pattern of the files of a split, with {split} for its name; readers guess splits from words in
        paths unless the card states them
    loader: more options of `load_dataset`
    """
    total = sum(images_per_split.values())
    head = {
        "pretty_name": source.name,
        "task_categories": ["image-classification", "object-detection"],
        "tags": ["synthetic", "blender", "blendgen"],
        "size_categories": [next((name for limit, name in _SIZES if total < limit), "1M<n<10M")],
        "configs": [{"config_name": "default", "data_files": _data_files(images_per_split, files), **loader}],
    }
    record = source.record
    per_shot = record.get("exposures_per_shot", 1)
    made_with = f"blendgen {record.get('blendgen_version', '')}, Blender {record.get('blender_version', '')}"
    splits = "\n".join(f"| {split} | {count} |" for split, count in images_per_split.items())
    classes = "\n".join(_class_line(source, *numbered) for numbered in enumerate(source.classes))
    return f"""---
{yaml.safe_dump(head, sort_keys=False, allow_unicode=True)}---

# {source.name}

Synthetic images of 3D models, made with {made_with}; every label is exact by construction.
Seed {record.get("seed", "")}, digest `{source.digest[:16]}`.
Images per rendered shot, which share its geometry: {per_shot}; all of them are in the same split.

| split | images |
| --- | --- |
{splits}

## Classes

{classes}
"""


def _data_files(splits: Iterable[str], files: str) -> list[dict[str, str]]:
    return [{"split": hub_split(split), "path": files.format(split=split)} for split in splits]


def _class_line(source: Source, number: int, label: str) -> str:
    names = source.keypoint_names(label)
    return f"{number}. `{label}`" + (f": keypoints {', '.join(names)}" if names else "")
