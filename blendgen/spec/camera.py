"""The `camera` section: where the camera stands, and its lens."""

from __future__ import annotations

from pydantic import Field, model_validator

from blendgen.spec.distributions import Constant, Normal, Uniform
from blendgen.spec.fields import direction_above, number, point_in_disk
from blendgen.spec.lighting import AZIMUTH_DEG
from blendgen.spec.section import Section
from blendgen.spec.vector_laws import Disk

# defaults of keys that exclude one another, and so cannot stand in their fields
FRAME_FILL = Uniform(0.35, 0.8)
CAMERA_ELEVATION_DEG = Uniform(35.0, 90.0)


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
