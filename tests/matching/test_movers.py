"""Each field that the table names moves its statistic in the direction that the table states."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from blendgen.geometry.arrays import FloatArray
from blendgen.geometry.color import blackbody_linear, white_balance_gain
from blendgen.photos.statistics import STATISTICS, Picture
from tests.photos.developed import developed, disks, signs, steps

# a small and a large value of each field, and what else the camera is like
VALUES = {
    "exposure.camera_ev": (-0.5, 0.7, {"exposure_gain_db": 0}),
    "exposure.white_balance_temperature_k": (4000, 8000, {"exposure_camera_gain": 0.4}),
    "exposure.gain_db": (3, 21, {}),
    "sensor.veiling_glare": (0.0, 0.2, {}),
    "sensor.read_noise_e": (2, 40, {}),
    "sensor.full_well_e": (1500, 12000, {}),
    "sensor.noise_reduction": (0.0, 0.6, {"exposure_gain_db": 21}),
    "sensor.blur_px": (0.3, 2.0, {}),
    "sensor.sharpening": (0.0, 2.0, {}),
    "sensor.mechanical_vignetting_ev": (0.0, 1.5, {}),
    "sensor.natural_vignetting": (0.0, 1.0, {}),
    "sensor.chromatic_aberration_px": (-1.0, 1.0, {}),
    "sensor.jpeg_quality": (40, 80, {}),
}
MOVES = [(one.name, mover.field, mover.direction) for one in STATISTICS for mover in one.movers]


def picture(field: str, value: float, others: dict, name: str) -> Picture:
    changes, bright = dict(others), {"black": 0.02, "white": 1.6}.get(name, 0.5)
    if field == "exposure.camera_ev":
        changes["exposure_camera_gain"] = bright * 2**value
    elif field == "exposure.white_balance_temperature_k":
        changes["exposure_white_balance_gain"] = white_balance_gain(blackbody_linear(value), 1)
    elif field == "exposure.gain_db":
        changes["exposure_gain_db"] = value
    else:
        changes[field.removeprefix("sensor.")] = value
    if name == "black" and field != "exposure.camera_ev":
        changes["exposure_camera_gain"] = 0.02
    return Picture(developed(light_for(name), "machine_vision", **changes))


def light_for(name: str) -> FloatArray:
    if name == "color_blur":
        return signs(1)
    return steps(1) if name.startswith("noise") else disks(1, 25, "#9a8a70")


@pytest.mark.parametrize(("name", "field", "direction"), MOVES)
def test_a_field_moves_its_statistic(name, field, direction):
    low, high, others = VALUES[field]
    statistic = next(one for one in STATISTICS if one.name == name)
    results = [statistic.measure(picture(field, value, others, name)) for value in (low, high)]
    assert all(result.value is not None for result in results), results
    change = results[1].value - results[0].value
    assert np.sign(change) == direction and abs(change) > statistic.smallest / 2


def test_statistics_without_a_field_say_what_to_look_at():
    assert [one.name for one in STATISTICS if not one.movers and not one.advice] == []


def test_the_documentation_has_the_table():
    text = (Path(__file__).parents[2] / "docs" / "matching.md").read_text("utf-8")
    for one in STATISTICS:
        movers = [f"`{mover.field}` {'+' if mover.direction > 0 else '−'}" for mover in one.movers]
        cells = (one.title, one.unit, f"{one.smallest:g}", ", ".join(movers) or "–", one.advice or "–")
        assert f"| {' | '.join(cells)} |\n" in text
