"""Sunlight through doors and windows: where its edge falls, and what the meter makes of it."""

import numpy as np
import pytest

from blendgen.draw.arrangement import Arrangement
from blendgen.draw.exposure import incident_light
from blendgen.draw.shot import draw_exposures, draw_shot
from blendgen.geometry.color import luminance
from blendgen.scene.openings import panes_m, reached
from tests.conftest import make_class_table, make_spec


def sunlit_shots(shapes, count=40, **lamps):
    lamps = {"count": 1, "kind": "door", "elevation_deg": {"uniform": [5, 90]}, **lamps}
    spec = make_spec(lighting={"lamps": lamps}, exposure={"camera_ev": 0, "lamp_ev": 3})
    for index in range(count):
        yield spec, draw_shot(spec, shapes, make_class_table(shapes), index)


def across(lamp, points):
    """Extent of points across the light, from 0 to 1, and the place of the opening's middle in it."""
    axis = np.array(lamp.lamp_to_world)[:3, 0]
    along = points @ axis
    return (along - along.min()) / np.ptp(along), (lamp.lamp_to_world[0][3] * axis[0]
            + lamp.lamp_to_world[1][3] * axis[1] - along.min()) / np.ptp(along)  # fmt: skip


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_the_edge_of_the_light_falls_where_it_was_drawn(shapes, share):
    sides = set()
    for _, shot in sunlit_shots(shapes, sunlit=share, size_m=3):
        (lamp,), points = shot.lamps, Arrangement(shot.products).points(shapes)
        places, middle = across(lamp, points)
        sides.add(middle > 0.5)
        lit = reached(lamp, points)
        shaded = places > share if middle < 0.5 else places < 1 - share
        assert np.array_equal(lit, ~shaded)
    assert sides == {True, False}  # from either side


@pytest.mark.parametrize(("share", "expected"), [(0.0, False), (1.0, True)])
def test_at_its_ends_the_light_misses_or_covers_the_products(shapes, share, expected):
    for _, shot in sunlit_shots(shapes, 20, sunlit=share, size_m=3):
        points = Arrangement(shot.products).points(shapes)
        middle = (points.min(axis=0) + points.max(axis=0)) / 2
        inner = middle + 0.999 * (points - middle)
        assert np.all(reached(shot.lamps[0], inner) == expected)


def test_no_opening_reaches_below_the_surface(shapes):
    for _, shot in sunlit_shots(shapes, elevation_deg=5, size_m={"uniform": [0.1, 2]}):
        (lamp,) = shot.lamps
        pose = np.array(lamp.lamp_to_world)
        assert pose[2, 3] - lamp.size_m[1] / 2 * pose[2, 1] > 0.019


def test_a_window_is_nine_panes_and_bars_in_its_outline(shapes):
    _, shot = next(sunlit_shots(shapes, kind="window"))
    (lamp,) = shot.lamps
    panes = np.array(panes_m(lamp))
    assert len(panes) == 9
    reach = np.abs(panes[:, :2]).max(axis=0) + panes[0, 2:] / 2
    assert 2 * reach == pytest.approx(lamp.size_m)
    assert np.prod(panes[:, 2:], axis=1).sum() == pytest.approx(0.82 * np.prod(lamp.size_m), rel=0.02)


def test_the_meter_lies_between_shade_and_sun_and_leaves_the_sun_unburnt(shapes):
    """However little is lit: the patch is brighter than white by no more than two stops and a half."""
    for spec, shot in sunlit_shots(shapes, sunlit={"uniform": [0.05, 1]}, elevation_deg=60):
        (exposure,) = draw_exposures(spec, shot, [shot.index])
        (lamp,), gains = shot.lamps, exposure.group_gain
        assert 0 < lamp.lit_share <= 1
        shade = float(luminance(gains["environment"])) * exposure.camera_gain
        whole = shot.model_copy(update={"lamps": (lamp.model_copy(update={"lit_share": 1.0}),)})
        sun = float(luminance(incident_light(whole, gains))) * exposure.camera_gain
        assert shade < 1 <= sun + 1e-9
        assert sun < 2**2.5


def test_a_kind_without_an_opening_draws_none(shapes):
    _, shot = next(sunlit_shots(shapes, kind="sun"))
    assert shot.lamps[0].lit_share == 1.0
