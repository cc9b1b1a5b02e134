"""Ranges of few photos are at least half as wide as those of the spec; surfaces are mixed with its own."""

from __future__ import annotations

from typing import Any

import pytest

from blendgen.matching.variety import with_variety
from blendgen.starter.guess import Guess
from tests.conftest import make_spec


def varied(field: str, value: Any, **sections: Any) -> Guess:
    """The Guess for one field, next to a spec with these sections."""
    return all_varied({field: value}, **sections)[0]


def all_varied(values: dict[str, Any], **sections: Any) -> list[Guess]:
    guesses = [Guess(tuple(key.split(".")), one, "seen") for key, one in values.items()]
    return with_variety(guesses, make_spec(**sections))


def test_a_narrow_range_keeps_its_middle_and_gets_half_the_width_of_the_spec():
    wide = {"environment_temperature_k": {"uniform": [3000, 7000]}}
    guess = varied("exposure.environment_temperature_k", {"uniform": [5100, 5300]}, exposure=wide)
    assert guess.value == {"uniform": [4200, 6200]} and guess.reason.startswith("seen; widened")


def test_a_range_as_wide_as_in_the_spec_stays():
    narrow = {"environment_temperature_k": {"uniform": [5000, 5400]}}
    guess = varied("exposure.environment_temperature_k", {"uniform": [4100, 7300]}, exposure=narrow)
    assert guess.value == {"uniform": [4100, 7300]} and guess.reason == "seen"


@pytest.mark.parametrize(
    ("field", "own"),
    [
        ("sensor.noise_reduction", 0.4),  # the spec does not vary it
        ("exposure.gain_db", {"uniform": [0, 20]}),  # photos have no more noise than they show
        ("exposure.white_balance", {"uniform": [0, 1]}),
    ],
)
def test_what_the_spec_does_not_vary_and_what_is_exact_stays(field, own):
    section, name = field.split(".")
    sections = {section: {"preset": "phone", name: own} if section == "sensor" else {name: own}}
    assert varied(field, 0.2, **sections).value == 0.2


def test_a_wider_range_stays_within_the_bounds_of_its_field():
    sensor = {"preset": "phone", "noise_reduction": {"uniform": [0.2, 1]}}
    assert varied("sensor.noise_reduction", 0, sensor=sensor).value == {"uniform": [0, 0.4]}
    assert varied("sensor.noise_reduction", 0.9, sensor=sensor).value == {"uniform": [0.6, 1]}


def test_exposures_deviate_at_least_half_as_much_as_in_the_spec():
    own = {"camera_ev": {"truncated_normal": [0.2, 0.6, -3, 3]}}
    guess = varied("exposure.camera_ev", {"truncated_normal": [0, 0.1, -0.2, 0.2]}, exposure=own)
    mean, deviation, low, high = guess.value["truncated_normal"]
    assert mean == 0 and deviation == pytest.approx(0.3, abs=0.01)
    assert low == pytest.approx(-0.6, abs=0.02) and high == pytest.approx(0.6, abs=0.02)


def test_lamps_differ_from_the_environment_half_as_much_as_in_the_spec():
    own = {"lamp_temperature_k": {"uniform": [3000, 7000]}}
    same = {"same_as": "exposure.environment_temperature_k"}
    values = {
        "exposure.environment_temperature_k": {"uniform": [4000, 8000]},
        "exposure.lamp_temperature_k": same,
    }
    lamps = all_varied(values, exposure=own)[1]
    assert lamps.value == same | {"plus": {"uniform": [-1000, 1000]}}
    values["exposure.environment_temperature_k"] = {"uniform": [1900, 5000]}
    lamps = all_varied(values, exposure=own)[1]  # no black body is below 1700 K here
    assert lamps.value == same | {"plus": {"uniform": [-200, 200]}}


def test_half_of_the_surfaces_are_those_of_the_spec():
    own = {"kind": {"choice": {"paper": 3, "wood_table": 1}}, "color": "#aabbcc"}
    color = varied("surface.color", {"choice": {"#111111": 6, "#222222": 2}}, surface=own)
    assert color.value == {"choice": {"#111111": 6, "#222222": 2, "#aabbcc": 8}}
    kind = varied("surface.kind", "photo", surface=own)
    assert kind.value == {"choice": {"photo": 1, "paper": 0.75, "wood_table": 0.25}}
    assert "the others as in the spec" in kind.reason


def test_colours_that_are_those_of_the_spec_and_kinds_without_a_colour_are_not_mixed():
    assert varied("surface.color", "#aabbcc", surface={"color": "#aabbcc"}).value == "#aabbcc"
    assert varied("surface.color", "#aabbcc").value == "#aabbcc"
