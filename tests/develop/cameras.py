"""Cameras and exposures for the tests of develop: presets as they are drawn, and plain values."""

from __future__ import annotations

from blendgen.draw.exposure import draw_sensor
from blendgen.draw.sampler import Sampler
from blendgen.geometry.projection import intrinsics_matrix
from blendgen.scene.shot import Camera, Exposure, Sensor
from blendgen.spec.presets import preset_names, preset_values
from blendgen.spec.sensor import SensorSettings

PRESETS = preset_names("sensors")


def sensor_of(preset: str, **changes) -> Sensor:
    """A preset's camera, with some of its numbers changed."""
    settings = SensorSettings.model_validate({**preset_values("sensors", preset), **changes})
    return draw_sensor(settings, Sampler(1, 0, 0))


def exposure(sensor: Sensor | None = None, **changes) -> Exposure:
    """An exposure at unit gains, with the ideal sensor where none is given."""
    values = {
        "index": 0,
        "group_gain": {"environment": (1, 1, 1), "lamp_0": (1, 1, 1)},
        "camera_gain": 1.0,
        "white_balance_gain": (1, 1, 1),
        "gain_db": 0,
        "grain": 0,
        "environment_ev": 0,
        "lamp_ev": (),
        "lamp_temperature_k": (),
        "camera_ev": 0,
        "sensor": sensor or sensor_of("ideal"),
        "noise_seed": 1,
        **changes,
    }
    return Exposure(**values)


def camera(width: int = 64, height: int = 48, focal_length_mm: float = 36.0) -> Camera:
    """A camera whose pose does not matter."""
    intrinsics = intrinsics_matrix(focal_length_mm, 36.0, (width, height))
    identity = tuple(tuple(float(i == j) for j in range(4)) for i in range(4))
    return Camera(
        resolution=(width, height),
        intrinsics=tuple(map(tuple, intrinsics.tolist())),
        world_to_camera=identity,
        focal_length_mm=focal_length_mm,
        sensor_width_mm=36.0,
        azimuth_deg=0,
        elevation_deg=90,
        roll_deg=0,
        frame_fill=0.5,
        distance_m=1,
    )
