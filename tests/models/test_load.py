"""Loading measures each content once, keeps the order of the sources, and tells what it left out."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys

import pytest

from blendgen.errors import CatalogError, SetupError
from blendgen.models.load import load_catalog, measured_catalog
from blendgen.models.measuring.cache import AssetCache
from blendgen.models.product import Refusal
from blendgen.models.scan import scan_directory
from blendgen.models.source import Source
from tests.models.measurers import NEVER, FakeMeasurer, FunctionMeasurer


def sources(*names: str) -> list[Source]:
    return [Source(name, "f", "shape", {"of": name}, f"shapes/{name}") for name in names]


@pytest.fixture
def cache(tmp_path) -> AssetCache:
    return AssetCache(tmp_path / "cache")


def test_products_keep_the_order_and_names_of_the_sources(cache):
    catalog = load_catalog(sources("b", "a", "c"), FakeMeasurer(), cache)
    assert [product.name for product in catalog.products] == ["b", "a", "c"]
    assert {product.folder for product in catalog.products} == {"f"}
    assert all(product.asset_path.read_bytes() == b"BLENDER" for product in catalog.products)


def test_all_that_is_missing_is_measured_in_one_call_and_nothing_twice(cache):
    measurer = FakeMeasurer()
    load_catalog(sources("a", "b"), measurer, cache)
    load_catalog(sources("c", "b", "d", "a"), measurer, cache)
    assert measurer.calls == [["a", "b"], ["c", "d"]]


def test_a_second_load_measures_nothing_and_gives_the_same_products_and_refusals(cache):
    first = load_catalog(sources("a", "bad", "b"), FakeMeasurer(), cache)
    second = load_catalog(sources("a", "bad", "b"), NEVER, cache)
    assert [p.content_hash for p in first.products] == [p.content_hash for p in second.products]
    assert first.refusals == second.refusals == (Refusal("shapes/bad", "a point cloud"),)


def test_other_code_measures_again_and_the_content_stays_the_same(cache):
    """The digest of a data set contains the content, so a release of ours does not change it."""
    measurer = FakeMeasurer()
    first = load_catalog(sources("a"), measurer, cache)
    again = load_catalog(sources("a"), FunctionMeasurer(measurer.measure, digest="next release"), cache)
    assert measurer.calls == [["a"], ["a"]]
    assert again.products[0].content_hash == first.products[0].content_hash
    assert again.products[0].asset_path != first.products[0].asset_path


def test_one_content_under_two_names_is_measured_once(cache, tmp_path):
    for name in ("x.obj", "sub/y.obj"):
        (tmp_path / "m" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "m" / name).write_text("v 0 0 0\n")
    measurer = FakeMeasurer()
    catalog = load_catalog(scan_directory(tmp_path / "m", "m", None, None), measurer, cache)
    assert len(measurer.calls[0]) == 1
    assert {product.name for product in catalog.products} == {"x", "y"}


def files(folder, *names):
    folder.mkdir(exist_ok=True)
    for name in names:
        if not (folder / f"{name}.obj").exists():
            (folder / f"{name}.obj").write_text(name)
    return scan_directory(folder, "m", None, None)


def test_a_crash_of_the_importer_is_refused_and_not_tried_again(cache, tmp_path):
    measurer = FakeMeasurer()
    (refusal,) = load_catalog(files(tmp_path / "m", "a", "crash"), measurer, cache).refusals
    assert refusal.reason == "the importer crashed (SIGABRT); more is in a log"
    (refusal,) = load_catalog(files(tmp_path / "m"), NEVER, cache).refusals
    assert refusal.reason == (
        "the importer crashed (SIGABRT) in an earlier run; to try again, change the file, or touch it"
    )


@pytest.mark.parametrize("change", ["touch", "content", "blender", "code"])
def test_a_model_that_crashed_is_tried_again_after_a_change(cache, tmp_path, monkeypatch, change):
    models, file = files(tmp_path / "m", "a", "crash"), tmp_path / "m/crash.obj"
    load_catalog(models, FakeMeasurer(), cache)
    fake = measurer = FakeMeasurer()
    if change == "touch":
        os.utime(file, ns=(0, file.stat().st_mtime_ns + 1))
    elif change == "content":
        time_ns = file.stat().st_mtime_ns
        file.write_text("other")
        os.utime(file, ns=(time_ns, time_ns))
    elif change == "blender":
        monkeypatch.setattr("blendgen.models.measuring.cache._version", lambda package: "9.9")
    else:
        measurer = FunctionMeasurer(fake.measure, digest="next release")
    load_catalog(models, measurer, cache)
    assert "crash" in fake.calls[0]


def test_what_ended_an_importer_from_outside_says_nothing_about_the_model(cache, tmp_path):
    models = files(tmp_path / "m", "a", "crash_killed")
    measurer = FakeMeasurer()
    load_catalog(models, measurer, cache)
    load_catalog(models, measurer, cache)
    assert measurer.calls == [["a", "crash_killed"], ["crash_killed"]]


def test_models_are_loaded_if_the_cache_cannot_hold_a_crash(cache, tmp_path):
    models = files(tmp_path / "m", "a", "crash")
    cache.folder.mkdir()
    (cache.folder / "crashes").write_text("")
    assert len(load_catalog(models, FakeMeasurer(), cache).products) == 1


def test_a_damaged_entry_is_measured_again(cache):
    catalog = load_catalog(sources("a"), FakeMeasurer(), cache)
    catalog.products[0].asset_path.write_bytes(b"BLEN")
    measurer = FakeMeasurer()
    (product,) = load_catalog(sources("a"), measurer, cache).products
    assert measurer.calls == [["a"]] and product.asset_path.read_bytes() == b"BLENDER"


def test_without_any_product_every_refusal_is_listed(cache):
    with pytest.raises(CatalogError, match=r"(?s)shapes/bad1: a point cloud.*shapes/bad2: a point cloud"):
        load_catalog(sources("bad1", "bad2"), FakeMeasurer(), cache)


def test_a_file_that_vanished_is_refused(cache, tmp_path):
    gone = Source("gone", "", "mesh", {"path": str(tmp_path / "gone.obj")}, "m/gone.obj")
    catalog = load_catalog([*sources("a"), gone], FakeMeasurer(), cache)
    assert catalog.refusals == (Refusal("m/gone.obj", "cannot be read: No such file or directory"),)


def test_two_products_of_one_name_are_reported(cache):
    with pytest.raises(CatalogError, match=r"(?s)different names.*shapes/Mug.*shapes/mug"):
        load_catalog(sources("Mug", "mug"), NEVER, cache)


def test_a_missing_texture_is_reported_on_every_load(cache, caplog):
    for measurer in (FakeMeasurer(), NEVER):
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            load_catalog(sources("plain"), measurer, cache)
        assert [record.getMessage() for record in caplog.records] == [
            "shapes/plain: texture 'wood.png' is missing; the plain colour is shown"
        ]


def test_a_measurer_that_fails_altogether_leaves_nothing_behind(cache):
    def broken(jobs):
        raise SetupError("no Blender")
        yield

    with pytest.raises(SetupError, match="no Blender"):
        load_catalog(sources("a", "b"), FunctionMeasurer(broken), cache)
    assert list((cache.folder / "assets").iterdir()) == []


def test_what_was_measured_before_an_interruption_is_kept(cache):
    def interrupted(jobs):
        yield from FakeMeasurer().measure(jobs[:1])
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load_catalog(sources("a", "b"), FunctionMeasurer(interrupted), cache)
    measurer = FakeMeasurer()
    load_catalog(sources("a", "b"), measurer, cache)
    assert measurer.calls == [["b"]]


def test_importing_the_catalogue_loads_neither_blender_nor_scipy():
    code = (
        "import blendgen.models.load, blendgen.models.scan, blendgen.models.stable_poses, json, sys\n"
        "import blendgen.engine.blender.importing.measurer\n"
        "print(json.dumps([m for m in ('bpy', 'scipy', 'trimesh', 'networkx') if m in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []


def test_a_model_that_changes_while_it_is_measured_is_refused_and_tried_again(cache, tmp_path):
    model = tmp_path / "m" / "x.obj"
    model.parent.mkdir()
    model.write_text("v 0 0 0\n")
    plain = FakeMeasurer()

    def writing_meanwhile(jobs):
        for outcome in plain.measure(jobs):
            model.write_text("v 1 1 1\n")
            yield outcome

    (source,) = scan_directory(model.parent, "m", None, None)
    catalog = measured_catalog([source], FunctionMeasurer(writing_meanwhile), cache)
    (refusal,) = catalog.refusals
    assert "changed while it was measured" in refusal.reason
    assert measured_catalog([source], FakeMeasurer(), cache).refusals == ()


def test_a_giant_is_refused_before_it_is_read(cache, tmp_path):
    with (tmp_path / "x.obj").open("wb") as file:
        file.truncate(2**40)
    (source,) = scan_directory(tmp_path, "m", None, None)
    (refusal,) = measured_catalog([source], NEVER, cache).refusals
    assert refusal.reason == "cannot be read: larger than 4 GiB"


def test_what_a_model_lost_and_left_out_is_reported_on_every_load(cache, caplog):
    for measurer in (FakeMeasurer(), NEVER):
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            load_catalog(sources("half"), measurer, cache)
        messages = [record.getMessage() for record in caplog.records]
        assert messages == ["shapes/half: grey", "note: shapes/half: left out: LOD1"]
