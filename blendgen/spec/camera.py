"""The `camera` section: the camera's position and its lens."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from blendgen.spec.distributions import Constant, Distribution, Normal, Uniform
from blendgen.spec.fields import direction_above, number, point_in_disk
from blendgen.spec.lighting import AZIMUTH_DEG
from blendgen.spec.section import Section
from blendgen.spec.vector_distributions import Disk, Sphere

# defaults of keys that exclude each other or depend on the rig; the fields themselves have none
FRAME_FILL = Uniform(0.35, 0.8)
CAMERA_ELEVATION_DEG = Uniform(35.0, 90.0)
FREE_DIRECTION = Sphere(1.0, 90.0)
ROLL_DEG = {"orbit": Normal(0.0, 4.0), "overhead": Constant(0.0), "free": Uniform(0.0, 360.0)}
HEIGHT_M = Uniform(0.6, 1.2)
TILT_DEG = Constant(0.0)
# the belt then runs upwards in the image
MOUNT_AZIMUTH_DEG = Constant(270.0)
MOUNT_TOLERANCE_M, MOUNT_TOLERANCE_DEG = Constant(0.005), Constant(1.0)

_NOT_OVERHEAD = ("frame_fill", "distance_m", "elevation_deg", "direction")
_OVERHEAD_ONLY = ("height_m", "tilt_deg", "mount_tolerance_m", "mount_tolerance_deg", "camera_count")


class Distortion(Section):
    """Brown-Conrady lens distortion with OpenCV's coefficients; a negative k1 is barrel distortion."""

    k1: Annotated[Distribution, number(-1, 1)] = Field(Constant(0.0), description="radial coefficient of r^2")
    k2: Annotated[Distribution, number(-1, 1)] = Field(Constant(0.0), description="radial coefficient of r^4")
    k3: Annotated[Distribution, number(-1, 1)] = Field(Constant(0.0), description="radial coefficient of r^6")
    p1: Annotated[Distribution, number(-0.1, 0.1)] = Field(
        Constant(0.0), description="first tangential coefficient"
    )
    p2: Annotated[Distribution, number(-0.1, 0.1)] = Field(
        Constant(0.0), description="second tangential coefficient"
    )


class CameraSection(Section):
    """Position of the camera, and its lens; the products are framed as sampled."""

    rig: Literal["orbit", "overhead", "free"] = Field(
        "orbit",
        description="orbit: around the products, framed as sampled; free: like orbit, but from any direction "
        "above the surface and with any roll; overhead: mounted above the middle of the surface, and the "
        "products pass under it",
    )
    frame_fill: Annotated[Distribution, number(0.02, 1)] | None = Field(
        None,
        description="fraction of the frame that the products' box fills, along the tighter side; the "
        f"distance follows from it (default {FRAME_FILL})",
    )
    distance_m: Annotated[Distribution, number(0, 100, above_low=True)] | None = Field(
        None, description="instead of frame_fill, if apparent size is a cue: from the camera to the products"
    )
    subject_offset: Annotated[Distribution, point_in_disk(1)] = Field(
        Disk(0.7),
        description="[x, y] of the products in the free room of the frame: [0, 0] is centred, 1 touches the "
        "right or lower edge",
    )
    height_m: Annotated[Distribution, number(0, 20, above_low=True)] | None = Field(
        None, description=f"height of an overhead camera above the surface (default {HEIGHT_M})"
    )
    tilt_deg: Annotated[Distribution, number(0, 60)] | None = Field(
        None, description=f"angle between an overhead camera's axis and straight down (default {TILT_DEG})"
    )
    mount_tolerance_m: Annotated[Distribution, number(0, 1)] | None = Field(
        None,
        description="how far an overhead camera may be from its nominal position, in any direction "
        f"(default {MOUNT_TOLERANCE_M})",
    )
    mount_tolerance_deg: Annotated[Distribution, number(0, 20)] | None = Field(
        None,
        description="how far an overhead camera may be turned from its nominal pose, about any axis "
        f"(default {MOUNT_TOLERANCE_DEG})",
    )
    camera_count: int | None = Field(
        None,
        ge=1,
        le=10**6,
        description="number of overhead cameras in the data set, each with a position and a lens that are "
        "the same in all its images; default: every image has a camera of its own",
    )
    elevation_deg: Annotated[Distribution, number(1, 90)] | None = Field(
        None, description=f"elevation of the camera above the horizon (default {CAMERA_ELEVATION_DEG})"
    )
    azimuth_deg: Annotated[Distribution, number()] | None = Field(
        None,
        description=f"azimuth of the camera; 0 is world +X, 90 is +Y (default {AZIMUTH_DEG}; overhead "
        f"{MOUNT_AZIMUTH_DEG}: the belt runs upwards in the image)",
    )
    direction: Annotated[Distribution, direction_above(1)] | None = Field(
        None,
        description="instead of elevation_deg and azimuth_deg: {cone: degrees} or {sphere: [low, high]} "
        f"(default for rig free: {FREE_DIRECTION})",
    )
    roll_deg: Annotated[Distribution, number()] | None = Field(
        None,
        description=f"rotation about the optical axis (default {ROLL_DEG['orbit']}; overhead "
        f"{ROLL_DEG['overhead']}; free {ROLL_DEG['free']})",
    )
    focal_length_mm: Annotated[Distribution, number(4, 1200)] = Field(
        Uniform(24.0, 60.0), description="focal length of the lens"
    )
    sensor_width_mm: Annotated[Distribution, number(1, 100)] = Field(
        Constant(36.0), description="width of the sensor"
    )
    f_number: Annotated[Distribution, number(0.7, 64)] | None = Field(
        None, description="aperture of the lens, for defocus blur; default: everything is sharp"
    )
    focus_error: Annotated[Distribution, number(-0.9, 5)] = Field(
        Constant(0.0),
        description="how far behind the products (overhead: the surface) the focal plane is, as a fraction "
        "of their distance",
    )
    distortion: Distortion = Distortion()

    @model_validator(mode="after")
    def _one_way_each(self) -> Self:
        wrong = _NOT_OVERHEAD if self.rig == "overhead" else _OVERHEAD_ONLY
        given = [name for name in wrong if getattr(self, name) is not None]
        if given and self.rig == "overhead":
            raise ValueError(f"rig: overhead uses height_m and tilt_deg; remove {', '.join(given)}")
        if given:
            names = ", ".join(given)
            raise ValueError(f"only rig: overhead uses {names}; set rig: overhead, or remove {names}")
        if self.frame_fill is not None and self.distance_m is not None:
            raise ValueError("frame_fill and distance_m exclude each other: give one of them")
        if self.direction is not None and (self.elevation_deg or self.azimuth_deg):
            raise ValueError("direction replaces elevation_deg and azimuth_deg; remove one or the other")
        return self

    def defaults(self) -> dict[str, Distribution]:
        """The default distribution of each key that this rig samples and that the spec leaves out."""
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
        """The distribution of a key, its own or the default; None if this camera does not sample it."""
        own: Distribution | None = getattr(self, name)
        return self.defaults().get(name) if own is None else own

    def sampled(self, name: str) -> Distribution:
        """The distribution of a key that this camera samples; raises KeyError for any other."""
        distribution = self.distribution(name)
        if distribution is None:
            raise KeyError(f"camera.{name} is not sampled with rig: {self.rig}")
        return distribution
