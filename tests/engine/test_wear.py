"""Rendered wear: marks, bevels, cases and screens change only the product."""

from dataclasses import replace

import numpy as np
import pytest

from blendgen.engine.blender.importing.measurer import BlenderMeasurer
from blendgen.models.families.phones import phone_sources
from blendgen.models.load import load_catalog
from blendgen.models.measuring.cache import AssetCache
from blendgen.models.product import GLASS, SCREEN
from blendgen.models.scan import scan_directory
from blendgen.scene.condition import Condition, Impact, Sticker
from tests.engine import conformance

bpy = pytest.importorskip("bpy")


EVERYTHING = Condition(
    scratches=0.5, fingerprints=0.5, dust=0.5, scuffs=0.8, cracks=1.0, screen=1.0,
    pattern_offset_m=(3.0, 7.0),
    impact=Impact(point_m=(0.02, 0.01, 0.015), normal=(0.0, 0.0, 1.0)),
    stickers=(Sticker(
        kind="label", center_m=(0.0, 0.0, 0.03), normal=(0.0, 0.0, 1.0), along=(1.0, 0.0, 0.0),
        size_m=(0.05, 0.02), color_srgb="#f0e040", opacity=0.8, pattern=0.3,
    ),),
)  # fmt: skip
OUR_NAMES = ("lens", "Flash", "sensor_1", "port", "speaker", "seam", "display glass", "Screen", "case")


def of_kind(stock, kind: str):
    """The stock with a box whose part is of a kind, as a sidecar states it."""
    return replace(stock, products=(replace(stock.product("box"), part_kinds=(kind,)),))


def condition_with(mark: str, amount: float):
    offset = (3.0, 7.0)
    if mark == "cracks":
        hit = Impact(point_m=(0.02, 0.01, 0.015), normal=(0.0, 0.0, 1.0))
        return Condition(cracks=amount, impact=hit, pattern_offset_m=offset)
    if mark not in STICKERS:
        return Condition(**{mark: amount}, pattern_offset_m=offset)
    sticker = Sticker(
        kind=mark, center_m=(0.0, 0.0, 0.03), normal=(0.0, 0.0, 1.0), along=(1.0, 0.0, 0.0),
        size_m=(0.06 * amount, 0.03 * amount), color_srgb="#f0e040", opacity=0.8, pattern=0.3,
    )  # fmt: skip
    return Condition(stickers=(sticker,) if amount else (), pattern_offset_m=offset)


STICKERS = ("label", "vinyl", "tape")


_OTHERS = [
    pytest.param(m, marks=pytest.mark.slow)
    for m in ("scratches", "cracks", "fingerprints", "dust", "scuffs", "tape")
]


@pytest.mark.parametrize("mark", ["label", *_OTHERS])
def test_wear_marks_change_only_the_product_and_grow_with_their_amount(stock, engine_for, mark):
    catalog = of_kind(stock, GLASS) if mark == "cracks" else stock
    engine = engine_for(1, catalog, samples_per_pixel=16, max_bounces=0, denoise=False)
    camera = conformance.make_camera(20, 60, resolution=(96, 72))
    films = []
    for amount in (0.0, 0.3, 1.0):
        placed = conformance.place(1, stock.product("box")).model_copy(
            update={"condition": condition_with(mark, amount)}
        )
        films.append(engine.render(conformance.make_shot([placed], camera, [conformance.overhead_lamp()])))
    new, little, much = (sum(film.radiance_linear.values()) for film in films)
    inside = films[0].instance_id == 1
    assert all(np.array_equal(film.instance_id, films[0].instance_id) for film in films)
    assert all(np.array_equal(film.depth_m, films[0].depth_m) for film in films)
    changes = [np.abs(light - new)[inside].mean() for light in (little, much)]
    assert 0 < changes[0] < changes[1]
    assert np.abs(much - new)[~inside].mean() < 0.2 * changes[1]


def test_a_sticker_is_on_the_surface_below_it_only(stock, engine_for):
    engine = engine_for(1, samples_per_pixel=16, max_bounces=0, denoise=False)
    camera = conformance.make_camera(0, 90, 0, distance_m=0.3, target=(0, 0, 0.03), resolution=(48, 36))
    flat = condition_with("label", 1.0)
    (sticker,) = flat.stickers
    lights = []
    for center_m in (sticker.center_m, (0.0, 0.0, 0.5), (0.0, 0.0, -0.5)):
        moved = flat.model_copy(update={"stickers": (sticker.model_copy(update={"center_m": center_m}),)})
        placed = conformance.place(1, stock.product("box")).model_copy(update={"condition": moved})
        film = engine.render(conformance.make_shot([placed], camera))
        lights.append(film.radiance_linear["environment"][film.instance_id == 1].mean(axis=0))
    assert np.allclose(lights[0], lights[1], rtol=1e-3)
    assert not np.allclose(lights[0], lights[2], rtol=0.03)  # too far below the top


def test_stickers_are_removed_after_the_shot(stock, engine_for):
    engine = engine_for(1, samples_per_pixel=1, max_bounces=0, denoise=False)
    used = conformance.place(1, stock.product("box")).model_copy(
        update={"condition": condition_with("label", 1.0)}
    )
    shot = conformance.make_shot([used], conformance.make_camera(resolution=(16, 16)))
    counts = []
    for _ in range(3):
        engine.render(shot)
        counts.append((len(bpy.data.materials), len(bpy.data.node_groups)))
    assert len(set(counts)) == 1


@pytest.mark.parametrize("kind", STICKERS)
def test_a_sticker_reaches_only_what_lies_below_it(kind):
    from blendgen.engine.blender.wear.stickers import reaches

    (sticker,) = condition_with(kind, 1.0).stickers  # 60 x 30 mm, its centre at a height of 30 mm
    triangle = np.array([(0.0, 0.0, 0.0), (0.004, 0.0, 0.0), (0.0, 0.004, 0.0)])
    assert reaches(sticker, triangle + (0.0, 0.0, 0.03)) and reaches(sticker, triangle + (-0.033, 0.0, 0.03))
    assert reaches(sticker, 50 * triangle + (-0.1, -0.1, 0.03))  # none of its corners is below the sticker
    for offset in ((0.031, 0.0, 0.03), (0.0, 0.016, 0.03), (0.0, 0.0, 0.01), (0.0, 0.0, 0.05)):
        assert not reaches(sticker, triangle + offset)
    assert not reaches(sticker, np.zeros((0, 3)))


def test_only_glass_cracks(stock, engine_for):
    engine = engine_for(1, samples_per_pixel=16, max_bounces=0, denoise=False)
    camera = conformance.make_camera(resolution=(24, 24))
    whole, hit = (
        engine.render(conformance.make_shot([placed], camera)).radiance_linear["environment"]
        for placed in (
            conformance.place(1, stock.product("box")),
            conformance.place(1, stock.product("box")).model_copy(
                update={"condition": condition_with("cracks", 1.0)}
            ),
        )
    )
    assert np.array_equal(whole, hit)


def test_what_the_material_of_a_model_is_called_does_not_matter(stock, engine_for):
    engine = engine_for(1, samples_per_pixel=4, max_bounces=0, denoise=False)
    box = stock.product("box")
    used = conformance.place(1, box).model_copy(update={"condition": EVERYTHING})
    camera, lamps = conformance.make_camera(resolution=(32, 24)), [conformance.overhead_lamp()]
    shot = conformance.make_shot([used], camera, lamps)
    film = engine.render(shot)
    part = next(one for one in bpy.data.materials if one.name.startswith(box.parts[0]))
    own_name = part.name
    try:
        for name in OUR_NAMES[::3]:
            part.name = name
            assert same_light(engine.render(shot), film), name
    finally:
        part.name = own_name


@pytest.mark.slow
def test_models_that_differ_by_the_names_of_their_materials_alone_wear_alike(engine_for, tmp_path):
    (tmp_path / "models").mkdir()
    for model, names in (("ours", OUR_NAMES), ("other", [f"m{n}" for n in range(len(OUR_NAMES))])):
        write_blocks(tmp_path / "models" / model, names)
    catalog = load_catalog(
        scan_directory(tmp_path / "models", "models", "mm", None),
        BlenderMeasurer(),
        AssetCache(tmp_path / "c"),
    )
    engine = engine_for(1, catalog, samples_per_pixel=4, max_bounces=1, denoise=False)
    camera, lamps = conformance.make_camera(resolution=(64, 48)), [conformance.overhead_lamp()]
    ours, other = (
        engine.render(
            conformance.make_shot(
                [conformance.place(1, product).model_copy(update={"condition": EVERYTHING})], camera, lamps
            )
        )
        for product in catalog.products
    )
    assert same_light(ours, other)


def write_blocks(file, names) -> None:
    """An OBJ file with a row of blocks, each of a material with one of the names."""
    sides = ("1 2 4 3", "5 7 8 6", "1 5 6 2", "3 4 8 7", "1 3 7 5", "2 6 8 4")
    lines, colors = [f"mtllib {file.name}.mtl"], []
    for n, name in enumerate(names):
        lines += [f"v {10 * n + x} {y} {z}" for x in (0, 8) for y in (0, 60) for z in (0, 30)]
        lines += [f"usemtl {name}"]
        lines += ["f " + " ".join(str(int(corner) + 8 * n) for corner in side.split()) for side in sides]
        colors += [f"newmtl {name}", f"Kd {0.1 * n:.1f} 0.5 0.4"]
    file.with_suffix(".obj").write_text("\n".join(lines))
    file.with_suffix(".mtl").write_text("\n".join(colors))


def same_light(one, other) -> bool:
    """Whether two films have the same pixels."""
    groups = one.radiance_linear.keys() | other.radiance_linear.keys()
    return all(np.array_equal(one.radiance_linear[key], other.radiance_linear[key]) for key in groups)


@pytest.mark.slow
def test_a_bevel_changes_the_normals_along_edges_and_not_the_outline(engine_for, tmp_path):
    (tmp_path / "models").mkdir()
    corners = [f"v {x} {y} {z}" for x in (0, 60) for y in (0, 60) for z in (0, 60)]
    sides = ("1 2 4 3", "5 7 8 6", "1 5 6 2", "3 4 8 7", "1 3 7 5", "2 6 8 4")
    (tmp_path / "models" / "cube.obj").write_text("\n".join([*corners, *(f"f {side}" for side in sides)]))
    (sharp,) = scan_directory(tmp_path / "models", "models", "mm", None)
    bevelled = replace(sharp, name="bevelled", options={**sharp.options, "bevel_mm": 6.0})
    catalog = load_catalog([sharp, bevelled], BlenderMeasurer(), AssetCache(tmp_path / "cache"))
    engine = engine_for(0, catalog, samples_per_pixel=16, max_bounces=0)
    camera = conformance.make_camera(0, 90, 0, distance_m=0.3, target=(0, 0, 0.06), resolution=(64, 48))
    plain, bent = (
        engine.render(conformance.make_shot([conformance.place(1, catalog.product(name))], camera))
        for name in ("cube", "bevelled")
    )
    assert np.array_equal(plain.instance_id, bent.instance_id)
    assert np.array_equal(plain.depth_m, bent.depth_m)
    rows, columns = np.nonzero(plain.instance_id == 1)
    middle, top = (columns.min() + columns.max()) // 2, rows.min() + 1
    centre = (rows.min() + rows.max()) // 2
    lean = bent.normal_world - plain.normal_world
    assert np.abs(lean[centre, middle]).max() < 0.01
    assert np.abs(lean[centre, columns.min() + 1, 0]) > 0.1 and np.abs(lean[top, middle, 1]) > 0.1


@pytest.mark.slow
def test_a_clear_case_is_part_of_the_mask_and_the_phone_is_visible_through_it(engine_for, tmp_path):
    (phone,) = [source for source in phone_sources() if source.name == "iphone_xr"]
    cased = replace(phone, name="cased", options={**phone.options, "in_case": True})
    both = load_catalog([phone, cased], BlenderMeasurer(), AssetCache(tmp_path / "cache"))
    bare, used = both.products
    catalog = replace(both, products=(bare,), products_in_case={bare.name: used})
    engine = engine_for(0, catalog, samples_per_pixel=16, max_bounces=4, denoise=False)
    camera = conformance.make_camera(0, 90, 0, distance_m=0.35, target=(0, 0, 0), resolution=(96, 72))
    films = {}
    for case in (None, "clear", "#101010"):
        placed = conformance.place(1, bare, colorway="yellow").model_copy(update={"case": case})
        films[case] = engine.render(conformance.make_shot([placed], camera))
    masks = {case: film.instance_id == 1 for case, film in films.items()}
    assert np.array_equal(masks["clear"], masks["#101010"])
    assert masks["clear"].sum() > masks[None].sum() and not (masks[None] & ~masks["clear"]).any()
    assert all(np.array_equal(film.amodal_masks[1], film.instance_id == 1) for film in films.values())
    inner = np.zeros_like(masks[None])
    inner[40:46, 44:52] = True
    yellow, clear, black = (films[case].radiance_linear["environment"][inner].mean(axis=0) for case in films)
    assert clear[0] > 2 * clear[2] and clear[0] > 0.5 * yellow[0] and black[0] < 0.3 * clear[0]


def test_a_screen_that_is_on_emits_in_the_emission_group(stock, engine_for):
    engine = engine_for(0, of_kind(stock, SCREEN), samples_per_pixel=8, max_bounces=0, denoise=False)
    box = stock.product("box")
    camera = conformance.make_camera(resolution=(48, 36))
    film = {}
    for screen in (0.0, 1.0, 2.0):
        placed = conformance.place(1, box).model_copy(update={"condition": Condition(screen=screen)})
        film[screen] = engine.render(conformance.make_shot([placed], camera))
    inside = film[0.0].instance_id == 1
    off, on, brighter = (film[s].radiance_linear["emission"][inside].mean() for s in (0.0, 1.0, 2.0))
    assert off == 0 and 0.1 < on < 1.0 and brighter == pytest.approx(2 * on, rel=0.01)


def test_wear_marks_are_removed_after_the_shot(stock, engine):
    placed = conformance.place(1, stock.product("box")).model_copy(
        update={"condition": Condition(scratches=0.5, fingerprints=0.5, dust=0.5, scuffs=0.5)}
    )
    shot = conformance.make_shot([placed], conformance.make_camera(resolution=(16, 16)))
    engine.render(shot)
    before = len(bpy.data.materials), len(bpy.data.node_groups)
    for _ in range(3):
        engine.render(shot)
    assert (len(bpy.data.materials), len(bpy.data.node_groups)) == before


def test_every_kind_of_sticker_has_a_material():
    from blendgen.engine.blender.wear import stickers
    from blendgen.scene.kinds.stickers import STICKER_KINDS

    assert set(stickers._MATERIALS) == set(STICKER_KINDS)
