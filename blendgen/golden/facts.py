"""Facts: what golden files state, of what was made now.

In: a Made and its spec. Out: plain values, in the order in which golden files have them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from blendgen.dataset.identity import PIXELS_VERSION, values_without_paths
from blendgen.dataset.rows import row_values
from blendgen.golden.files import GoldenModel
from blendgen.golden.machine import machine_of
from blendgen.golden.made import Made
from blendgen.golden.pixels import pixel_digest
from blendgen.models.measuring.entry import file_sha256
from blendgen.models.spec_sources import spec_sources
from blendgen.scene.row import Row
from blendgen.spec.load import SpecFile

_FILE_FACTS = ("file_name", "sha256", "size_bytes")


@dataclass(frozen=True)
class Facts:
    """spec: values of the spec; classes: label -> names of its products; models: by name

    rows: by index, as of plain_row; digests: index -> name of a file -> sha256 of its pixels
    """

    machine: dict[str, str]
    spec: dict[str, Any]
    classes: dict[str, list[str]]
    models: dict[str, GoldenModel]
    rows: dict[int, dict[str, Any]]
    digests: dict[int, dict[str, str]]
    pixels_version: int = PIXELS_VERSION


def facts_of(spec_file: SpecFile, made: Made) -> Facts:
    """spec_file: as the user wrote it, not at the size of a smoke run"""
    table, spec = made.inventory.class_table, values_without_paths(spec_file.spec)
    spec.pop("images")
    return Facts(
        machine=machine_of(made.record.get("device", {})),
        spec=_plain(spec),
        classes={label: sorted({one.product for one in table.variants[label]}) for label in table.classes},
        models=_models(spec_file, made),
        rows={index: plain_row(row) for index, row in made.rows.items()},
        digests={index: _digests(made, index) for index in made.rows},
    )


def plain_row(row: Row) -> dict[str, Any]:
    """The columns of a row without those of files, and its objects one by one, by instance_id.

    `camera` is left out: the Shot has it.
    """
    values = {name: value for name, value in row_values(row).items() if not name.endswith(_FILE_FACTS)}
    columns = values.pop("objects")
    values.pop("camera")
    names = [name for name in columns if name != "instance_id"]
    objects = {
        str(instance): {name: columns[name][number] for name in names}
        for number, instance in enumerate(columns["instance_id"])
    }
    head = {name: values.pop(name) for name in [*values] if name not in ("shot", "exposure")}
    return _plain({**head, "objects": objects, **values})


def _models(spec_file: SpecFile, made: Made) -> dict[str, GoldenModel]:
    contents = {product.name: product.content_hash for product in made.inventory.catalog.models}
    models = {}
    for source in spec_sources(spec_file).sources:
        if source.name in contents:
            path = source.options.get("path")
            sha256 = None if path is None else file_sha256(Path(path))
            models[source.name] = GoldenModel(
                file=source.file or source.display, sha256=sha256, content=contents[source.name]
            )
    return models


def _digests(made: Made, index: int) -> dict[str, str]:
    return {
        f"{name}/{channel}" if channel and name not in ("image", "clean") else name: pixel_digest(pixels)
        for name, channels in made.pixels(index).items()
        for channel, pixels in _joined(name, channels).items()
    }


def _joined(name: str, channels: Any) -> dict[str, Any]:
    """The three channels of a picture as one."""
    if name not in ("image", "clean"):
        return dict(channels)
    return {"": np.stack([*channels.values()], axis=-1)}


def _plain(value: Any) -> Any:
    """With lists where Python has tuples, and texts as keys, as JSON has them."""
    return json.loads(json.dumps(value))
