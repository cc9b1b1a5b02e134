"""Shot, Exposure: sampled values that survive a round trip through JSON unchanged.

What is rendered from them (Film, Labels, Frame) holds arrays and is in film.py. Transforms are 4x4 tuples of
rows named from_to_to; the names of colours and units follow geometry/.
"""

from __future__ import annotations

from pydantic import Field

from blendgen.geometry.projection import NO_DISTORTION
from blendgen.scene.condition import Condition
from blendgen.scene.frozen import FrozenModel, Vector3
from blendgen.scene.ground import Backdrop, Container, Surface

Row4 = tuple[float, float, float, float]
Matrix4 = tuple[Row4, Row4, Row4, Row4]
Matrix3 = tuple[Vector3, Vector3, Vector3]

ENVIRONMENT_GROUP = "environment"
EMISSION_GROUP = "emission"
BACKDROP_GROUP = "backdrop"


def lamp_group(position: int) -> str:
    """Name of the light group of the lamp at a position in Shot.lamps."""
    return f"lamp_{position}"


class PlacedProduct(FrozenModel):
    """A product in the scene.

    instance_id: 1 for the subject, then 2, 3, ...
    size_m: extent of its box, which is centred on the product frame's origin and stands on z = 0
    case: colour of its case, '#rrggbb' or "clear"; None without a case
    """

    instance_id: int
    product: str
    colorway: str
    label: str
    label_id: int
    object_to_world: Matrix4
    size_m: Vector3 = (0.0, 0.0, 0.0)
    condition: Condition = Condition()
    case: str | None = None


class Distractor(FrozenModel):
    """A distractor or an occluder in the scene: it has no label and no instance id."""

    product: str
    colorway: str
    object_to_world: Matrix4


class Camera(FrozenModel):
    """A camera; world_to_camera is OpenCV (X right, Y down, Z forward).

    distortion: (k1, k2, p1, p2, k3) of Brown and Conrady, as in OpenCV; all 0 for a pinhole
    f_number: None: sharp at every depth; focus_m: depth of the plane in focus
    mount: index of the camera, if a data set has several fixed ones
    """

    resolution: tuple[int, int]
    intrinsics: Matrix3
    world_to_camera: Matrix4
    focal_length_mm: float
    sensor_width_mm: float
    azimuth_deg: float
    elevation_deg: float
    roll_deg: float
    frame_fill: float
    distance_m: float
    distortion: tuple[float, float, float, float, float] = NO_DISTORTION
    f_number: float | None = None
    focus_m: float = 1.0
    mount: int | None = None


class Environment(FrozenModel):
    """Light from all around, scaled so that at unit gain a white level plane sends radiance (1, 1, 1).

    image: one of kinds.environments.ENVIRONMENTS, or the name of a file of Catalog.environments
    """

    image: str
    rotation_deg: float


class Lamp(FrozenModel):
    """A lamp that looks along its own -Z.

    kind: of kinds.lamps.LAMP_KINDS
    size_m: its (width, height); of a ring its outer and inner diameter; of a door or window the
        size of the opening, perpendicular to the sunlight
    angle_deg: of sunlight, the angular diameter of the sun
    visible: whether the camera sees the lamp itself
    strobe: whether it flashes; the Exposure has the duration
    lit_share: share of the products' surroundings that its light reaches
    lamp_to_world: pose of the lamp
    reference_distance_m: at unit gain a white patch at this distance on its axis, facing it,
        sends radiance 1
    """

    kind: str
    size_m: tuple[float, float]
    lamp_to_world: Matrix4
    reference_distance_m: float
    angle_deg: float = 0.0
    visible: bool = False
    strobe: bool = False
    lit_share: float = 1.0


class Shot(FrozenModel):
    """One sampled arrangement: everything that path tracing needs, and nothing random left.

    occluders: above the products; they hide a part of the subject
    visible_band: least and largest share of the subject that must be visible in the render
    """

    index: int
    attempt: int
    split: str
    products: tuple[PlacedProduct, ...]
    surface: Surface
    camera: Camera
    environment: Environment
    lamps: tuple[Lamp, ...]
    distractors: tuple[Distractor, ...] = ()
    occluders: tuple[Distractor, ...] = ()
    container: Container | None = None
    visible_band: tuple[float, float] = (0.0, 1.0)
    backdrop: Backdrop | None = None
    render_seed: int


class Sensor(FrozenModel):
    """A sampled camera sensor; the fields are those of spec/sensor.py, now as numbers.

    pattern_seed: of what is fixed in one camera: non-uniformity, hot and dead pixels
    """

    natural_vignetting: float = 0.0
    mechanical_vignetting_ev: float = 0.0
    blur_px: float = 0.0
    chromatic_aberration_px: float = 0.0
    veiling_glare: float = 0.0
    mosaic: str = "none"
    channel_sensitivity: Vector3 = (1.0, 1.0, 1.0)
    full_well_e: float
    headroom_ev: float = 0.0
    prnu_percent: float = 0.0
    dark_current_e_per_s: float = 0.0
    dsnu_e: float = 0.0
    row_noise_e: float = 0.0
    read_noise_e: float
    hot_pixels_ppm: float = 0.0
    dead_pixels_ppm: float = 0.0
    bits: int
    black_level_dn: float
    color_matrix: Matrix3 = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
    noise_reduction: float = 0.0
    sharpening: float = 0.0
    sharpening_radius_px: float = 1.0
    view: str = "Standard"
    grain_size_px: float = 1.0
    jpeg_quality: float | None = None
    pattern_seed: int = 0


class Exposure(FrozenModel):
    """Everything that can change after path tracing.

    group_gain: light group -> linear (r, g, b) multiplier: strength and colour of its light
    light_linear: colour of the light that falls on the products, luminance 1
    camera_gain: linear multiplier of the whole image (exposure time and aperture at once)
    white_balance_mode: "incident", "fixed" or "gray_world", which guesses the light from the image
    white_balance_gain: linear sRGB (r, g, b) correction of the light; (1, 1, 1) for gray_world
    white_balance: how far the camera corrects, 0 to 1
    time_s: exposure time
    group_time_s: light group -> duration of its light, for strobes; all others last for time_s
    gain_db: gain of the sensor; more gain saturates earlier and is noisier
    grain: strength of film grain, 0 to 1
    environment_ev, environment_temperature_k, lamp_ev, lamp_temperature_k, camera_ev: as sampled
    noise_seed: of all noise of the sensor
    """

    index: int
    group_gain: dict[str, Vector3]
    light_linear: Vector3 = (1.0, 1.0, 1.0)
    camera_gain: float
    white_balance_mode: str = "incident"
    white_balance_gain: Vector3
    white_balance: float = 1.0
    time_s: float = 0.01
    group_time_s: dict[str, float] = Field(default_factory=dict)
    gain_db: float
    grain: float
    environment_ev: float
    environment_temperature_k: float = 6500.0
    lamp_ev: tuple[float, ...]
    lamp_temperature_k: tuple[float, ...]
    lamp_tint: tuple[float, ...] = ()
    camera_ev: float
    sensor: Sensor
    noise_seed: int
