"""Each distribution has the moments, quantiles and uniformity that it promises."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from blendgen.spec.distributions import (
    Choice,
    Constant,
    Integers,
    LogUniform,
    Normal,
    TruncatedNormal,
    Uniform,
)
from blendgen.spec.vector_distributions import Cone, Disk, Sphere

UNIFORM_NUMBERS = (np.arange(20000) + 0.5) / 20000
uniform_numbers = st.floats(0, 1, exclude_max=True)


def values(distribution):
    return np.array([distribution.quantile(u) for u in UNIFORM_NUMBERS])


def pairs(distribution, count=150):
    grid = (np.arange(count) + 0.5) / count
    return np.array([distribution.quantile(u, v) for u in grid for v in grid])


def test_uniform_has_its_mean_and_variance():
    drawn = values(Uniform(-1, 3))
    assert drawn.mean() == pytest.approx(1, abs=1e-3)
    assert drawn.var() == pytest.approx(16 / 12, rel=1e-3)


def test_log_uniform_has_its_median_at_the_geometric_mean():
    drawn = values(LogUniform(0.1, 10))
    assert np.median(drawn) == pytest.approx(1, rel=1e-3)
    assert np.log(drawn).var() == pytest.approx(math.log(100) ** 2 / 12, rel=1e-3)


def test_normal_has_its_moments_and_quantiles():
    drawn = values(Normal(2, 3))
    assert drawn.mean() == pytest.approx(2, abs=1e-3)
    assert drawn.std() == pytest.approx(3, rel=2e-3)
    assert Normal(2, 3).quantile(0.975) == pytest.approx(2 + 1.959964 * 3, abs=1e-4)


def test_truncated_normal_keeps_its_bounds_and_its_shape():
    drawn = values(TruncatedNormal(0, 1, -1, 2))
    assert drawn.min() >= -1 and drawn.max() <= 2
    phi, cdf = lambda x: math.exp(-x * x / 2) / math.sqrt(2 * math.pi), lambda x: math.erfc(-x / 2**0.5) / 2
    assert drawn.mean() == pytest.approx((phi(-1) - phi(2)) / (cdf(2) - cdf(-1)), abs=1e-3)


def test_integers_are_equally_likely_and_include_both_ends():
    numbers, counts = np.unique(values(Integers(2, 5)), return_counts=True)
    assert numbers.tolist() == [2, 3, 4, 5]
    assert np.ptp(counts) <= 1


def test_choice_follows_its_weights():
    drawn = [Choice(("a", "b", "c"), (1, 0, 3)).quantile(u) for u in UNIFORM_NUMBERS]
    assert drawn.count("b") == 0
    assert drawn.count("c") == pytest.approx(3 * drawn.count("a"), abs=4)


def test_disk_is_uniform_over_its_area():
    points = pairs(Disk(2))
    radius = np.hypot(*points.T)
    assert radius.max() <= 2
    assert (radius < 2 / math.sqrt(2)).mean() == pytest.approx(0.5, abs=0.01)
    assert points.mean(axis=0) == pytest.approx([0, 0], abs=1e-2)


def test_sphere_is_uniform_over_its_zone():
    points = pairs(Sphere(-90, 90))
    assert np.allclose(np.linalg.norm(points, axis=1), 1)
    assert points.T @ points / len(points) == pytest.approx(np.eye(3) / 3, abs=1e-2)
    zone = pairs(Sphere(30, 90))
    assert zone[:, 2].min() >= 0.5
    assert zone[:, 2].mean() == pytest.approx(0.75, abs=1e-3)


def test_cone_is_uniform_over_its_cap():
    points = pairs(Cone(60))
    assert points[:, 2].min() >= 0.5 - 1e-12
    assert (points[:, 2] > 0.75).mean() == pytest.approx(0.5, abs=0.01)


def test_a_constant_needs_no_random_numbers():
    assert Constant(3).dimensions == 0
    assert Constant(3).quantile() == 3


@given(uniform_numbers)
def test_every_value_is_within_the_support(u):
    for distribution in (
        Uniform(0.1, 0.3),
        LogUniform(0.1, 0.3),
        TruncatedNormal(0, 9, 0.1, 0.3),
        Integers(-3, 3),
    ):
        low, high = distribution.support()
        assert low <= distribution.quantile(u) <= high


@pytest.mark.parametrize(
    ("distribution", "arguments"),
    [
        (Uniform, (1, 1)),
        (Uniform, (2, 1)),
        (LogUniform, (0, 1)),
        (Normal, (0, 0)),
        (TruncatedNormal, (0, 1, 2, 1)),
        (TruncatedNormal, (0, 1e-3, 5, 6)),
        (Integers, (0.5, 2)),
        (Choice, ((), ())),
        (Choice, (("a",), (0.0,))),
        (Choice, (("a", "b"), (1.0, -1.0))),
        (Disk, (0,)),
        (Sphere, (10, 10)),
        (Cone, (0,)),
    ],
)
def test_impossible_distributions_are_refused(distribution, arguments):
    with pytest.raises(ValueError, match=distribution.keyword):
        distribution(*arguments)
