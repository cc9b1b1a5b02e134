"""Strobes: a flash freezes what moves, steady light blurs it, and both add up to a ghost."""

import numpy as np
import pytest

from blendgen.develop.develop import Developer, through_shutter
from blendgen.draw.shot import draw_exposures, draw_shot
from blendgen.engine.flat import FlatEngine
from tests.conftest import make_class_table, make_spec


def drawn(shapes, strobe, speed=2.0, **exposure):
    """A film under an overhead camera, its shot and its exposure; 20 mm of travel while open."""
    spec = make_spec(
        resolution=[96, 96],
        surface={"kind": "belt_rubber", "speed_m_per_s": speed},
        camera={"rig": "overhead", "height_m": 0.4, "focal_length_mm": 50, "subject_offset": [0, 0]},
        lighting={"lamps": {"count": 1, "kind": "disk", "elevation_deg": 80, "strobe": strobe}},
        exposure={"time_s": 0.01, "strobe_s": 2e-5, "environment_ev": 0, "lamp_ev": 0, **exposure},
    )
    shot = draw_shot(spec, shapes, make_class_table(shapes), 0)
    return FlatEngine(shapes).render(shot), shot, draw_exposures(spec, shot, [0])[0]


def light(film, shot, exposure, groups=None):
    """The blurred light of an exposure, of some groups only."""
    if groups:
        gains = {name: gain if name in groups else (0, 0, 0) for name, gain in exposure.group_gain.items()}
        exposure = exposure.model_copy(update={"group_gain": gains})
    (parts,) = Developer(None, 1).lit(film, (exposure,))
    return through_shutter(parts, film, shot)


def sharp(film, exposure, groups):
    return sum(film.radiance_linear[name] * np.float32(exposure.group_gain[name]) for name in groups)


def steepness(radiance):
    """Steepest step along the travel, as a share of the brightest light."""
    return float(np.abs(np.diff(radiance[..., 1], axis=0)).max() / radiance[..., 1].max())


def test_a_product_that_moves_is_sharp_under_a_flash_and_blurred_under_steady_light(shapes):
    film, shot, exposure = drawn(shapes, strobe=1)
    flash = light(film, shot, exposure, ["lamp_0"])
    steady = light(film, shot, exposure, ["environment"])
    assert np.array_equal(flash, sharp(film, exposure, ["lamp_0"]))
    unmoved = steepness(sharp(film, exposure, ["environment"]))
    assert steepness(steady) < unmoved / 5


def test_flash_and_steady_light_add_up_to_a_sharp_image_and_its_ghost(shapes):
    film, shot, exposure = drawn(shapes, strobe=1)
    both = light(film, shot, exposure)
    parts = [light(film, shot, exposure, [group]) for group in ("lamp_0", "environment")]
    assert np.allclose(both, sum(parts), atol=1e-6)


def test_a_long_flash_blurs_by_its_own_length(shapes):
    lengths = []
    for strobe_s in (0.0025, 0.005):
        film, shot, exposure = drawn(shapes, strobe=1, strobe_s=strobe_s)
        before, after = sharp(film, exposure, ["lamp_0"]), light(film, shot, exposure, ["lamp_0"])
        lengths.append(np.abs(after - before).sum() / before.sum())
    assert lengths[1] == pytest.approx(2 * lengths[0], rel=0.25)


def test_without_strobes_there_is_one_part_and_it_blurs_with_the_exposure_time(shapes):
    film, _, exposure = drawn(shapes, strobe=0)
    (parts,) = Developer(None, 1).lit(film, (exposure,))
    assert list(parts) == [0.01] and exposure.group_time_s == {}


def test_the_light_of_a_flash_is_independent_of_the_exposure_time(shapes):
    gains = {}
    for time_s in (0.001, 0.01, 0.02):
        _, _, exposure = drawn(shapes, strobe=1, time_s=time_s, metering="manual")
        gains[time_s] = {name: np.array(gain) for name, gain in exposure.group_gain.items()}
    assert gains[0.001]["lamp_0"] == pytest.approx(gains[0.02]["lamp_0"])
    assert gains[0.02]["environment"] == pytest.approx(20 * gains[0.001]["environment"])
    _, _, steady = drawn(shapes, strobe=0, metering="manual")  # in 10 ms as bright as a lamp that burns
    for name in ("lamp_0", "environment"):
        assert gains[0.01][name] == pytest.approx(np.array(steady.group_gain[name]))


def test_no_flash_outlasts_the_exposure(shapes):
    _, _, exposure = drawn(shapes, strobe=1, time_s=0.001, strobe_s=0.5)
    assert exposure.group_time_s == {"lamp_0": 0.001}


def test_some_of_the_lamps_may_flash(shapes):
    spec = make_spec(lighting={"lamps": {"count": 4, "strobe": {"choice": {1: 3, 0: 1}}}})
    class_table = make_class_table(shapes)
    flashing = [lamp.strobe for i in range(60) for lamp in draw_shot(spec, shapes, class_table, i).lamps]
    assert np.mean(flashing) == pytest.approx(0.75, abs=0.09)
