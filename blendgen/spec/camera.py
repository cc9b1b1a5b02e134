"""The `camera` section: where the camera stands, and its lens."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from blendgen.spec.distributions import Constant, Distribution, Normal, Uniform
from blendgen.spec.fields import direction_above, number, point_in_disk
from blendgen.spec.lighting import AZIMUTH_DEG
from blendgen.spec.section import Section
from blendgen.spec.vector_distributions import Disk, Sphere

# defaults of keys that exclude one another, or differ by rig, and so cannot stand in their fields
FRAME_FILL = Uniform(0.35, 0.8)
CAMERA_ELEVATION_DEG = Uniform(35.0, 90.0)
FREE_DIRECTION = Sphere(1.0, 90.0)
ROLL_DEG = {"orbit": Normal(0.0, 4.0), "overhead": Constant(0.0), "free": Uniform(0.0, 360.0)}
HEIGHT_M = Uniform(0.6, 1.2)
TILT_DEG = Constant(0.0)
# up in the image is then the way that a belt runs
MOUNT_AZIMUTH_DEG = Constant(270.0)
MOUNT_TOLERANCE_M, MOUNT_TOLERANCE_DEG = Constant(0.005), Constant(1.0)

_OF_OTHER_RIGS = ("frame_fill", "distance_m", "elevation_deg", "direction")
_OF_OVERHEAD = ("height_m", "tilt_deg", "mount_tolerance_m", "mount_tolerance_deg", "camera_count")


class Distortion(Section):
    """Lens distortion of Brown and Conrady, in OpenCV's terms; barrel for negative k1."""

    k1: number(-1, 1) = Field(Constant(0.0), description="radial, with the square of the radius")
    k2: number(-1, 1) = Field(Constant(0.0), description="with the fourth power")
    k3: number(-1, 1) = Field(Constant(0.0), description="with the sixth power")
    p1: number(-0.1, 0.1) = Field(Constant(0.0), description="tangential, of a lens that sits askew")
    p2: number(-0.1, 0.1) = Field(Constant(0.0), description="the same across")


class CameraSection(Section):
    """Where the camera stands and what lens it has; the product is always framed as drawn."""

    rig: Literal["orbit", "overhead", "free"] = Field(
        "orbit",
        description="orbit: round the products, framed as drawn; free: the same from anywhere above the "
        "surface, turned any way; overhead: mounted over the middle of the surface, products pass under it",
    )
    frame_fill: number(0.02, 1) | None = Field(
        None,
        description="share of the frame that the products' box takes, along the tighter side; "
        f"the distance is solved for (default {FRAME_FILL})",
    )
    distance_m: number(0, 100, above_low=True) | None = Field(
        None, description="instead of frame_fill, where apparent size is a cue: camera to products"
    )
    subject_offset: point_in_disk(1) = Field(
        Disk(0.7), description="where in the free room of the frame the products sit; [0, 0] is centred"
    )
    height_m: number(0, 20, above_low=True) | None = Field(
        None, description=f"of an overhead camera over the surface (default {HEIGHT_M})"
    )
    tilt_deg: number(0, 60) | None = Field(
        None, description=f"of an overhead camera, off straight down (default {TILT_DEG})"
    )
    mount_tolerance_m: number(0, 1) | None = Field(
        None,
        description="how far from its place an overhead camera may sit, in any direction "
        f"(default {MOUNT_TOLERANCE_M})",
    )
    mount_tolerance_deg: number(0, 20) | None = Field(
        None,
        description="how far an overhead camera may be turned off, about any axis "
        f"(default {MOUNT_TOLERANCE_DEG})",
    )
    camera_count: int | None = Field(
        None,
        ge=1,
        le=10**6,
        description="how many overhead cameras the data set is taken with, each with its own place and "
        "lens, the same for all its images; default: each image its own",
    )
    elevation_deg: number(1, 90) | None = Field(
        None, description=f"height of the camera over the horizon (default {CAMERA_ELEVATION_DEG})"
    )
    azimuth_deg: number() | None = Field(
        None,
        description=f"compass direction of the camera (default {AZIMUTH_DEG}; overhead "
        f"{MOUNT_AZIMUTH_DEG}: up in the image is along the belt)",
    )
    direction: direction_above(1) | None = Field(
        None,
        description="instead of elevation and azimuth: {cone: degrees} or {sphere: [low, high]} "
        f"(default of rig free {FREE_DIRECTION})",
    )
    roll_deg: number() | None = Field(
        None,
        description=f"turn about the optical axis (default {ROLL_DEG['orbit']}; overhead "
        f"{ROLL_DEG['overhead']}; free {ROLL_DEG['free']})",
    )
    focal_length_mm: number(4, 1200) = Field(Uniform(24.0, 60.0), description="focal length of the lens")
    sensor_width_mm: number(1, 100) = Field(Constant(36.0), description="width of the sensor")
    f_number: number(0.7, 64) | None = Field(
        None, description="opening of the lens, for defocus; default: sharp everywhere"
    )
    focus_error: number(-0.9, 5) = Field(
        Constant(0.0),
        description="how far beyond the products (overhead: the surface) it is focused, as a share of "
        "their distance",
    )
    distortion: Distortion = Distortion()

    @model_validator(mode="after")
    def _one_way_each(self):
        wrong = _OF_OTHER_RIGS if self.rig == "overhead" else _OF_OVERHEAD
        given = [name for name in wrong if getattr(self, name) is not None]
        if given and self.rig == "overhead":
            raise ValueError(f"rig overhead is placed by height_m and tilt_deg: leave out {', '.join(given)}")
        if given:
            raise ValueError(f"{', '.join(given)}: only of rig: overhead")
        if self.frame_fill is not None and self.distance_m is not None:
            raise ValueError("frame_fill and distance_m exclude each other: the one decides the other")
        if self.direction is not None and (self.elevation_deg or self.azimuth_deg):
            raise ValueError("direction replaces elevation_deg and azimuth_deg: give one or the others")
        return self

    def defaults(self) -> dict[str, Distribution]:
        """The distributions of those keys that have none here, and of which one is drawn."""
        distributions = {"roll_deg": ROLL_DEG[self.rig]}
        if self.rig == "overhead":
            distributions |= {"height_m": HEIGHT_M, "tilt_deg": TILT_DEG, "azimuth_deg": MOUNT_AZIMUTH_DEG}
            distributions |= {
                "mount_tolerance_m": MOUNT_TOLERANCE_M,
                "mount_tolerance_deg": MOUNT_TOLERANCE_DEG,
            }
        elif self.distance_m is None:
            distributions["frame_fill"] = FRAME_FILL
        angles = self.elevation_deg or self.azimuth_deg
        if self.rig == "free" and not angles:
            distributions["direction"] = FREE_DIRECTION
        elif self.rig != "overhead" and self.direction is None:
            distributions |= {"elevation_deg": CAMERA_ELEVATION_DEG, "azimuth_deg": AZIMUTH_DEG}
        return {
            name: distribution for name, distribution in distributions.items() if getattr(self, name) is None
        }

    def distribution(self, name: str) -> Distribution | None:
        """The distribution that a key has here, its own or the default; None where it is not drawn."""
        own = getattr(self, name)
        return self.defaults().get(name) if own is None else own
