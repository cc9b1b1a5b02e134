"""Recipes of the strips: for each parameter that takes a distribution, its range and its scene.

In: nothing. Out: `recipes()`, key of the spec -> Recipe. Parameters from 0 to 1 and names need no entry
of their own; every other parameter has a range in which its effect is visible.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, get_args

from pydantic import BaseModel

from blendgen.scene.kinds.surfaces import SURFACE_KINDS
from blendgen.spec.fields import DistributionField, distribution_field
from blendgen.spec.model import Spec

Values = dict[str, Any]

# one phone on a plain belt; everything is constant
SCENE: Values = {
    "blendgen": 1,
    "name": "strips",
    "seed": 6,
    "resolution": [128, 128],
    "products": [{"catalog": "phones", "models": ["iphone_13_pro"], "colorways": ["sierra_blue"]}],
    "distractors": {"catalog": "shapes", "count": 0, "gap_m": 0.02},
    "occluders": {"catalog": "occluders", "count": 0, "visible_fraction": 0.6, "height_m": 0.05},
    "placement": {"pose": "upright", "yaw_deg": 30, "offset": 0, "gap_m": 0.02, "spread": 0.4},
    "surface": {
        "kind": "belt_pvc",
        "color": "#6d7880",
        "wear": 0.2,
        "dust": 0.1,
        "width_m": 0.6,
        "pitch_m": 0.01,
    },
    "camera": {
        "frame_fill": 0.7,
        "subject_offset": [0, 0],
        "elevation_deg": 60,
        "azimuth_deg": 300,
        "roll_deg": 0,
        "focal_length_mm": 35,
    },
    "lighting": {
        "environment": {"image": "studio", "rotation_deg": 60},
        "lamps": {
            "count": 1,
            "kind": "area",
            "elevation_deg": 50,
            "azimuth_deg": 200,
            "distance_m": 0.8,
            "size_m": 0.3,
            "sunlit": 0.5,
        },
    },
    "exposure": {
        "environment_ev": -0.5,
        "lamp_ev": 1,
        "environment_temperature_k": 6500,
        "lamp_temperature_k": 5500,
        "backlight_ev": 0,
        "camera_ev": 0,
        "white_balance": 1,
        "time_s": 0.01,
        "strobe_s": 0.0001,
        "gain_db": 0,
    },
    "sensor": {"preset": "machine_vision", "mosaic": "none"},  # its zipper artefacts would cover small tiles
    "render": {"preset": "final", "samples_per_pixel": 24, "max_bounces": 3},
}


@dataclass(frozen=True)
class Recipe:
    """distribution: of the parameter; scene: keys that differ from SCENE, None to remove one."""

    distribution: Any
    scene: Values = field(default_factory=dict)


def uniform(low: float, high: float, **scene: Any) -> Recipe:
    """A uniform range; the dots in the scene's keys are written as two underscores."""
    return Recipe({"uniform": [low, high]}, {key.replace("__", "."): value for key, value in scene.items()})


def log_uniform(low: float, high: float, **scene: Any) -> Recipe:
    return Recipe({"log_uniform": [low, high]}, uniform(0, 1, **scene).scene)


_WALL = {
    "surface__kind": "paper",
    "surface__color": "#b8b8b4",
}  # uniform, so that noise and corners are visible
_DIM = {**_WALL, "exposure__gain_db": 24}
_SUNNY = {"lighting__lamps__kind": "door", "lighting__lamps__size_m": 0.5, "exposure__lamp_ev": 1.5}
_MOVING = {"surface__speed_m_per_s": 1.5, "exposure__time_s": 0.02, "placement__yaw_deg": 80}
_CLOSE = {"camera__focal_length_mm": 85, "camera__elevation_deg": 30, "surface__kind": "wood_table",
          "surface__color": None}  # fmt: skip
_TWO = {"products_per_image": 2, "camera__frame_fill": 0.9}
_OVERHEAD = {"camera__rig": "overhead", "camera__frame_fill": None, "camera__elevation_deg": None,
             "camera__azimuth_deg": None, "camera__height_m": 0.6, "camera__mount_tolerance_m": 0,
             "camera__mount_tolerance_deg": 0, "camera__focal_length_mm": 60}  # fmt: skip
_GRID = {"surface__kind": "belt_modular"}
_WIDE = {**_GRID, "camera__elevation_deg": 90, "camera__focal_length_mm": 28}
_FLASH = {**_MOVING, "lighting__lamps__strobe": 1, "exposure__environment_ev": -3}

_PILE = {"placement__arrangement": "pile", "products_per_image": 4, "camera__frame_fill": 0.9}
_BOX = {**_PILE, "container__kind": "tote", "container__width_m": 0.22, "container__length_m": 0.3,
        "container__height_m": 0.08, "container__yaw_deg": 20, "container__color": "#2456a0",
        "camera__frame_fill": 0.5}  # fmt: skip
_MESH = {"surface__kind": "belt_mesh", "surface__color": None}

_KINDS = [kind.name for kind in SURFACE_KINDS.values() if kind.solid and not kind.shows_photo]

# parameters that need the user's own photos have no strip
_WITHOUT_STRIP = ("backdrop.", "surface.photos.")

_OWN = {
    "products_per_image": Recipe({"integers": [1, 4]}, {"camera.frame_fill": 0.9}),
    # resting has the screen up here; marks are visible on its dark glass
    "condition.screen": uniform(0, 2, placement__pose="resting"),
    "condition.scratches": uniform(0, 1, placement__pose="resting"),
    "condition.fingerprints": uniform(0, 1, placement__pose="resting"),
    "condition.cracks": uniform(0, 1, placement__pose="resting"),
    "distractors.count": Recipe({"integers": [0, 5]}, {"camera.frame_fill": 0.35}),
    "distractors.gap_m": uniform(0.005, 0.1, distractors__count=2, camera__frame_fill=0.35),
    "occluders.count": Recipe({"integers": [0, 3]}),
    "occluders.visible_fraction": uniform(0.3, 0.9, occluders__count=1),
    "occluders.height_m": uniform(0.01, 0.15, occluders__count=1),
    "placement.spread": uniform(0, 1.2, **_PILE),
    "container.kind": Recipe(None, uniform(0, 1, **{**_BOX, "container__color": None}).scene),
    "container.width_m": uniform(0.18, 0.35, **_BOX),
    "container.length_m": uniform(0.18, 0.4, **_BOX),
    "container.height_m": uniform(0.02, 0.2, **_BOX),
    "container.yaw_deg": uniform(0, 180, **_BOX),
    "container.color": Recipe(
        {"choice": ["#3a4046", "#2456a0", "#a3261f", "#b9b7ae", "#2f6b46"]}, uniform(0, 1, **_BOX).scene
    ),
    "surface.pitch_m": uniform(0.006, 0.02, **_MESH),
    "placement.yaw_deg": uniform(0, 360),
    "placement.offset": uniform(-1, 1, camera__distance_m=0.7, camera__frame_fill=None, surface__width_m=0.3),
    "placement.gap_m": uniform(0.005, 0.1, **_TWO),
    "surface.kind": Recipe(
        {"choice": _KINDS},
        {"surface.color": None},
    ),
    "surface.color": Recipe({"choice": ["#2b2c2f", "#2a7560", "#2c68a6", "#8a4b32", "#b9bab5", "#e9e7e2"]}),
    "surface.width_m": uniform(0.2, 0.6, camera__distance_m=0.9, camera__frame_fill=None),
    "surface.yaw_deg": uniform(0, 90, **_GRID),
    "surface.speed_m_per_s": uniform(0, 2, exposure__time_s=0.02),
    "camera.frame_fill": uniform(0.2, 0.95),
    "camera.distance_m": uniform(0.3, 1.2, camera__frame_fill=None),
    "camera.subject_offset": Recipe({"disk": 1.0}, {"camera.frame_fill": 0.4}),
    "camera.height_m": uniform(0.4, 1.2, **_OVERHEAD),
    "camera.tilt_deg": uniform(0, 50, **{**_OVERHEAD, "camera__focal_length_mm": 85}, **_GRID),
    "camera.mount_tolerance_m": uniform(0, 0.1, **_OVERHEAD),
    "camera.mount_tolerance_deg": uniform(0, 10, **_OVERHEAD, **_GRID),
    "camera.elevation_deg": uniform(10, 90),
    "camera.azimuth_deg": uniform(0, 360),
    "camera.direction": Recipe({"cone": 60}, {"camera.elevation_deg": None, "camera.azimuth_deg": None}),
    "camera.roll_deg": uniform(-30, 30, **_GRID),
    "camera.focal_length_mm": log_uniform(14, 120, camera__elevation_deg=40, camera__frame_fill=0.75),
    "camera.sensor_width_mm": log_uniform(12, 48, camera__distance_m=0.5, camera__frame_fill=None),
    "camera.f_number": log_uniform(1, 16, **_CLOSE),
    "camera.focus_error": uniform(-0.2, 0.4, **_CLOSE, camera__f_number=2),
    "camera.distortion.k1": uniform(-0.17, 0.3, **_WIDE),
    "camera.distortion.k2": uniform(-0.11, 0.3, **_WIDE),
    "camera.distortion.k3": uniform(-0.11, 0.3, **_WIDE),
    "camera.distortion.p1": uniform(-0.06, 0.06, **_WIDE),
    "camera.distortion.p2": uniform(-0.06, 0.06, **_WIDE),
    "lighting.environment.rotation_deg": uniform(0, 360, exposure__lamp_ev=-6),
    "lighting.environment.image": Recipe(None, {"exposure.lamp_ev": -6}),
    "lighting.lamps.count": Recipe({"integers": [0, 4]}, {"lighting.lamps.azimuth_deg": None}),
    "lighting.lamps.kind": Recipe(None, {"exposure.environment_ev": -2}),
    "lighting.lamps.elevation_deg": uniform(10, 90, exposure__environment_ev=-2.5),
    "lighting.lamps.azimuth_deg": uniform(0, 360, exposure__environment_ev=-2.5),
    "lighting.lamps.direction": Recipe(
        {"sphere": [15, 90]}, {"lighting.lamps.elevation_deg": None, "lighting.lamps.azimuth_deg": None}
    ),
    "lighting.lamps.distance_m": log_uniform(0.2, 3, exposure__environment_ev=-2.5),
    "lighting.lamps.size_m": log_uniform(0.03, 1.5, exposure__environment_ev=-2.5),
    "lighting.lamps.sun_angle_deg": log_uniform(0.3, 15, **_SUNNY),
    "lighting.lamps.sunlit": uniform(0, 1, **_SUNNY),
    "lighting.lamps.strobe": Recipe({"integers": [0, 1]}, uniform(0, 1, **_MOVING).scene),
    "exposure.environment_ev": uniform(-5, 3),
    "exposure.lamp_ev": uniform(-4, 4),
    "exposure.environment_temperature_k": uniform(2500, 12000, exposure__white_balance=0),
    "exposure.lamp_temperature_k": uniform(2000, 12000, exposure__white_balance=0),
    "exposure.lamp_tint": uniform(-1, 1, exposure__white_balance=0),
    "exposure.backlight_ev": uniform(-4, 1, surface__kind="backlit_sheet", surface__color=None),
    "exposure.camera_ev": uniform(-3, 2),
    "exposure.white_balance": uniform(0, 1, exposure__lamp_temperature_k=2700),
    "exposure.white_balance_temperature_k": uniform(2500, 9000, exposure__white_balance_mode="fixed"),
    "exposure.time_s": log_uniform(0.0005, 0.03, **_MOVING),
    "exposure.strobe_s": log_uniform(0.0001, 0.02, **_FLASH),
    "exposure.gain_db": uniform(0, 36),
    "sensor.mechanical_vignetting_ev": uniform(0, 3, **_WALL),
    "sensor.natural_vignetting": uniform(0, 1, **_WALL, camera__focal_length_mm=14),
    "sensor.blur_px": uniform(0, 3),
    "sensor.chromatic_aberration_px": uniform(-4, 4, **_GRID),
    "sensor.veiling_glare": uniform(0, 0.5),
    "sensor.full_well_e": log_uniform(200, 20000, **_WALL),
    "sensor.headroom_ev": uniform(0, 6, **_WALL),
    "sensor.prnu_percent": uniform(0, 15, **_WALL),
    "sensor.dark_current_e_per_s": log_uniform(100, 100000, **_WALL, exposure__time_s=0.02),
    "sensor.dsnu_e": uniform(0, 60, **_DIM),
    "sensor.row_noise_e": uniform(0, 25, **_DIM),
    "sensor.read_noise_e": uniform(0, 60, **_DIM),
    "sensor.hot_pixels_ppm": uniform(0, 20000, **_WALL),
    "sensor.dead_pixels_ppm": uniform(0, 20000, **_WALL),
    "sensor.black_level_dn": uniform(0, 1000),
    "sensor.sharpening": uniform(0, 5),
    "sensor.sharpening_radius_px": log_uniform(0.4, 8, sensor__sharpening=2),
    "sensor.grain_size_px": log_uniform(0.5, 6, exposure__grain=1),
    "sensor.jpeg_quality": uniform(5, 80),
    "sensor.noise_reduction": uniform(0, 1, exposure__gain_db=30),
}


def parameters(
    model: type[BaseModel] = Spec, prefix: str = ""
) -> Iterator[tuple[str, DistributionField, Any]]:
    """(key, DistributionField, pydantic field) of each parameter that has a strip."""
    for name, info in model.model_fields.items():
        distributed = distribution_field(info)
        if distributed is not None and not f"{prefix}{name}".startswith(_WITHOUT_STRIP):
            yield f"{prefix}{name}", distributed, info
        candidates = (info.annotation, *get_args(info.annotation))
        for section in (one for one in candidates if isinstance(one, type) and issubclass(one, BaseModel)):
            yield from parameters(section, f"{prefix}{name}.")


def recipes() -> dict[str, Recipe]:
    """The recipe of each parameter; raises KeyError for one that needs an entry in _OWN."""
    return {key: _recipe(key, checks) for key, checks, _ in parameters()}


def _recipe(key: str, checks: DistributionField) -> Recipe:
    own = _OWN.get(key, Recipe(None))
    if own.distribution is not None:
        return own
    known = getattr(checks, "known", None)
    if known is not None:
        return Recipe({"choice": list(known)}, own.scene)
    if (getattr(checks, "low", None), getattr(checks, "high", None)) == (0, 1):
        return Recipe({"uniform": [0, 1]}, own.scene)
    raise KeyError(
        f"{key}: add a recipe to tests/strip_recipes.py, with a range in which its effect is visible"
    )
