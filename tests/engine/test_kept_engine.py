"""An engine that goes on with another catalogue gives the films of a new one, and keeps what is the same."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from blendgen.engine.device import CPU
from blendgen.models.product import Catalog
from blendgen.scene.condition import Condition
from tests.engine import conformance

bpy = pytest.importorskip("bpy")
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def other_box(tmp_path_factory):
    """A model of the same name as the box of the stock, measured from something else."""
    from blendgen.engine.blender.importing.measurer import BlenderMeasurer
    from blendgen.models.load import load_catalog
    from blendgen.models.measuring.cache import AssetCache
    from blendgen.models.spec_sources import shape_source

    box = shape_source("box")
    changed = replace(
        box, options={**box.options, "size_m": [0.05, 0.09, 0.02], "base_color_srgb": "#d02010"}
    )
    cache = AssetCache(tmp_path_factory.mktemp("cache"))
    return load_catalog([changed], BlenderMeasurer(), cache).products[0]


@pytest.fixture
def options():
    from tests.conftest import make_spec

    spec = make_spec(render={"samples_per_pixel": 2, "max_bounces": 1, "denoise": True})
    return spec.render, 1, 2, spec.output, CPU


def shot(catalog):
    marks = Condition(scratches=0.5, dust=0.3)
    camera = conformance.make_camera(resolution=(48, 36))
    products = [
        conformance.place(1, catalog.product("box")),
        conformance.place(2, catalog.product("sphere"), 0.07),
    ]
    return conformance.make_shot([one.model_copy(update={"condition": marks}) for one in products], camera)


def assert_same(film, other):
    assert film.radiance_linear.keys() == other.radiance_linear.keys()
    for group, light in film.radiance_linear.items():
        assert np.array_equal(light, other.radiance_linear[group])
    for name in ("depth_m", "instance_id", "albedo_linear", "normal_world"):
        assert np.array_equal(getattr(film, name), getattr(other, name))


def test_a_changed_model_is_read_again_and_the_others_stay(stock, other_box, options):
    from blendgen.engine.blender.session.engine import BlenderEngine

    changed = replace(stock, products=(other_box, stock.product("sphere")))
    engine = BlenderEngine(stock, *options)
    first = engine.render(shot(stock))
    blocks, sphere = len(bpy.data.user_map()), bpy.data.meshes["sphere (model)"]
    for catalog in (changed, stock, changed):
        assert engine.take_catalog(catalog, *options)
        film = engine.render(shot(catalog))
        assert len(bpy.data.user_map()) == blocks
        assert bpy.data.meshes["sphere (model)"] == sphere
    assert not np.array_equal(film.depth_m, first.depth_m)
    assert engine.take_catalog(stock, *options)
    assert_same(engine.render(shot(stock)), first)
    fresh = BlenderEngine(changed, *options)
    assert_same(fresh.render(shot(changed)), film)


def test_a_model_that_is_gone_leaves_nothing(stock, options):
    from blendgen.engine.blender.session.engine import BlenderEngine

    engine = BlenderEngine(stock, *options)
    engine.render(shot(stock))
    assert engine.take_catalog(Catalog((stock.product("sphere"),)), *options)
    assert "box (model)" not in bpy.data.meshes and "sphere (model)" in bpy.data.meshes


def test_other_settings_and_changed_pictures_need_a_new_engine(stock, options, tmp_path):
    from blendgen.engine.blender.session.engine import BlenderEngine

    (tmp_path / "sky.exr").write_text("1")
    with_sky = replace(stock, environments={"sky.exr": tmp_path / "sky.exr"})
    engine = BlenderEngine(with_sky, *options)
    assert engine.take_catalog(with_sky, *options)
    settings, *others = options
    assert not engine.take_catalog(with_sky, settings.model_copy(update={"max_bounces": 2}), *others)
    assert not engine.take_catalog(with_sky, settings, 2, *others[1:])
    (tmp_path / "sky.exr").write_text("22")
    assert not engine.take_catalog(with_sky, *options)
    assert not engine.take_catalog(stock, *options)
