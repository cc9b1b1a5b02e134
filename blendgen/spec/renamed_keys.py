"""Renamed keys: an old key of a spec gets an error that names the new one.

In: the plain values of a spec, or the path of a parameter. Out: messages. There are no aliases.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from blendgen.spec.yaml_source import Path

RENAMED = {
    "coverage": "sampling",
    "per_image": "products_per_image",
    "camera.aim": "camera.subject_offset",
    "camera.mounts": "camera.camera_count",
    "render.quality_db": "render.target_psnr_db",
    "output.coverage": "output.soft_masks",
    "output.object_coordinates": "output.nocs",
    "output.oriented_boxes": "output.obb",
    "output.boxes_3d": "output.bbox_3d",
}
_EVEN = ("coverage", "even")


def renamed_keys(spec: dict[str, Any]) -> Iterator[tuple[Path, Path, str]]:
    """(old path, new path, message) of each old key; its value moves to the new key, so that this is not
    missing."""
    for old, new in RENAMED.items():
        (*parents, key), new_path = old.split("."), tuple(new.split("."))
        section = spec.get(parents[0]) if parents else spec
        if isinstance(section, dict) and key in section:
            value = section.pop(key)
            section.setdefault(new_path[-1], "low_discrepancy" if (old, value) == _EVEN else value)
            yield (*parents, key), new_path, _message(old, value)


def renamed_parameter(path: str) -> str | None:
    """The message for an old path of a parameter; None where it has not been renamed."""
    return _message(path) if path in RENAMED else None


def _message(old: str, value: Any = None) -> str:
    if (old, value) == _EVEN:
        return "`coverage: even` is now `sampling: low_discrepancy`"
    return f"`{old}` is now `{RENAMED[old]}`"
