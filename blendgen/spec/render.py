"""The `render` section: the renderer and its settings; configs/render/ has the presets."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from blendgen.spec.section import Section

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
