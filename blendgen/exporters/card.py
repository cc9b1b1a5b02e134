"""Dataset card: README.md of a data set on the Hugging Face hub, from dataset.json and the options."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from blendgen.dataset.source import Source
from blendgen.exporters.exporter import Options
from blendgen.exporters.markdown import code, plain
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
        "configs": [_config(source, images_per_split, files, options) | loader],
    }
    text = yaml.safe_dump(head, sort_keys=False, allow_unicode=True)
    return f"---\n{text}---\n\n{_page(source, images_per_split, options.license, pictures)}"


def _config(
    source: Source, images_per_split: Mapping[str, int], files: str, options: Options
) -> dict[str, Any]:
    """What the loader reads: a split without files would be an error to it."""
    data_files = [
        {"split": hub_split(split), "path": files.format(split=split)}
        for split, count in images_per_split.items()
        if count
    ]
    return {
        "config_name": "default",
        "description": _identity(source, options),
        "data_files": data_files,
    }


def _page(source: Source, images_per_split: Mapping[str, int], license: str | None, pictures: str) -> str:
    splits = "".join(f"| {plain(split)} | {count} |\n" for split, count in images_per_split.items())
    classes = "".join(_class_line(source, *numbered) for numbered in enumerate(source.classes))
    return f"""# {plain(source.name)}

{_origin(source)}{pictures}
| split | images |
| --- | --- |
{splits}
## Classes

{classes}
## Licence

{license or "Not stated."}
"""


def _origin(source: Source) -> str:
    known = {
        "blendgen_version": "",
        "blender_version": "",
        "seed": "",
        "exposures_per_shot": 1,
    } | source.record
    of = {key: plain(str(value)) for key, value in known.items()}
    return (
        f"Synthetic images of 3D models, made with blendgen {of['blendgen_version']}, "
        f"Blender {of['blender_version']}; every label is exact by construction.\n"
        f"Seed {of['seed']}, digest `{source.digest[:16]}`.\n"
        f"Images per rendered shot, which share its geometry: {of['exposures_per_shot']}; "
        "all of them are in the same split.\n"
    )


def _identity(source: Source, options: Options) -> str:
    """Of all files: the loader's cache tells folders of one name apart by their `configs` alone."""
    text = json.dumps([source.identity, options.identity], sort_keys=True)
    return f"export {hashlib.sha256(text.encode()).hexdigest()}"


def _size_category(images: int) -> str:
    return next((name for limit, name in _SIZES if images < limit), "1M<n<10M")


def _class_line(source: Source, number: int, label: str) -> str:
    names = ", ".join(map(plain, source.keypoint_names(label)))
    return f"{number}. {code(label)}" + (f": keypoints {names}" if names else "") + "\n"
