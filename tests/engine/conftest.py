"""Fixtures of this folder: the built-in shapes and the Blender engine.

BLENDGEN_TEST_DEVICE=optix renders on another device than the CPU; benchmarks/gpu.sh uses it.
"""

from __future__ import annotations

import os
import sys

import pytest

from blendgen.spec.output import Output
from tests.conftest import make_spec

_NOTHING_MORE = Output()


@pytest.fixture(scope="session")
def stock(tmp_path_factory):
    """The built-in shapes, measured by Blender into a separate cache."""
    from blendgen.engine.blender.importing.measurer import BlenderMeasurer
    from blendgen.models.load import load_catalog
    from blendgen.models.measuring.cache import AssetCache
    from blendgen.models.spec_sources import shape_source

    cache = AssetCache(tmp_path_factory.mktemp("cache"))
    sources = [shape_source("box"), shape_source("sphere")]
    return load_catalog(sources, BlenderMeasurer(), cache)


class _Current:
    """The engine of this process: a new one resets Blender, so there is only one at a time."""

    key = engine = None


@pytest.fixture(scope="module")
def _no_engine():
    """Discard the engine of other test modules, which reset Blender too."""
    _Current.key = None


@pytest.fixture(autouse=True, scope="module")
def _visible_layer():
    """An engine of another module lets the window show a layer without objects, in which nothing has a
    place."""
    if "bpy" in sys.modules:
        context = sys.modules["bpy"].context
        context.window.view_layer = context.scene.view_layers[0]


@pytest.fixture
def engine_for(stock, _no_engine):
    """(max_lamps, catalog, output, render settings) -> an engine; the current one for equal arguments."""

    def build(max_lamps=3, catalog=stock, output=_NOTHING_MORE, **render):
        from blendgen.engine.blender.session.engine import BlenderEngine
        from blendgen.engine.device import parse_device
        from blendgen.workers.gpu_probe import devices_for

        settings = make_spec(
            render={"samples_per_pixel": 4, "max_bounces": 1, "denoise": True, **render}
        ).render
        key = (id(catalog), max_lamps, output.model_dump_json(), settings.model_dump_json())
        if _Current.key != key:
            _Current.key = key
            (device, *_) = devices_for(parse_device(os.environ.get("BLENDGEN_TEST_DEVICE") or "cpu"))
            _Current.engine = BlenderEngine(
                catalog, settings, max_lamps, threads=2, output=output, device=device
            )
        return _Current.engine

    return build


@pytest.fixture
def engine(engine_for):
    return engine_for()
