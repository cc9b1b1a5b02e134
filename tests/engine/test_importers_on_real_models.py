"""Real models: published sizes, textures, and one clear line for each model that is rejected.

Reads the folder of public test models that BLENDGEN_TEST_MODELS names; skipped where there is none.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from blendgen.engine.blender.importing.measurer import BlenderMeasurer
from blendgen.models.load import load_catalog
from blendgen.models.measuring.cache import AssetCache
from blendgen.models.measuring.entry import read_entry
from blendgen.models.product import Catalog
from blendgen.models.scan import scan_directory

pytest.importorskip("bpy")
pytestmark = pytest.mark.slow


_MEASURER = BlenderMeasurer()


@pytest.fixture(scope="module")
def shared_data() -> Path:
    folder = os.environ.get("BLENDGEN_TEST_MODELS")
    if not folder or not Path(folder).is_dir():
        pytest.skip("BLENDGEN_TEST_MODELS names no folder of test models")
    return Path(folder)


@pytest.fixture(scope="module")
def load(shared_data, tmp_path_factory):
    cache = AssetCache(tmp_path_factory.mktemp("cache"))

    def load_folder(name: str, unit: str | None = None, measurer=_MEASURER) -> Catalog:
        sources = scan_directory(shared_data / name, name, unit, None, naming="path")
        return load_catalog(sources, measurer, cache)

    return load_folder


class Never(BlenderMeasurer):
    def measure(self, jobs):
        raise AssertionError("measured again")


def millimetres(catalog: Catalog, name: str) -> list[float]:
    return [side * 1000 for side in catalog.product(name).size_m]


def test_lego_parts_have_their_published_size_and_are_measured_once(load):
    catalog = load("lego20")
    assert len(catalog.products) == 20 and not catalog.refusals
    assert sorted(millimetres(catalog, "Brick_2x4")) == pytest.approx([11.2, 15.9, 31.9], abs=0.5)
    assert sorted(millimetres(catalog, "Plate_1x2")) == pytest.approx([4.8, 7.9, 15.9], abs=0.5)
    again = load("lego20", measurer=Never())
    assert [p.content_hash for p in again.products] == [p.content_hash for p in catalog.products]


def test_scanned_groceries_have_their_real_size_and_their_textures(load):
    catalog = load("models/ycb")
    assert not catalog.refusals
    cracker_box = millimetres(catalog, "003_cracker_box__google_16k__textured")
    assert sorted(cracker_box) == pytest.approx([70, 160, 212], abs=6)
    textured = [product for product in catalog.products if product.name.endswith("__textured")]
    assert len(textured) == 4
    for product in textured:
        assert read_entry(product.asset_path.parent).missing_textures == ()
        assert product.asset_path.stat().st_size > 500_000  # the texture is packed


def test_gltf_sample_models_are_read(load):
    catalog = load("models/gltf")
    assert not catalog.refusals
    ducks = [product for product in catalog.products if product.name.endswith("__Duck")]
    trucks = [product for product in catalog.products if product.name.endswith("__CesiumMilkTruck")]
    assert len(ducks) == 3 and len(trucks) == 2  # one of each is Draco-compressed
    for same in (ducks, trucks):
        assert all(product.size_m == pytest.approx(same[0].size_m, rel=2e-3) for product in same)
        for product in same:
            assert read_entry(product.asset_path.parent).missing_textures == ()
            assert product.asset_path.stat().st_size > 15_000  # the texture is packed
    assert max(millimetres(catalog, "MaterialsVariantsShoe__glTF__MaterialsVariantsShoe")) == pytest.approx(
        298, abs=2
    )


def test_unusual_and_broken_files_give_a_product_or_one_clear_line(load):
    catalog = load("models/assimp")
    sizes = {product.name: max(product.size_m) for product in catalog.products}
    assert len(sizes) + len(catalog.refusals) == 44 and len(sizes) >= 26
    for refusal in catalog.refusals:
        print(f"{refusal.source:68} {refusal.reason}")
        assert "\n" not in refusal.reason and "Traceback" not in refusal.reason
        assert 10 < len(refusal.reason) < 120


def test_a_stated_unit_makes_a_model_in_millimetres_usable(load, tmp_path, shared_data):
    (refusal,) = [r for r in load("models").refusals if "counter" in r.source]
    assert refusal.reason == "largest side is 304.8 m; state its unit, such as unit: mm"
    catalog = load("models/trimesh", unit="mm")
    assert max(millimetres(catalog, "counter.unitsmm")) == pytest.approx(304.8)


@pytest.mark.parametrize(
    "name",
    [
        "lego20/Brick_2x4.glb",
        "models/assimp/FBX/box.fbx",
        "models/assimp/PLY/cube_binary.ply",
        "models/assimp/STL/Spider_binary.stl",
        "models/blend/01_principled_material_280.blend",
    ],
)
def test_a_truncated_file_is_rejected_or_complete_but_never_crashes(tmp_path, shared_data, name):
    data = (shared_data / name).read_bytes()
    for tenths in range(1, 10):
        file = tmp_path / "cut" / f"{tenths}{Path(name).suffix}"
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(data[: len(data) * tenths // 10])
    shutil.copy(shared_data / "lego20" / "Brick_1x1.glb", tmp_path / "cut" / "whole.glb")
    sources = scan_directory(tmp_path / "cut", "cut", None, None)
    catalog = load_catalog(sources, BlenderMeasurer(), AssetCache(tmp_path / "cache"))
    assert [product.name for product in catalog.products] == ["whole"]
    assert not [refusal for refusal in catalog.refusals if "crashed" in refusal.reason]
