"""The schema of a scene spec: what may vary, with types, bounds and defaults.

Every field that is a `Law` is a constant or a distribution (docs/spec.md). The models are
frozen, unknown keys are refused, and a field's description is its documentation: the JSON
Schema and docs/spec.md are made from here. Reading YAML is load.py's business.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

from blendgen.color import hex_to_srgb
from blendgen.spec.distributions import (
    Choice,
    Constant,
    LogUniform,
    Normal,
    TruncatedNormal,
    Uniform,
)
from blendgen.spec.fields import Color, direction_above, name_of, number, point_in_disk, whole_number
from blendgen.spec.presets import RenderSettings, checked_resolution
from blendgen.spec.sensor import SensorSettings
from blendgen.spec.vector_laws import Disk
from blendgen.suggestion import nearest
from blendgen.vocabulary import ENVIRONMENTS, FAMILIES, LAMP_KINDS, METRES_PER_UNIT, SURFACE_KINDS

# defaults of keys that exclude one another, and so cannot stand in their fields
FRAME_FILL = Uniform(0.35, 0.8)
CAMERA_ELEVATION_DEG = Uniform(35.0, 90.0)
LAMP_ELEVATION_DEG = Uniform(25.0, 80.0)
AZIMUTH_DEG = Uniform(0.0, 360.0)
_BELT_WIDTH_M, _TABLE_WIDTH_M = Uniform(0.5, 0.9), Uniform(1.0, 1.8)
SURFACE_WIDTH_M = {kind: _BELT_WIDTH_M if "belt" in kind else _TABLE_WIDTH_M for kind in SURFACE_KINDS}

Name = Annotated[str, StringConstraints(pattern=r"^[^\s/\\:*?\"<>|.][^/\\:*?\"<>|]*$", max_length=100)]


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, strict=True)


class Finish(Section):
    """How one part of a product looks in one colourway; what is left out stays as the model has it."""

    color: str | None = Field(None, description="sRGB '#rrggbb'; takes the place of a texture")
    roughness: float | None = Field(None, ge=0, le=1, description="0 mirror to 1 matte")
    metallic: float | None = Field(None, ge=0, le=1, description="0 or 1")
    transmission: float | None = Field(None, ge=0, le=1, description="0 opaque to 1 clear as glass")

    @model_validator(mode="before")
    @classmethod
    def _color_alone(cls, value):
        return {"color": value} if isinstance(value, str) else value

    @field_validator("color")
    @classmethod
    def _is_hex(cls, value):
        if value is not None:
            hex_to_srgb(value)
        return value


class ProductSource(Section):
    """Where products come from, and what their class is."""

    catalog: str | None = Field(None, description="built-in family: " + ", ".join(FAMILIES))
    directory: str | None = Field(None, description="folder of 3D models, relative to the spec file")
    models: list[str] | None = Field(None, min_length=1, description="only these; default: all")
    colorways: list[str] | None = Field(None, min_length=1, description="only these; default: all")
    recolor: dict[str, dict[str, Finish]] | None = Field(
        None,
        min_length=1,
        description="colourways instead of the models' own: name -> part pattern -> '#rrggbb' or "
        "{color, roughness, metallic, transmission}; {} is the model as it is",
    )
    recolor_table: str | None = Field(
        None, description="the same from a YAML, JSON or CSV file, relative to the spec file"
    )
    label: Literal["model", "colorway", "model+colorway", "folder"] = Field(
        "model", description="what the class of an image is"
    )
    unit: Literal[tuple(METRES_PER_UNIT)] | None = Field(
        None, description="unit of obj, stl and ply files (default m); overrides that of other formats"
    )
    up: Literal["x", "y", "z"] | None = Field(None, description="up axis of obj, stl and ply files")

    @field_validator("catalog")
    @classmethod
    def _known_family(cls, family):
        if family is not None and family not in FAMILIES:
            raise ValueError(f"{family!r} is not a built-in family{nearest(family, FAMILIES)}")
        return family

    @model_validator(mode="after")
    def _one_place(self):
        if (self.catalog is None) == (self.directory is None):
            raise ValueError("give either catalog (a built-in family) or directory (a folder of models)")
        if self.recolor is not None and self.recolor_table is not None:
            raise ValueError("give either recolor or recolor_table")
        if self.catalog is not None and (self.unit or self.up):
            raise ValueError("unit and up belong to a directory; a built-in family knows its size")
        return self


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

    @model_validator(mode="after")
    def _one_way_each(self):
        if self.frame_fill is not None and self.distance_m is not None:
            raise ValueError("frame_fill and distance_m exclude each other: the one decides the other")
        if self.direction is not None and (self.elevation_deg or self.azimuth_deg):
            raise ValueError("direction replaces elevation_deg and azimuth_deg: give one or the others")
        return self


class EnvironmentSection(Section):
    """Light from all around."""

    image: name_of(ENVIRONMENTS) = Field(
        Choice(("studio", "interior", "city"), (1.0,) * 3), description=", ".join(ENVIRONMENTS)
    )
    rotation_deg: number() = Field(Uniform(0.0, 360.0), description="turn about the vertical")


class LampsSection(Section):
    """Area lamps round the products; each is its own light group."""

    count: whole_number(0, 8) = Field(Choice((1, 2, 3), (1.0,) * 3), description="how many")
    kind: name_of(LAMP_KINDS) = Field(
        Choice(("area", "strip"), (1.0,) * 2), description=", ".join(LAMP_KINDS)
    )
    elevation_deg: number(5, 90) | None = Field(
        None, description=f"height over the horizon (default {LAMP_ELEVATION_DEG})"
    )
    azimuth_deg: number() | None = Field(None, description=f"compass direction (default {AZIMUTH_DEG})")
    direction: direction_above(5) | None = Field(None, description="instead of elevation and azimuth")
    distance_m: number(0.1, 50) = Field(Uniform(0.8, 2.0), description="lamp to the ball round the products")
    size_m: number(0.01, 10) = Field(Uniform(0.1, 0.6), description="longer side of the lamp")

    @model_validator(mode="after")
    def _one_way(self):
        if self.direction is not None and (self.elevation_deg or self.azimuth_deg):
            raise ValueError("direction replaces elevation_deg and azimuth_deg: give one or the others")
        return self


class Lighting(Section):
    environment: EnvironmentSection = EnvironmentSection()
    lamps: LampsSection = LampsSection()


class ExposureSection(Section):
    """What is drawn anew for each exposure of a shot: light strengths and camera settings."""

    environment_ev: number(-20, 20) = Field(Uniform(-2.5, 0.5), description="strength of the environment")
    lamp_ev: number(-20, 20) = Field(Uniform(-1.0, 1.5), description="strength of each lamp")
    environment_temperature_k: number(1700, 25000) = Field(
        Uniform(4500.0, 7500.0),
        description="colour of the environment's light, as a black body",
    )
    lamp_temperature_k: number(1700, 25000) = Field(
        Uniform(2700.0, 6500.0), description="colour of each lamp, as a black body"
    )
    metering: Literal["incident", "manual"] = Field(
        "incident", description="incident: exposed for the light that falls on the products; manual: fixed"
    )
    camera_ev: number(-20, 20) = Field(
        TruncatedNormal(-0.2, 0.35, -1.0, 0.4), description="brighter (+) or darker (-) than metered"
    )
    white_balance_mode: Literal["incident", "gray_world", "fixed"] = Field(
        "incident",
        description="how the camera knows the colour of the light: measured at the products; guessed from "
        "the image, as automatic white balance does; or set once for white_balance_temperature_k",
    )
    white_balance: number(0, 1) = Field(
        Uniform(0.6, 1.0), description="how far the camera corrects the colour of the light; 1 fully"
    )
    white_balance_temperature_k: number(1700, 25000) = Field(
        Constant(5000.0), description="for white_balance_mode: fixed"
    )
    time_s: number(1e-6, 60) = Field(
        LogUniform(0.002, 0.02),
        description="exposure time; brightness is metered apart from it",
    )
    gain_db: number(0, 48) = Field(Uniform(0.0, 9.0), description="gain of the sensor; more is noisier")
    grain: number(0, 1) = Field(Constant(0.0), description="film grain on top of the sensor's noise")


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
