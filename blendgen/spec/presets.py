"""Render and sensor settings, and the presets in configs/ that name them.

In: `sensor: machine_vision`, or a mapping of fields, or {preset: name, field: value}.
Out: the plain mapping with the preset filled in, which the models below check.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from blendgen.resources import resource_folder
from blendgen.spec.yaml_source import Document, parse
from blendgen.suggestion import nearest

VIEWS = ("Standard", "AgX", "Filmic")


class Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, strict=True)


class RenderSettings(Settings):
    """How much path tracing an image is worth."""

    samples_per_pixel: int = Field(ge=1, le=65536, description="paths through each pixel")
    max_bounces: int = Field(ge=0, le=64, description="longest path of light")
    denoise: bool = Field(description="Open Image Denoise on the result")
    resolution: tuple[int, int] | None = Field(None, description="overrides the resolution of the spec")

    @field_validator("resolution", mode="before")
    @classmethod
    def _pair(cls, value):
        return tuple(value) if isinstance(value, list) else value


class SensorSettings(Settings):
    """A camera from light to 8 bits, in the words of EMVA 1288."""

    full_well_e: float = Field(gt=0, le=1e7, description="saturation capacity, electrons")
    read_noise_e: float = Field(ge=0, le=1e4, description="temporal dark noise, electrons")
    bits: int = Field(ge=8, le=16, description="of the analogue-digital converter")
    black_level_dn: float = Field(ge=0, le=4096, description="digital number of no light")
    headroom_ev: float = Field(ge=0, le=8, description="stops between a white patch and saturation")
    blur_px: float = Field(ge=0, le=20, description="standard deviation of the lens's blur on the sensor")
    grain_size_px: float = Field(gt=0, le=20, description="size of film grain")
    view: Literal[VIEWS] = Field(description="tone curve, as Blender's OCIO configuration names it")


def preset_names(kind: str) -> list[str]:
    """Names of the presets of a kind, "render" or "sensors"."""
    return sorted(path.stem for path in resource_folder("configs").joinpath(kind).glob("*.yaml"))


def preset_values(kind: str, name: str) -> dict[str, Any]:
    """The fields of one preset; raises ValueError with the nearest name for an unknown one."""
    if name not in preset_names(kind):
        raise ValueError(f"{name!r} is not a preset of configs/{kind}{nearest(name, preset_names(kind))}")
    path = resource_folder("configs") / kind / f"{name}.yaml"
    document: Document = parse(Path(path).read_text("utf-8"), str(path))
    return document.value


def expand(kind: str, value: Any) -> dict[str, Any]:
    """The plain mapping of a preset name, or of {preset: name, field: value, ...}."""
    if isinstance(value, str):
        return preset_values(kind, value)
    if isinstance(value, dict):
        given = dict(value)
        base = preset_values(kind, given.pop("preset")) if "preset" in given else {}
        return {**base, **given}
    raise ValueError(f"must be a preset of configs/{kind} or a mapping of its fields, got {value!r}")
