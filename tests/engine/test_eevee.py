"""EEVEE against the conformance suite: exact labels, and light that adds up. Runs in software, slowly."""

from __future__ import annotations

import numpy as np
import pytest

from blendgen.spec.output import Output
from tests.engine import conformance

bpy = pytest.importorskip("bpy")
pytestmark = pytest.mark.slow

# EEVEE cannot keep light within the angle of the sun: such lamps are refused by the spec
CHECKS = [check for check in conformance.CHECKS if check is not conformance.check_sunlight_through_a_door]


@pytest.fixture
def eevee(engine_for):
    engine = engine_for(engine="eevee", samples_per_pixel=1, output=Output(coverage=True))
    bpy.data.worlds["environment"].probe_resolution = "128"  # a third of the time, in software
    bpy.context.scene.eevee.shadow_pool_size = "16"
    return engine


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_conformance(eevee, stock, check):
    check(eevee, stock.product("box"), stock.product("sphere"))


def test_labels_are_those_of_cycles_to_the_bit(eevee, stock, engine_for):
    shot = conformance.make_shot(
        [conformance.place(1, stock.product("box")), conformance.place(2, stock.product("sphere"), y=0.07)]
    )
    painted = eevee.render(shot)
    traced = engine_for(engine="cycles").render(shot)
    assert np.array_equal(painted.instance_id, traced.instance_id)
    assert np.array_equal(painted.depth_m, traced.depth_m)
    assert all(np.array_equal(painted.amodal_mask[i], traced.amodal_mask[i]) for i in (1, 2))


def test_shares_of_pixels_are_smooth(eevee, stock):
    """Coverage is Cycles' business, and takes as many rays as there are samples."""
    shot = conformance.make_shot([conformance.place(1, stock.product("sphere"))])
    assert set(np.unique(eevee.render(shot).coverage[1])) == {0, 1}
    eevee.set_samples(8)
    assert len(np.unique(eevee.render(shot).coverage[1])) == 9
    eevee.set_samples(1)


@pytest.mark.parametrize("kind", ["area", "disk", "strip", "sun"])
def test_every_lamp_at_unit_gain_lights_a_white_level_patch_to_one(eevee, stock, kind):
    levels = conformance.level_patch(eevee, stock.product("sphere"), kind)
    assert levels["lamp_0"] == pytest.approx([1, 1, 1], abs=0.06)
    assert levels["environment"] == pytest.approx([1, 1, 1], abs=0.15)
    assert not levels["emission"].any()


def test_pictures_look_like_those_of_cycles(eevee, stock, engine_for):
    """The same silhouette stands out in both, and the light comes from the same side."""
    camera = conformance.make_camera(0, 70)
    lamps = [conformance.overhead_lamp(0.5, 0.3, 0.1)]
    shot = conformance.make_shot([conformance.place(1, stock.product("sphere"))], camera, lamps)
    painted = eevee.render(shot).radiance_linear["lamp_0"][..., 1]
    traced = engine_for(engine="cycles", samples_per_pixel=32).render(shot).radiance_linear["lamp_0"][..., 1]
    assert np.corrcoef(painted.ravel(), traced.ravel())[0, 1] > 0.9
    assert painted.mean() == pytest.approx(traced.mean(), rel=0.1)


def test_the_environment_itself_is_as_bright_as_in_cycles(eevee, stock, engine_for):
    """Light from panoramas is set right on surfaces alone."""
    camera = conformance.make_camera(0, 4, distance_m=2.0)
    shot = conformance.make_shot([conformance.place(1, stock.product("sphere"))], camera)
    painted, traced = eevee.render(shot), engine_for(engine="cycles", samples_per_pixel=16).render(shot)
    beyond = np.isinf(painted.depth_m)
    assert np.count_nonzero(beyond) > 500
    one, two = (np.median(film.radiance_linear["environment"][beyond], axis=0) for film in (painted, traced))
    assert one == pytest.approx(two, rel=0.05)
