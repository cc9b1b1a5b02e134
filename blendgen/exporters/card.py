"""Dataset card: README.md of a data set on the Hugging Face hub, from dataset.json and the options."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

import yaml

from blendgen.dataset.source import Source
from blendgen.exporters.exporter import Options
from blendgen.scene.split_names import hub_split

_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
# other files of an image -> what they are labels for
_TASKS_OF_FILES = {
    "mask": "image-segmentation",
    "semantic": "image-segmentation",
    "parts": "image-segmentation",
    "depth": "depth-estimation",
}


def tasks(source: Source, options: Options) -> list[str]:
    """What an export with boxes is for, in the words of the hub; a crop is a single object without a box."""
    if options.crops is not None:
        return ["image-classification"]
    keypoints = ["keypoint-detection"] if source.keypoints else []
    files = [_TASKS_OF_FILES[name] for name in options.extras if name in _TASKS_OF_FILES]
    return list(dict.fromkeys(["image-classification", "object-detection", *keypoints, *files]))


def dataset_card(
    source: Source,
    images_per_split: Mapping[str, int],
    files: str,
    tasks: Iterable[str],
    options: Options,
    *,
    info: Mapping[str, Any] | None = None,
    pictures: str = "",
    **loader: Any,
) -> str:
    """The front matter and text of the card.

    images_per_split: of the export
    files: a pattern of the files of a split, with {split} for its name; readers guess splits from words in
        paths unless the card states them
    info: `dataset_info`, the features and sizes of tables
    pictures: Markdown that shows some of the images, or nothing
    loader: more options of `load_dataset`
    """
    head = {
        "pretty_name": source.name,
        **({} if options.license is None else {"license": options.license}),
        "task_categories": list(tasks),
        "tags": ["synthetic", "blender", "blendgen"],
        "size_categories": [_size_category(sum(images_per_split.values()))],
        **({} if info is None else {"dataset_info": dict(info)}),
        "configs": [
            {
                "config_name": "default",
                "description": _identity(source, options),
                "data_files": _data_files(images_per_split, files),
                **loader,
            }
        ],
    }
    splits = "".join(f"| {split} | {count} |\n" for split, count in images_per_split.items())
    classes = "".join(_class_line(source, *numbered) for numbered in enumerate(source.classes))
    return f"""---
{yaml.safe_dump(head, sort_keys=False, allow_unicode=True)}---

# {source.name}

{_origin(source)}{pictures}
| split | images |
| --- | --- |
{splits}
## Classes

{classes}
## Licence

{options.license or "Not stated."}
"""


def _origin(source: Source) -> str:
    record = source.record
    made_with = f"blendgen {record.get('blendgen_version', '')}, Blender {record.get('blender_version', '')}"
    return (
        f"Synthetic images of 3D models, made with {made_with}; every label is exact by construction.\n"
        f"Seed {record.get('seed', '')}, digest `{source.digest[:16]}`.\n"
        f"Images per rendered shot, which share its geometry: {record.get('exposures_per_shot', 1)}; "
        "all of them are in the same split.\n"
    )


def _identity(source: Source, options: Options) -> str:
    """Of all files: the loader's cache tells folders of one name apart by their `configs` alone."""
    text = json.dumps([source.identity, asdict(options)], sort_keys=True)
    return f"export {hashlib.sha256(text.encode()).hexdigest()}"


def _size_category(images: int) -> str:
    return next((name for limit, name in _SIZES if images < limit), "1M<n<10M")


def _data_files(splits: Iterable[str], files: str) -> list[dict[str, str]]:
    return [{"split": hub_split(split), "path": files.format(split=split)} for split in splits]


def _class_line(source: Source, number: int, label: str) -> str:
    names = source.keypoint_names(label)
    return f"{number}. `{label}`" + (f": keypoints {', '.join(names)}" if names else "") + "\n"
