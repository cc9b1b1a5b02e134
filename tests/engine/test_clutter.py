"""Clutter and occluders are closed solids of the right size, and their colourways can be rendered."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from blendgen.engine.blender.clutter import build_clutter  # noqa: E402
from blendgen.engine.blender.clutter.finishes import FINISHES  # noqa: E402
from blendgen.engine.blender.clutter.items import ITEMS, item  # noqa: E402
from blendgen.engine.blender.importing.asset import measure_source  # noqa: E402
from blendgen.engine.blender.importing.join import vertex_positions  # noqa: E402
from blendgen.models.families.clutter import clutter_colorways, clutter_sources, occluder_sources  # noqa: E402
from blendgen.models.families.occluder_items import OCCLUDERS  # noqa: E402
from blendgen.models.measuring.entry import ASSET_FILE, read_entry  # noqa: E402

SOURCES = {source.name: source for source in [*clutter_sources(), *occluder_sources()]}
# one item per way of building always, all items in slow tests
USUAL = ("hex_nut", "zip_tie", "sd_card", "crown_cap", "chute_edge")
each_item = pytest.mark.parametrize(
    "name", [name if name in USUAL else pytest.param(name, marks=pytest.mark.slow) for name in SOURCES]
)
# longest side in millimetres
LENGTH_MM = {
    "usb_cable": 195, "power_cable": 225, "charger_eu": 62, "charger_us": 44, "earbud_case": 60,
    "sd_card": 32, "machine_screw": 34, "wood_screw": 40, "hex_nut": 15, "washer": 16,
    "coin": 24, "aa_battery": 50.5,
    "packing_tape": 110, "tape_strip": 94, "cardboard": 124, "paper_ball": 50.5, "plastic_shard": 56,
    "zip_tie": 45, "rubber_band": 65, "paper_clip": 32, "marker": 138, "bottle_cap": 30, "crown_cap": 32.5,
    "bar": 1206, "flat_bar": 1000, "guard_rail": 1000, "chute_edge": 600, "curtain_strip": 615,
    "cable_bundle": 960, "gloved_hand": 550,
}  # fmt: skip


def test_an_item_has_one_builder():
    with pytest.raises(ValueError, match=r"two functions build the item 'washer': .* and .*build_clutter"):
        item("washer")(build_clutter)


class Built(dict):
    """Items by name, each built on first access."""

    def __missing__(self, name: str):
        self[name] = build_clutter(SOURCES[name].options)
        return self[name]


@pytest.fixture(scope="module")
def products():
    bpy.ops.wm.read_factory_settings(use_empty=True)
    return Built()


def vertices_mm(product) -> np.ndarray:
    return 1000 * vertex_positions(product.data)


def slot_vertices_mm(product, slot: str) -> np.ndarray:
    names = [material.name.split(".")[0] for material in product.data.materials]
    faces = [face for face in product.data.polygons if names[face.material_index] == slot]
    return vertices_mm(product)[sorted({vertex for face in faces for vertex in face.vertices})]


def test_every_item_of_the_catalogue_can_be_built_and_every_finish_is_known():
    assert set(ITEMS) == set(SOURCES) == set(LENGTH_MM)
    used = [f for s in SOURCES.values() for slots in s.options["colorways"].values() for f in slots.values()]
    assert {finish.split()[0] for finish in used} == set(FINISHES)


@each_item
def test_is_closed_everywhere(products, name):
    edges = Counter(edge for face in products[name].data.polygons for edge in face.edge_keys)
    assert set(edges.values()) == {2}


@each_item
def test_is_in_the_product_frame_with_the_right_size(products, name):
    places = vertices_mm(products[name])
    assert np.ptp(places, axis=0).max() == pytest.approx(LENGTH_MM[name], rel=0.02)
    assert (places.min(axis=0) + places.max(axis=0))[:2] == pytest.approx([0, 0], abs=1e-3)
    assert places[:, 2].min() == pytest.approx(0, abs=1e-4)


@each_item
def test_is_detailed_but_not_heavy_and_uses_every_slot(products, name):
    mesh = products[name].data
    assert 1000 <= sum(len(face.vertices) - 2 for face in mesh.polygons) <= 36_000
    assert {face.material_index for face in mesh.polygons} == set(range(len(mesh.materials)))
    slots = {material.name.split(".")[0] for material in mesh.materials}
    assert slots == set(next(iter(SOURCES[name].options["colorways"].values())))


def test_building_again_gives_the_same_mesh(products):
    again = build_clutter(SOURCES["zip_tie"].options)
    assert np.array_equal(vertices_mm(again), vertices_mm(products["zip_tie"]))


def test_the_lip_of_the_chute_points_to_plus_y(products):
    places = vertices_mm(products["chute_edge"])
    lip = places[places[:, 2] < 20]
    assert lip[:, 1].min() > 100 and np.ptp(lip[:, 0]) > 500


@pytest.mark.slow
def test_the_gloved_hand_reaches_to_plus_y(products):
    glove, sleeve = (slot_vertices_mm(products["gloved_hand"], slot) for slot in ("glove", "sleeve"))
    tips = glove[glove[:, 1] > glove[:, 1].max() - 12]
    assert glove[:, 1].max() > 250 and sleeve[:, 1].max() < glove[:, 1].min()
    assert np.ptp(tips[:, 0]) < 60  # a finger, not a fist


@pytest.mark.slow
@pytest.mark.parametrize("name", ["bar", "flat_bar", "cable_bundle", "guard_rail"])
def test_bars_and_rails_are_parallel_to_x(products, name):
    size = np.ptp(vertices_mm(products[name]), axis=0)
    assert size[0] == size.max() and name in OCCLUDERS


# last, because measuring empties Blender
@each_item
def test_is_measured_with_stable_poses_and_colourways_that_can_be_rendered(tmp_path, name):
    source = SOURCES[name]
    assert measure_source(source, tmp_path) is None
    measured = read_entry(tmp_path)
    assert np.ptp(measured.hull_m, axis=0) == pytest.approx(measured.size_m, abs=1e-6)
    assert min(measured.size_m) >= 0.001 and 1000 * max(measured.size_m) < 1.03 * LENGTH_MM[name]
    assert sum(pose.probability for pose in measured.stable_poses) == pytest.approx(1)
    assert measured.colorways == clutter_colorways(source.options["colorways"])
    with bpy.data.libraries.load(str(tmp_path / ASSET_FILE), link=False) as (held, _):
        swapped = {one.material for c in measured.colorways for one in c.materials.values()}
        assert swapped <= set(held.materials)
        assert "product" in held.objects
