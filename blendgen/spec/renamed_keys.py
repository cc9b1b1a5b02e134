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


def renamed_keys(spec: dict[str, Any]) -> Iterator[tuple[Path, str]]:
    """(path, message) of each old key; it is removed, so that nothing else is reported about it."""
    for old in RENAMED:
        *parents, key = old.split(".")
        section = spec.get(parents[0]) if parents else spec
        if isinstance(section, dict) and key in section:
            yield (*parents, key), _message(old, section.pop(key))


def renamed_parameter(path: str) -> str | None:
    """The message for an old path of a parameter; None where it has not been renamed."""
    return _message(path) if path in RENAMED else None


def _message(old: str, value: Any = None) -> str:
    if (old, value) == ("coverage", "even"):
        return "`coverage: even` is now `sampling: low_discrepancy`"
    return f"`{old}` is now `{RENAMED[old]}`"
