"""Difference: why the images of a folder cannot be continued, in words."""

from __future__ import annotations

from typing import Any

from blendgen.dataset.pack_plan import CONTAINER_KEY, IMAGES_KEY

_START_AGAIN = "choose another folder, or set force (--force) to start again"


def difference(known: dict[str, Any], wanted: dict[str, Any], key: str) -> str:
    """known, wanted: dataset.json as it is, and as it would be; key: the first one that differs."""
    if key == "digest" and known.get("pixels_version") != wanted.get("pixels_version"):
        return (
            f"was made with pixels_version {known.get('pixels_version')}, this blendgen has "
            f"{wanted.get('pixels_version')}, and the images differ; {_START_AGAIN}"
        )
    if key == "digest":
        return f"contains a data set made from another spec (or other models); {_START_AGAIN}"
    if key == CONTAINER_KEY:
        return (
            f"was made with output.container: {known.get(key, 'files')}, this is {wanted.get(key, 'files')}; "
            f"{_START_AGAIN}"
        )
    if key == IMAGES_KEY:
        return (
            f"was made with files for {known.get(key)} images each, this is {wanted.get(key)} "
            f"(output.images_per_file); {_START_AGAIN}"
        )
    return (
        f"was started with Blender {known.get(key)}, this is {wanted[key]}, and their pixels differ; "
        f"{_START_AGAIN}"
    )
