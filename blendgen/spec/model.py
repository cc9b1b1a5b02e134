"""The schema of a scene spec: what may vary, with types, bounds and defaults.

Every field that is a `Law` is a constant or a distribution (docs/spec.md). The models are
frozen, unknown keys are refused, and a field's description is its documentation: the JSON
Schema and docs/spec.md are made from here. Reading YAML is load.py's business.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, field_validator, model_validator

from blendgen.spec.distributions import Constant, Normal, Uniform
from blendgen.spec.fields import Color, direction_above, name_of, number, point_in_disk, whole_number
from blendgen.spec.lighting import AZIMUTH_DEG, ExposureSection, Lighting
from blendgen.spec.presets import RenderSettings, checked_resolution
from blendgen.spec.products import ConditionSection, Distractors, ProductSource
from blendgen.spec.section import Section
from blendgen.spec.sensor import SensorSettings
from blendgen.spec.vector_laws import Disk
from blendgen.vocabulary import SURFACE_KINDS

# defaults of keys that exclude one another, and so cannot stand in their fields
FRAME_FILL = Uniform(0.35, 0.8)
CAMERA_ELEVATION_DEG = Uniform(35.0, 90.0)
_BELT_WIDTH_M, _TABLE_WIDTH_M = Uniform(0.5, 0.9), Uniform(1.0, 1.8)
SURFACE_WIDTH_M = {kind: _BELT_WIDTH_M if "belt" in kind else _TABLE_WIDTH_M for kind in SURFACE_KINDS}

Name = Annotated[str, StringConstraints(pattern=r"^[^\s/\\:*?\"<>|.][^/\\:*?\"<>|]*$", max_length=100)]


class Placement(Section):
    """How products lie on the surface."""

    pose: Literal["resting", "upright", "free"] = Field(
        "resting", description="stable poses by their probability; as modelled; or any orientation"
    )
    yaw_deg: number() = Field(Uniform(0.0, 360.0), description="turn about the vertical")
    offset: number(-1, 1) = Field(
        Uniform(-0.8, 0.8), description="place across the surface; 0 middle, -1 and 1 at its edges"
    )
    gap_m: number(0, 1) = Field(Uniform(0.005, 0.05), description="room between products of one image")


class SurfaceSection(Section):
    """What products lie on."""

    kind: name_of(SURFACE_KINDS) = Field(Constant("belt_rubber"), description=", ".join(SURFACE_KINDS))
    wear: number(0, 1) = Field(Uniform(0.0, 0.6), description="0 factory new to 1 heavily used")
    dust: number(0, 1) = Field(Uniform(0.0, 0.5), description="0 clean to 1 dusty")
    color: Color | None = Field(None, description="sRGB tint '#rrggbb'; default: the material's own")
    width_m: number(0.05, 5) | None = Field(
        None,
        description="width of a belt or table; never narrower than what lies on it "
        f"(default {_BELT_WIDTH_M} for belts, {_TABLE_WIDTH_M} for tables)",
    )
    yaw_deg: number() = Field(Constant(0.0), description="direction of travel or grain; 0 is world +Y")
    speed_m_per_s: number(0, 20) = Field(
        Constant(0.0), description="of a belt; with exposure.time_s it makes motion blur"
    )


class Distortion(Section):
    """Lens distortion of Brown and Conrady, in OpenCV's terms; barrel for negative k1."""

    k1: number(-1, 1) = Field(Constant(0.0), description="radial, with the square of the radius")
    k2: number(-1, 1) = Field(Constant(0.0), description="with the fourth power")
    k3: number(-1, 1) = Field(Constant(0.0), description="with the sixth power")
    p1: number(-0.1, 0.1) = Field(Constant(0.0), description="tangential, of a lens that sits askew")
    p2: number(-0.1, 0.1) = Field(Constant(0.0), description="the same across")


class CameraSection(Section):
    """Where the camera stands and what lens it has; the product is always framed as drawn."""

    frame_fill: number(0.02, 1) | None = Field(
        None,
        description="share of the frame that the products' box takes, along the tighter side; "
        f"the distance is solved for (default {FRAME_FILL})",
    )
    distance_m: number(0, 100, above_low=True) | None = Field(
        None, description="instead of frame_fill, where apparent size is a cue: camera to products"
    )
    aim: point_in_disk(1) = Field(
        Disk(0.7), description="where in the free room of the frame the products sit; [0, 0] is centred"
    )
    elevation_deg: number(1, 90) | None = Field(
        None, description=f"height of the camera over the horizon (default {CAMERA_ELEVATION_DEG})"
    )
    azimuth_deg: number() | None = Field(
        None, description=f"compass direction of the camera (default {AZIMUTH_DEG})"
    )
    direction: direction_above(1) | None = Field(
        None, description="instead of elevation and azimuth: {cone: degrees} or {sphere: [low, high]}"
    )
    roll_deg: number() = Field(Normal(0.0, 4.0), description="turn about the optical axis")
    focal_length_mm: number(4, 1200) = Field(Uniform(24.0, 60.0), description="focal length of the lens")
    sensor_width_mm: number(1, 100) = Field(Constant(36.0), description="width of the sensor")
    f_number: number(0.7, 64) | None = Field(
        None, description="opening of the lens, for defocus; default: sharp everywhere"
    )
    focus_error: number(-0.9, 5) = Field(
        Constant(0.0),
        description="how far beyond the products it is focused, as a share of their distance",
    )
    distortion: Distortion = Distortion()

    @model_validator(mode="after")
    def _one_way_each(self):
        if self.frame_fill is not None and self.distance_m is not None:
            raise ValueError("frame_fill and distance_m exclude each other: the one decides the other")
        if self.direction is not None and (self.elevation_deg or self.azimuth_deg):
            raise ValueError("direction replaces elevation_deg and azimuth_deg: give one or the others")
        return self


class Output(Section):
    """What is written for each image."""

    format: Literal["png", "jpeg"] = Field("png", description="file format of the images")
    jpeg_quality: int = Field(92, ge=40, le=100, description="for jpeg")
    masks: bool = Field(True, description="instance masks as 16-bit PNG under masks/")
    clean: bool = Field(False, description="the same image without the sensor's noise, under clean/")


class Spec(Section):
    """What may vary in a data set: the root of a spec file."""

    blendgen: Literal[1] = Field(description="version of this format")
    name: Name = Field(description="name of the data set")
    seed: int = Field(0, ge=0, lt=2**63, description="everything random follows from it")
    images: int = Field(1000, ge=1, le=100_000_000, description="how many; -n overrides")
    resolution: tuple[int, int] = Field((224, 224), description="width and height in pixels")
    coverage: Literal["independent", "even"] = Field(
        "independent",
        description="independent: each image is drawn by itself; even: the range of each parameter is "
        "covered evenly (scrambled low-discrepancy sequences), which matters for small data sets",
    )
    splits: dict[str, float] = Field(
        {"train": 0.8, "val": 0.1, "test": 0.1}, min_length=1, description="share of the shots of each"
    )
    products: list[ProductSource] = Field(min_length=1)
    condition: ConditionSection = ConditionSection()
    distractors: Distractors | None = Field(None, description="things that lie about and are no products")
    per_image: whole_number(1, 16) = Field(Constant(1), description="products in one image")
    placement: Placement = Placement()
    surface: SurfaceSection = SurfaceSection()
    camera: CameraSection = CameraSection()
    lighting: Lighting = Lighting()
    exposures_per_shot: int = Field(1, ge=1, le=64, description="images developed from one path tracing")
    exposure: ExposureSection = ExposureSection()
    sensor: SensorSettings = Field(description="a preset of configs/sensors, or its fields")
    render: RenderSettings = Field(description="a preset of configs/render, or its fields")
    output: Output = Output()

    @field_validator("resolution", mode="before")
    @classmethod
    def _sane_resolution(cls, value):
        return checked_resolution(value)

    @field_validator("splits")
    @classmethod
    def _sane_splits(cls, value):
        for split, share in value.items():
            if not split.isidentifier():
                raise ValueError(f"the split {split!r} must be one word of letters and digits")
            if not 0 <= share <= 1:
                raise ValueError(f"the share of {split} must be from 0 to 1, got {share:g}")
        if abs(sum(value.values()) - 1) > 1e-6:
            raise ValueError(f"the shares must sum to 1, got {sum(value.values()):g}")
        return value
