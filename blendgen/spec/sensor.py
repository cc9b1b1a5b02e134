"""The `sensor` section: a camera from light to 8 bits, as its data sheet would describe it.

In: a preset of configs/sensors, with or without changed fields. Distributions are sampled for each image.
The fields are in the order of the signal path; terms and units follow EMVA 1288 where it defines them.
blendgen/develop implements them.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self, get_args

from pydantic import Field, field_validator, model_validator

from blendgen.spec.distributions import Constant, Distribution
from blendgen.spec.fields import number
from blendgen.spec.section import Section

View = Literal["Standard", "AgX", "Filmic"]
VIEWS: tuple[View, ...] = get_args(View)
IDENTITY = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
_NONE = Constant(0.0)


class SensorSettings(Section):
    """A camera from light to 8 bits, in the terms of EMVA 1288; fields in the order of the signal path."""

    natural_vignetting: Annotated[Distribution, number(0, 1)] = Field(
        _NONE, description="strength of the cos^4 falloff; 1 for a simple lens"
    )
    mechanical_vignetting_ev: Annotated[Distribution, number(0, 6)] = Field(
        _NONE, description="light that the lens barrel blocks in the corners, in stops"
    )
    blur_px: Annotated[Distribution, number(0, 20)] = Field(
        _NONE, description="standard deviation of the lens blur on the sensor"
    )
    chromatic_aberration_px: Annotated[Distribution, number(-20, 20)] = Field(
        _NONE, description="distance of red (outwards) and blue (inwards) from green in the corners"
    )
    veiling_glare: Annotated[Distribution, number(0, 0.5)] = Field(
        _NONE, description="fraction of the light that the lens scatters over the whole image (ISO 9358)"
    )
    mosaic: Literal["rggb", "mono", "none"] = Field(
        "none", description="colour filter array; none: every pixel measures all three colours"
    )
    channel_sensitivity: tuple[float, float, float] = Field(
        (1.0, 1.0, 1.0),
        description="sensitivity of the red, green and blue pixels to daylight; the largest is 1",
    )
    full_well_e: Annotated[Distribution, number(0, 1e7, above_low=True)] = Field(
        description="saturation capacity in electrons"
    )
    headroom_ev: Annotated[Distribution, number(0, 8)] = Field(
        _NONE, description="stops from a white patch to saturation"
    )
    prnu_percent: Annotated[Distribution, number(0, 20)] = Field(
        _NONE, description="photo response non-uniformity: standard deviation of the pixels' sensitivities"
    )
    dark_current_e_per_s: Annotated[Distribution, number(0, 1e5)] = Field(
        _NONE, description="dark current in electrons per second"
    )
    dsnu_e: Annotated[Distribution, number(0, 1e3)] = Field(
        _NONE,
        description="dark signal non-uniformity: standard deviation of the pixels' offsets in electrons",
    )
    row_noise_e: Annotated[Distribution, number(0, 1e3)] = Field(
        _NONE, description="noise shared by all pixels of a row, in electrons"
    )
    read_noise_e: Annotated[Distribution, number(0, 1e4)] = Field(
        description="temporal dark noise in electrons"
    )
    hot_pixels_ppm: Annotated[Distribution, number(0, 1e5)] = Field(
        _NONE, description="bright defect pixels per million"
    )
    dead_pixels_ppm: Annotated[Distribution, number(0, 1e5)] = Field(
        _NONE, description="black defect pixels per million"
    )
    camera_units: int = Field(
        1000,
        ge=1,
        le=10**9,
        description="number of cameras of this kind; each has a fixed pattern of its own",
    )
    bits: int = Field(ge=8, le=16, description="resolution of the analogue-to-digital converter in bits")
    black_level_dn: Annotated[Distribution, number(0, 4096)] = Field(
        description="digital number without light"
    )
    color_matrix: tuple[tuple[float, float, float], ...] = Field(
        IDENTITY,
        description="from camera colours to linear sRGB; each row sums to 1, so that white stays white",
    )
    noise_reduction: Annotated[Distribution, number(0, 1)] = Field(
        _NONE, description="strength of the camera's noise reduction"
    )
    sharpening: Annotated[Distribution, number(0, 5)] = Field(
        _NONE, description="strength of the camera's unsharp mask"
    )
    sharpening_radius_px: Annotated[Distribution, number(0.2, 20)] = Field(
        Constant(1.0), description="standard deviation of the unsharp mask"
    )
    view: View = Field("Standard", description="tone curve, by its name in Blender's OCIO configuration")
    grain_size_px: Annotated[Distribution, number(0, 20, above_low=True)] = Field(
        Constant(1.0), description="size of film grain"
    )
    jpeg_quality: Annotated[Distribution, number(5, 100)] | None = Field(
        None,
        description="quality of JPEG compression in the camera, with halved chroma resolution; default: none",
    )

    @model_validator(mode="after")
    def _black_level_leaves_room(self) -> Self:
        if self.black_level_dn.support()[1] >= 2 ** (self.bits - 1):
            raise ValueError(
                f"black_level_dn must be below {2 ** (self.bits - 1)}, half the range of {self.bits} bits"
            )
        return self

    @field_validator("channel_sensitivity", mode="before")
    @classmethod
    def _sensitivities(cls, value: Any) -> tuple[float, ...]:
        triple = tuple(value) if isinstance(value, list | tuple) else ()
        if len(triple) != 3 or not all(_is_number(v) and 0 < v <= 1 for v in triple) or max(triple) < 1:
            raise ValueError(f"must be [red, green, blue], each above 0 and the largest 1, got {value!r}")
        return tuple(float(v) for v in triple)

    @field_validator("color_matrix", mode="before")
    @classmethod
    def _rows_sum_to_one(cls, value: Any) -> tuple[tuple[float, ...], ...]:
        rows = [tuple(row) if isinstance(row, list | tuple) else () for row in _listed(value)]
        square = len(rows) == 3 and all(len(row) == 3 and all(map(_is_number, row)) for row in rows)
        if not square:
            raise ValueError(f"must be three rows of three numbers, got {value!r}")
        if any(abs(sum(row) - 1) > 1e-3 for row in rows):
            raise ValueError(f"each row must sum to 1, got sums {[round(sum(row), 4) for row in rows]}")
        return tuple(tuple(float(v) for v in row) for row in rows)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else []
