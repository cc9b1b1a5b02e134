"""Render settings, and the presets in configs/ that name render and sensor settings.

In: `sensor: machine_vision`, or a mapping of fields, or {preset: name, field: value}.
Out: the plain mapping with the preset filled in, which RenderSettings and sensor.py check.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from blendgen.errors import did_you_mean
from blendgen.spec.section import Section
from blendgen.spec.yaml_source import Document, parse
from blendgen.system.resources import resource_folder

MAX_SIDE_PX = 8192
REFERENCE_SAMPLES = 256  # denoised, close to converged: the reference of target_psnr_db
MAX_PIXELS = 4096 * 4096


def checked_resolution(value: Any) -> tuple[int, int]:
    """(width, height) of an image size that can be rendered; raises ValueError."""
    whole = isinstance(value, list | tuple) and len(value) == 2 and all(type(v) is int for v in value)
    if not whole or not all(16 <= side <= MAX_SIDE_PX for side in value):
        raise ValueError(f"must be [width, height], each 16 to {MAX_SIDE_PX} pixels, got {value!r}")
    if value[0] * value[1] > MAX_PIXELS:
        raise ValueError(f"must be at most {MAX_PIXELS:,} pixels in total, got {value[0] * value[1]:,}")
    return tuple(value)


class RenderSettings(Section):
    """Settings of the renderer."""

    engine: Literal["cycles", "eevee"] = Field(
        "cycles",
        description="cycles: path tracing; eevee: rasterisation on a GPU; see docs/throughput.md",
    )
    samples_per_pixel: int | None = Field(
        None, ge=1, le=65536, description="number of paths through each pixel"
    )
    target_psnr_db: float | None = Field(
        None,
        ge=10,
        le=60,
        description="instead of samples_per_pixel: lowest PSNR of the developed picture, without sensor "
        "noise, against a converged one; a few shots are rendered once to find the fewest samples that "
        "reach it",
    )
    max_bounces: int = Field(ge=0, le=64, description="maximum number of bounces of a path")
    denoise: bool = Field(description="denoise the render with Open Image Denoise")
    resolution: tuple[int, int] | None = Field(None, description="overrides the resolution of the spec")

    @field_validator("resolution", mode="before")
    @classmethod
    def _resolution(cls, value: Any) -> tuple[int, int] | None:
        return None if value is None else checked_resolution(value)

    @model_validator(mode="after")
    def _one_measure(self) -> Self:
        if self.samples_per_pixel is None and self.target_psnr_db is None:
            raise ValueError("give samples_per_pixel or target_psnr_db")
        return self


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
