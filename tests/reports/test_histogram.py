"""Histograms: what is asked for is on the scale of what is sampled, and exact."""

import numpy as np
import pytest

from blendgen.draw.shot import draw_image
from blendgen.reports.histogram import Histogram, expected_shares
from blendgen.reports.parameters import varied_parameters
from blendgen.streams import stream
from tests.conftest import make_class_table, make_spec

WEAR = [
    {"uniform": [0.1, 0.7]},
    {"log_uniform": [0.01, 1]},
    {"truncated_normal": [0.2, 0.35, 0, 0.4]},
    {"choice": {0.25: 3, 0.5: 1}},
]


def parameter_of(name, **sections):
    return next(one for one in varied_parameters(make_spec(**sections)).recorded if one.name == name)


def sampled(parameter, count=4000):
    histogram = Histogram(parameter)
    for u in stream(1, 0, 0, "test").random(count):
        histogram.add(float(parameter.distribution.quantile(float(u))))
    return histogram


@pytest.mark.parametrize("wear", WEAR)
def test_a_sample_of_what_was_asked_for_does_not_differ(wear):
    histogram = sampled(parameter_of("surface.wear", surface={"wear": wear})).as_dict()
    assert histogram["p"] > 1e-3 and not histogram["differs"]
    assert sum(histogram["expected"]) == pytest.approx(4000, abs=0.2)


@pytest.mark.parametrize(("low", "high"), [(0, 6), (0, 100)])
def test_whole_numbers_are_counted_in_their_bins(low, high):
    parameter = parameter_of("products_per_image", products_per_image={"integers": [low + 1, high // 3 + 1]})
    assert not sampled(parameter).as_dict()["differs"]


def test_shares_are_exact():
    parameter = parameter_of("camera.roll_deg", camera={"roll_deg": {"normal": [0, 4]}})
    histogram = Histogram(parameter)
    shares, is_exact = expected_shares(parameter, histogram.bins)
    many = [parameter.distribution.quantile((i + 0.5) / 20_000) for i in range(20_000)]
    counts = np.bincount([histogram.bins.number(value) for value in many], minlength=len(histogram.bins))
    assert is_exact and np.abs(shares - counts / 20_000).max() < 1e-4


def test_another_distribution_differs():
    parameter = parameter_of("surface.wear", surface={"wear": {"uniform": [0, 1]}})
    histogram = Histogram(parameter)
    for u in stream(2, 0, 0, "test").random(1000):
        histogram.add(float(u) ** 2)
    assert histogram.as_dict()["differs"]


def test_names_that_were_not_asked_for_are_counted_as_others():
    parameter = parameter_of("surface.kind", surface={"kind": {"choice": ["paper", "belt_pvc"]}})
    histogram = Histogram(parameter)
    for name in ("paper", "belt_pvc", "marble", "marble"):
        histogram.add(name)
    own = histogram.as_dict()
    assert dict(zip(own["names"], own["counts"], strict=True)) == {"belt_pvc": 1, "paper": 1, "other": 2}


def test_values_of_shots_lie_where_the_spec_asks_for_them(shapes):
    """Also those that are derived, such as the elevation of a lamp, and those of another name."""
    lamps = {"count": 2, "elevation_deg": {"uniform": [25, 80]}, "kind": {"choice": ["area", "strip"]}}
    spec = make_spec(lighting={"lamps": lamps}, surface={"color": {"choice": ["#102030", "#405060"]}})
    parameters = varied_parameters(spec).recorded
    names = {one.name for one in parameters}
    assert {
        "lighting.lamps.elevation_deg",
        "lighting.lamps.size_m",
        "surface.color",
        "exposure.lamp_ev",
    } <= names
    histograms = [Histogram(one) for one in parameters]
    for index in range(20):
        drawn = draw_image(spec, shapes, make_class_table(shapes), index)
        row = FakeRow(*(one.model_dump(mode="json") for one in drawn))
        for histogram in histograms:
            for value in histogram.parameter.values(row):
                histogram.add(value)
    own = {one.parameter.name: one.as_dict() for one in histograms if any(one.counts)}
    assert {name for name, one in own.items() if one["differs"]} == set()
    assert sum(own["lighting.lamps.elevation_deg"]["counts"]) == 40
    assert len(own) >= 20


class FakeRow:
    def __init__(self, shot_values, exposure_values):
        self.shot_values, self.exposure_values = shot_values, exposure_values
