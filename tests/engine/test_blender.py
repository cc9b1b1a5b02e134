"""The Blender engine: the conformance suite, and properties that only a path tracer has."""

from dataclasses import replace

import numpy as np
import pytest

from blendgen.scene.condition import Condition
from blendgen.scene.kinds.environments import ENVIRONMENTS
from blendgen.scene.kinds.lamps import LAMP_KINDS
from blendgen.scene.shot import Distractor
from tests.engine import conformance

bpy = pytest.importorskip("bpy")


def first_is_quick(kinds):
    """All kinds, all but the first for the slow run."""
    first, *others = kinds
    return [first, *(pytest.param(kind, marks=pytest.mark.slow) for kind in others)]


MORE = (  # render more; the flat engine passes them in the default tests
    conformance.check_a_lens_that_distorts,
    conformance.check_amodal_masks,
    conformance.check_any_order,
    conformance.check_depth_of_a_slanted_plane,
    conformance.check_sunlight_through_a_door,
)


@pytest.mark.parametrize(
    "check",
    [pytest.param(c, marks=pytest.mark.slow) if c in MORE else c for c in conformance.CHECKS],
    ids=lambda check: check.__name__,
)
def test_conformance(engine, stock, check):
    check(engine, stock.product("box"), stock.product("sphere"))


def test_indirect_light_is_clamped_far_below_direct_light(engine):
    """A limit of 0 would be none at all."""
    cycles = bpy.context.scene.cycles
    assert 3 < cycles.sample_clamp_indirect < 12 < cycles.sample_clamp_direct < 100


def test_depth_is_infinite_where_nothing_was_hit(engine, stock):
    camera = conformance.make_camera(elevation_deg=1, focal_length_mm=18)
    film = engine.render(conformance.make_shot([conformance.place(1, stock.product("box"))], camera))
    assert np.isinf(film.depth_m[0]).all() and not film.instance_id[0].any()


@pytest.mark.parametrize("kind", first_is_quick(LAMP_KINDS))
def test_every_lamp_at_unit_gain_lights_a_white_patch_with_a_radiance_of_one(stock, engine_for, kind):
    engine = engine_for(1, samples_per_pixel=128, max_bounces=0, denoise=False)
    levels = conformance.level_patch(engine, stock.product("sphere"), kind)
    # paper reflects slightly less than all light
    assert 0.95 < levels["lamp_0"].min() <= levels["lamp_0"].max() < 1.0
    assert not levels["emission"].any()


@pytest.mark.parametrize("image", first_is_quick(ENVIRONMENTS))
def test_every_environment_at_unit_gain_lights_a_white_patch_with_a_radiance_of_one(stock, engine_for, image):
    engine = engine_for(1, samples_per_pixel=128, max_bounces=0, denoise=False)
    levels = conformance.level_patch(engine, stock.product("sphere"), environment=image)
    level = levels["environment"]
    assert np.ptp(level) < 0.03
    # clamped samples darken rooms with small bright windows slightly
    assert 0.88 < level.min() <= level.max() < 1.02


def test_a_panorama_of_the_user_lights_like_a_built_in_one(stock, engine_for, tmp_path):
    from blendgen.system.wheel import environment_image

    catalog = replace(stock, environments={"mine.exr": environment_image("city.exr")})
    engine = engine_for(1, catalog, samples_per_pixel=4, max_bounces=0, denoise=False)
    mine, built_in = (
        conformance.level_patch(engine, stock.product("sphere"), environment=name)["environment"]
        for name in ("mine.exr", "city")
    )
    assert np.array_equal(mine, built_in)


def test_a_panorama_that_cannot_be_read_is_reported(stock, engine_for, tmp_path):
    from blendgen.engine.base import EngineError

    (tmp_path / "bad.exr").write_bytes(b"\x76\x2f\x31\x01 rubbish")
    engine = engine_for(1, replace(stock, environments={"bad.exr": tmp_path / "bad.exr"}))
    with pytest.raises(EngineError, match=r"bad.exr: cannot be read as a panorama"):
        conformance.level_patch(engine, stock.product("sphere"), environment="bad.exr")


@pytest.mark.parametrize("color", [(0, 0, 0), (1, 0, 0), (1, 1, np.inf)])
def test_a_panorama_that_cannot_light_is_reported(stock, engine_for, tmp_path, color):
    import OpenEXR

    from blendgen.engine.base import EngineError

    channels = {"RGB": np.zeros((8, 16, 3), np.float32) + np.float32(color)}
    OpenEXR.File({}, channels).write(str(tmp_path / "odd.exr"))
    engine = engine_for(1, replace(stock, environments={"odd.exr": tmp_path / "odd.exr"}))
    with pytest.raises(EngineError, match=r"odd.exr: cannot light a scene"):
        conformance.level_patch(engine, stock.product("sphere"), environment="odd.exr")


def test_a_back_lit_sheet_is_as_bright_as_white_paper_in_the_emission_group(stock, engine_for):
    engine = engine_for(0, samples_per_pixel=16, max_bounces=0, denoise=False)
    camera = conformance.make_camera(0, 90, 0, 0.5, (0.4, 0.4, 0), resolution=(32, 24))
    shot = conformance.make_shot([conformance.place(1, stock.product("sphere"), x=-0.2)], camera)
    sheet = shot.surface.model_copy(update={"kind": "backlit_sheet", "color_srgb": None})
    film = engine.render(shot.model_copy(update={"surface": sheet}))
    assert film.radiance_linear["emission"].mean() == pytest.approx(0.98, abs=0.03)


@pytest.mark.slow
def test_a_distractor_is_visible_background(stock, engine_for):
    thing = replace(stock.product("box"), name="distractor box")
    engine = engine_for(3, replace(stock, distractors=(thing,)))
    shot = conformance.make_shot([conformance.place(1, stock.product("sphere"))])
    plain = engine.render(shot)
    lying = conformance.place(1, stock.product("box"), x=0.09, y=0.02).object_to_world
    cluttered = shot.model_copy(
        update={"distractors": (Distractor(product=thing.name, colorway="default", object_to_world=lying),)}
    )
    film = engine.render(cluttered)
    changed = film.depth_m < plain.depth_m - 0.01
    assert changed.any() and not film.instance_id[changed].any()
    assert np.array_equal(film.amodal_masks[1], plain.instance_id == 1)


@pytest.mark.slow
def test_surfaces_can_hide_a_product(stock, engine):
    """Seen at a low angle across a belt, the rail hides part of a product, which counts as hidden."""
    box = stock.product("box")
    camera = conformance.make_camera(0, 6, distance_m=0.5, target=(0.19, 0, 0.01))
    shot = conformance.make_shot([conformance.place(1, box, x=0.18)], camera)
    belt = shot.surface.model_copy(update={"kind": "belt_rubber", "width_m": 0.5})
    behind = engine.render(shot.model_copy(update={"surface": belt}))
    free = engine.render(shot)
    assert np.array_equal(behind.amodal_masks[1], free.instance_id == 1)
    share = np.count_nonzero(behind.instance_id == 1) / np.count_nonzero(behind.amodal_masks[1])
    assert 0.2 < share < 0.95


@pytest.mark.slow
def test_the_light_groups_of_a_lamp_add_up(stock, engine):
    """Two equal lamps at one position light exactly like one with twice the power: light is linear."""
    one, two = (
        engine.render(
            conformance.make_shot([conformance.place(1, stock.product("box"))],
                                  lamps=[conformance.overhead_lamp()] * count)
        )
        for count in (1, 2)
    )  # fmt: skip
    single = one.radiance_linear["lamp_0"].mean()
    both = (two.radiance_linear["lamp_0"] + two.radiance_linear["lamp_1"]).mean()
    assert both == pytest.approx(2 * single, rel=0.05)


@pytest.mark.slow
def test_doubling_a_lamp_by_weight_is_a_lamp_of_twice_the_power_within_noise(stock, engine_for):
    engine = engine_for(samples_per_pixel=64)
    lamp = conformance.overhead_lamp(x=0.2)
    powerful = lamp.model_copy(update={"reference_distance_m": lamp.reference_distance_m * 2**0.5})
    camera = conformance.make_camera(resolution=(64, 48))
    scene = conformance.make_shot([conformance.place(1, stock.product("box"))], camera, [lamp])

    def light(lamp, seed):
        shot = scene.model_copy(update={"lamps": (lamp,), "render_seed": seed})
        groups = engine.render(shot).radiance_linear
        return groups["lamp_0"].astype(np.float64), groups["environment"].astype(np.float64)

    (once, around), (again, _), (twice, around_twice) = light(lamp, 1), light(lamp, 2), light(powerful, 3)
    noise = np.sqrt(np.mean((once - again) ** 2))
    # the noise of 2 * once - twice is sqrt(4 + 4) times that of one image, of once - again sqrt(2) times
    assert np.sqrt(np.mean((2 * once - twice) ** 2)) < 2.2 * noise
    assert twice.mean() == pytest.approx(2 * once.mean(), rel=0.005)
    assert around_twice.mean() == pytest.approx(around.mean(), rel=0.005)


@pytest.mark.slow
def test_a_colourway_changes_only_the_colour(stock, engine_for):
    from blendgen.models.product import Catalog, Colorway, MaterialOverride

    box = stock.product("box")
    red = Colorway("red", {"body": MaterialOverride("#ff0000")})
    blue = Colorway("blue", {"body": MaterialOverride("#0000ff", roughness=0.9)})
    catalog = Catalog((replace(box, colorways=(red, blue)), stock.product("sphere")))
    painted = engine_for(0, catalog)
    films = {
        name: painted.render(
            conformance.make_shot([conformance.place(1, catalog.product("box"), colorway=name)])
        )
        for name in ("red", "blue", "red")
    }
    mask = films["red"].instance_id == 1
    assert np.array_equal(mask, films["blue"].instance_id == 1)
    red_light, blue_light = (
        films[n].radiance_linear["environment"][mask].mean(axis=0) for n in ("red", "blue")
    )
    assert red_light[0] > 3 * red_light[2] and blue_light[2] > 3 * blue_light[0]


def test_data_blocks_do_not_accumulate_over_shots(stock, engine):
    def blocks():
        return {
            name: len(getattr(bpy.data, name))
            for name in ("objects", "meshes", "lights", "materials", "images", "node_groups", "collections")
        }

    shot = conformance.make_shot(
        [conformance.place(1, stock.product("box")), conformance.place(2, stock.product("sphere"), y=0.1)],
        conformance.make_camera(resolution=(16, 16)),
        [conformance.overhead_lamp()] * 2,
    )
    engine.render(shot)
    before = blocks()
    for _ in range(10):
        engine.render(shot)
    assert blocks() == before


def test_nothing_is_computed_that_no_layer_shows(stock, engine):
    """Blender evaluates what a window shows for each operator, and each layer all materials of a mesh."""
    from blendgen.engine.blender.session.stage import evaluated

    used = conformance.place(1, stock.product("box")).model_copy(update={"condition": Condition(dust=0.5)})
    layers = bpy.context.scene.view_layers
    with engine.built(conformance.make_shot([used])):
        assert not [*bpy.context.view_layer.objects]
        for layer in (layers["picture"], layers["amodal"]):
            computed = {one.original for one in evaluated(layer).ids if isinstance(one, bpy.types.Material)}
            shown = {slot.material for thing in layer.objects for slot in thing.material_slots}
            assert computed == {layer.material_override, *shown} - {None}


@pytest.mark.parametrize("color", ["#808080", "#1f2a44", "#d9334c", "#30a060", "#f0e0c0"])
def test_the_colour_of_a_matte_sphere_under_white_light_is_its_albedo(stock, engine_for, color):
    """White furnace test: in uniform white light the radiance of a matte sphere is its albedo."""
    from blendgen.develop.develop import finish
    from blendgen.develop.relight import mix_groups
    from blendgen.geometry.color import hex_to_srgb
    from tests.develop.cameras import exposure

    engine = engine_for(0, samples_per_pixel=64, max_bounces=0, denoise=False)
    camera = conformance.make_camera(resolution=(48, 48))
    shot = conformance.make_shot([conformance.place(1, stock.product("sphere"))], camera)
    with engine.built(shot):
        film = in_white_light(engine, shot, color)
    unit = exposure(group_gain={"environment": (1, 1, 1), "emission": (1, 1, 1)})
    picture = finish(mix_groups(film.radiance_linear, unit), camera, unit)
    inside = film.instance_id == 1
    inside[1:-1, 1:-1] &= inside[:-2, 1:-1] & inside[2:, 1:-1] & inside[1:-1, :-2] & inside[1:-1, 2:]
    wanted = np.array(hex_to_srgb(color)) * 255
    assert np.abs(picture[inside].mean(axis=0) - wanted).max() <= 2


def in_white_light(engine, shot, color):
    """The film of the built shot without its surface, its product matte, the environment white."""
    from blendgen.engine.blender.shading.nodes import add_node, new_material
    from blendgen.geometry.color import hex_to_linear

    for instance in [o for o in bpy.data.objects if o.type == "MESH" and not o.name.startswith("product")]:
        bpy.data.objects.remove(instance)
    material, tree, principled = new_material("matte")
    diffuse = add_node(tree, "ShaderNodeBsdfDiffuse", {"Color": hex_to_linear(color)})
    tree.links.new(diffuse.outputs[0], principled.outputs[0].links[0].to_socket)
    bpy.data.objects["product_1"].material_slots[0].material = material
    background = bpy.data.worlds["environment"].node_tree.nodes["background"]
    links = bpy.data.worlds["environment"].node_tree.links
    image = background.inputs["Color"].links[0].from_socket
    links.remove(background.inputs["Color"].links[0])
    background.inputs["Color"].default_value = (1, 1, 1, 1)
    background.inputs["Strength"].default_value = 1
    film = engine._film(shot)
    links.new(image, background.inputs["Color"])
    return film


@pytest.mark.parametrize("shape", ["box", "sphere"])
def test_building_a_shape_again_gives_the_same_closed_mesh(shape):
    """The bytes are the same in another cache."""
    from blendgen.engine.blender.importing.asset import empty_blender
    from blendgen.engine.blender.importing.shapes import build_shape

    made = []
    for _ in range(2):
        empty_blender()
        mesh = build_shape({"shape": shape, "size_m": [0.1, 0.06, 0.04]}).data
        corners = np.array([v.co for v in mesh.vertices], float)
        made.append((corners.tobytes(), [tuple(face.vertices) for face in mesh.polygons]))
    assert made[0] == made[1]
    fans = ((f[0], f[i], f[i + 1]) for f in made[0][1] for i in range(1, len(f) - 1))
    volume = sum(corners[a] @ np.cross(corners[b], corners[c]) / 6 for a, b, c in fans)
    whole = {"box": 1.0, "sphere": np.pi / 6}[shape] * 0.1 * 0.06 * 0.04
    assert volume == pytest.approx(whole, rel=0.003)


@pytest.mark.slow
def test_an_occluder_is_background_without_motion(stock, engine_for):
    thing = replace(stock.product("box"), name="occluder box")
    engine = engine_for(3, replace(stock, occluders=(thing,)))
    product = conformance.place(1, stock.product("sphere"))
    over = np.array(conformance.place(1, stock.product("box"), x=0.02).object_to_world)
    over[2, 3] += 0.1
    hung = Distractor(
        product=thing.name, colorway="default", object_to_world=tuple(map(tuple, over.tolist()))
    )
    shot = conformance.make_shot([product])
    free, film = engine.render(shot), engine.render(shot.model_copy(update={"occluders": (hung,)}))
    assert free.still is None and film.still.any()
    assert not film.instance_id[film.still].any() and set(np.unique(film.instance_id)) <= {0, 1}
    assert np.array_equal(film.still, film.depth_m < free.depth_m - 0.01)
    assert np.array_equal(film.amodal_masks[1], free.instance_id == 1)
