"""Presets in configs/, which name render and sensor settings.

In: `sensor: machine_vision`, or a mapping of fields, or {preset: name, field: value}.
Out: the plain mapping with the preset filled in, which render.py and sensor.py check.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from blendgen.errors import did_you_mean
from blendgen.spec.yaml_source import Document, parse
from blendgen.system.resources import resource_folder


def preset_names(kind: str) -> list[str]:
    """Names of the presets of a kind: "render" or "sensors"."""
    return sorted(path.stem for path in resource_folder("configs").joinpath(kind).glob("*.yaml"))


def preset_values(kind: str, name: str) -> dict[str, Any]:
    """The fields of one preset; raises ValueError with the closest name if it does not exist."""
    if name not in preset_names(kind):
        raise ValueError(
            f"{name!r} is not a preset of configs/{kind}{did_you_mean(name, preset_names(kind))}"
        )
    path = resource_folder("configs") / kind / f"{name}.yaml"
    document: Document = parse(Path(path).read_text("utf-8"), str(path))
    values: dict[str, Any] = document.value
    return values


def expand(kind: str, value: Any) -> dict[str, Any]:
    """The plain mapping of a preset name, or of {preset: name, field: value, ...}."""
    if isinstance(value, str):
        return preset_values(kind, value)
    if isinstance(value, dict):
        given = dict(value)
        base = preset_values(kind, given.pop("preset")) if "preset" in given else {}
        if "target_psnr_db" in given:  # it replaces the samples of the preset
            base.pop("samples_per_pixel", None)
        return {**base, **given}
    raise ValueError(f"must be a preset of configs/{kind} or a mapping of its fields, got {value!r}")
