"""Cached node trees give the same image as built ones, and a damaged cache is replaced."""

from __future__ import annotations

import numpy as np
import pytest

from blendgen.errors import SetupError
from tests.engine import conformance

bpy = pytest.importorskip("bpy")
WORN = {"condition": {"scratches": 0.8, "fingerprints": 0.6, "dust": 0.4}}


@pytest.fixture
def fresh(tmp_path, monkeypatch, stock):
    """A new engine that caches node trees in its own folder."""
    from blendgen.engine.blender.session.engine import BlenderEngine
    from tests.conftest import make_spec

    monkeypatch.setenv("BLENDGEN_CACHE_DIR", str(tmp_path / "cache"))
    settings = make_spec(render={"samples_per_pixel": 2, "max_bounces": 1, "denoise": False}).render
    return lambda: BlenderEngine(stock, settings, 1, threads=2)


def picture(engine, stock, kind):
    camera = conformance.make_camera(0, 60, 0, distance_m=0.4, target=(0, 0, 0), resolution=(48, 36))
    placed = conformance.place(1, stock.product("box"))
    used = placed.model_copy(update={"condition": placed.condition.model_copy(update=WORN["condition"])})
    shot = conformance.make_shot([used], camera)
    surface = shot.surface.model_copy(update={"kind": kind, "wear": 0.6, "dust": 0.4, "color_srgb": None})
    radiance = engine.render(shot.model_copy(update={"surface": surface})).radiance_linear
    return np.stack(list(radiance.values()))


def files(tmp_path):
    return sorted(path for path in (tmp_path / "cache/shaders").rglob("*") if path.is_file())


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind",
    [
        "belt_rubber",
        *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("belt_modular", "steel_table")),
    ],
)
def test_a_cached_tree_gives_the_same_image_as_a_built_one(fresh, stock, tmp_path, kind):
    written = picture(fresh(), stock, kind)
    cached = {path.name: path.stat().st_mtime_ns for path in files(tmp_path)}
    assert f"surface.{kind}.blend" in cached and "pattern.dust.blend" in cached
    assert {"tile.dust.npy", "tile.marks.npy"} <= set(cached)
    assert all(name.endswith((".blend", ".npy")) for name in cached)
    assert np.array_equal(picture(fresh(), stock, kind), written)
    assert {path.name: path.stat().st_mtime_ns for path in files(tmp_path)} == cached


@pytest.mark.parametrize("missing", ["code_digest", "cache_folder"])
def test_where_there_is_no_cache_a_tree_is_built(monkeypatch, missing):
    """An installation without source files has no digest of its code, a user without a home no folder."""
    from blendgen.engine.blender.shading import cache_files, cached_blocks

    def fail(*_):
        raise SetupError(f"no {missing}")

    cache_files._version.cache_clear()
    monkeypatch.setattr(cache_files, missing, fail)
    built = cached_blocks.cached_block(
        "materials", f"without {missing}", __name__, lambda: bpy.data.materials.new(f"without {missing}")
    )
    assert built == bpy.data.materials[f"without {missing}"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "damage", [lambda path: path.write_bytes(path.read_bytes()[:900]), lambda path: path.write_text("x")]
)
def test_a_damaged_file_is_replaced(fresh, stock, tmp_path, damage):
    written = picture(fresh(), stock, "paper")
    sizes = [path.stat().st_size for path in files(tmp_path)]
    for path in files(tmp_path):
        damage(path)
    assert np.array_equal(picture(fresh(), stock, "paper"), written)
    assert [path.stat().st_size for path in files(tmp_path)] == pytest.approx(sizes, rel=0.05)


@pytest.mark.slow
def test_a_cache_that_cannot_be_written_only_costs_time(fresh, stock, tmp_path):
    written = picture(fresh(), stock, "paper")
    (tmp_path / "cache").rename(tmp_path / "away")
    (tmp_path / "cache").write_text("a file, not a folder")
    assert np.array_equal(picture(fresh(), stock, "paper"), written)
