"""EEVEE passes the conformance suite: exact labels, and light that adds up. Slow in software."""

from __future__ import annotations

import numpy as np
import pytest

from blendgen.spec.output import Output
from tests.conftest import make_spec
from tests.engine import conformance

bpy = pytest.importorskip("bpy")
pytestmark = pytest.mark.slow

# what depends on more than labels, which are those of Cycles (below); EEVEE cannot limit light to the angle
# of the sun: the spec rejects such lamps
CHECKS = (
    conformance.check_a_lens_that_distorts,
    conformance.check_any_order,
    conformance.check_shapes_and_types,
)


@pytest.fixture(scope="module")
def shots(stock):
    box, sphere = stock.product("box"), stock.product("sphere")
    low = conformance.make_camera(0, 4, distance_m=2.0)
    lamps = [conformance.overhead_lamp(0.5, 0.3, 0.1)]
    return {
        "two": conformance.make_shot([conformance.place(1, box), conformance.place(2, sphere, y=0.07)]),
        "low": conformance.make_shot([conformance.place(1, sphere)], low),
        "lamp": conformance.make_shot([conformance.place(1, sphere)], conformance.make_camera(0, 70), lamps),
    }


@pytest.fixture(scope="module")
def traced(stock, shots, _no_engine):
    """The shots, rendered by Cycles; before EEVEE, whose shaders are lost with its engine."""
    from blendgen.engine.blender.session.engine import BlenderEngine

    render = make_spec(render={"samples_per_pixel": 16, "max_bounces": 1, "denoise": True}).render
    engine = BlenderEngine(stock, render, 3, threads=2)
    return {name: engine.render(shot) for name, shot in shots.items()}


@pytest.fixture
def eevee(engine_for, traced):
    engine = engine_for(engine="eevee", samples_per_pixel=1, output=Output(soft_masks=True))
    bpy.data.worlds["environment"].probe_resolution = "128"  # takes a third of the time in software
    bpy.context.scene.eevee.shadow_pool_size = "16"
    return engine


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_conformance(eevee, stock, check):
    check(eevee, stock.product("box"), stock.product("sphere"))


def test_labels_are_bit_identical_to_those_of_cycles(eevee, shots, traced):
    one, two = eevee.render(shots["two"]), traced["two"]
    assert np.array_equal(one.instance_id, two.instance_id)
    assert np.array_equal(one.depth_m, two.depth_m)
    assert all(np.array_equal(one.amodal_masks[i], two.amodal_masks[i]) for i in (1, 2))


def test_coverages_are_smooth(eevee, stock):
    """Cycles computes coverage, with as many rays as there are samples."""
    shot = conformance.make_shot([conformance.place(1, stock.product("sphere"))])
    eevee.set_samples(4)
    assert np.array_equal(np.unique(eevee.render(shot).soft_masks[1]), [0, 0.25, 0.5, 0.75, 1])
    eevee.set_samples(1)


@pytest.mark.parametrize("kind", ["area", "disk", "strip", "sun"])
def test_every_lamp_at_unit_gain_gives_a_white_horizontal_patch_a_radiance_of_one(eevee, stock, kind):
    levels = conformance.level_patch(eevee, stock.product("sphere"), kind)
    assert levels["lamp_0"] == pytest.approx([1, 1, 1], abs=0.06)
    assert levels["environment"] == pytest.approx([1, 1, 1], abs=0.15)
    assert not levels["emission"].any()


def test_images_look_like_those_of_cycles(eevee, shots, traced):
    """Both show the same silhouette, with light from the same side."""
    one, two = eevee.render(shots["lamp"]), traced["lamp"]
    one, two = (film.radiance_linear["lamp_0"][..., 1] for film in (one, two))
    assert np.corrcoef(one.ravel(), two.ravel())[0, 1] > 0.9
    assert one.mean() == pytest.approx(two.mean(), rel=0.1)


def test_the_environment_itself_is_as_bright_as_in_cycles(eevee, shots, traced):
    """The light of panoramas is corrected on surfaces only."""
    films = eevee.render(shots["low"]), traced["low"]
    beyond = np.isinf(films[0].depth_m)
    assert np.count_nonzero(beyond) > 500
    one, two = (np.median(film.radiance_linear["environment"][beyond], axis=0) for film in films)
    assert one == pytest.approx(two, rel=0.05)
