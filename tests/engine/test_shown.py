"""A model is what Blender's own render of its scene shows, and each surface of it once."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

bpy = pytest.importorskip("bpy")

from mathutils import Matrix  # noqa: E402

from blendgen.engine.blender.importing.asset import empty_blender, measure_source  # noqa: E402
from blendgen.engine.blender.importing.findings import Findings  # noqa: E402
from blendgen.engine.blender.importing.importers import _refuse_linked, import_model  # noqa: E402
from blendgen.engine.blender.importing.join import join_product  # noqa: E402
from blendgen.engine.blender.importing.layers import name_layers  # noqa: E402
from blendgen.engine.blender.importing.left_out import Choice  # noqa: E402
from blendgen.engine.blender.importing.marks import forget_marks  # noqa: E402
from blendgen.engine.blender.importing.preflight import ImportRefused  # noqa: E402
from blendgen.engine.blender.importing.product_parts import product_meshes  # noqa: E402
from blendgen.engine.blender.importing.shown import Part, apply_transform, shown_parts  # noqa: E402
from blendgen.engine.blender.importing.variants import _usable_names  # noqa: E402
from blendgen.engine.blender.shading.nodes import add_node, new_material  # noqa: E402
from blendgen.files.names import name_fault  # noqa: E402
from blendgen.models.companions import Companions  # noqa: E402
from blendgen.models.measuring.entry import ASSET_FILE, read_entry  # noqa: E402
from blendgen.models.scan import scan_directory  # noqa: E402
from tests.engine.model_files import BOX, CORNERS, QUADS, box_bin, gltf  # noqa: E402

EMPTY = "empty"  # an object without data
KINDS = ("objects", "meshes", "curves", "metaballs", "materials", "collections")


@pytest.fixture(scope="module", autouse=True)
def _empty_file():
    empty_blender()


@pytest.fixture(autouse=True)
def _empty_scene():
    """A new scene; emptying the file would take longer than the tests."""
    old, bpy.context.window.scene = list(bpy.data.scenes), bpy.data.scenes.new("new")
    bpy.data.batch_remove([*old, *(block for kind in KINDS for block in getattr(bpy.data, kind))])


def box_mesh(name: str = "box") -> bpy.types.Mesh:
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(CORNERS, [], QUADS)
    return mesh


def add(name: str, data=None, into: bpy.types.Collection | None = None) -> bpy.types.Object:
    """An object in a collection of the scene; of a box, if there are no other data."""
    added = bpy.data.objects.new(name, None if data == EMPTY else data or box_mesh())
    (into or bpy.context.scene.collection).objects.link(added)
    return added


def collection(name: str) -> bpy.types.Collection:
    new = bpy.data.collections.new(name)
    bpy.context.scene.collection.children.link(new)
    return new


def layer_of(group: bpy.types.Collection) -> bpy.types.LayerCollection:
    return bpy.context.view_layer.layer_collection.children[group.name]


def names(parts: list[Part]) -> list[str]:
    return [part.source.name for part in parts]


def test_the_switches_for_rendering_count_and_those_of_the_viewport_do_not():
    groups = {name: collection(name) for name in ("no_render", "no_viewport", "excluded", "closed_eye")}
    for name, group in groups.items():
        add(f"in_{name}", into=group)
    groups["no_render"].hide_render = True
    groups["no_viewport"].hide_viewport = True
    layer_of(groups["excluded"]).exclude = True
    layer_of(groups["closed_eye"]).hide_viewport = True
    add("shown")
    add("no_render").hide_render = True
    add("no_viewport").hide_viewport = True
    add("closed_eye").hide_set(True)
    shown = ["closed_eye", "in_closed_eye", "in_no_viewport", "no_viewport", "shown"]
    assert names(shown_parts(Findings())) == shown


def test_modifiers_and_resolutions_are_those_of_a_render():
    smooth, off = add("smooth").modifiers.new("smooth", "SUBSURF"), add("off")
    smooth.levels, smooth.render_levels = 0, 2
    off.modifiers.new("array", "ARRAY").show_render = False
    curve = bpy.data.curves.new("cable", "CURVE")
    curve.dimensions, curve.bevel_depth, curve.resolution_u, curve.render_resolution_u = "3D", 0.1, 1, 24
    curve.splines.new("BEZIER").bezier_points.add(1)
    curve.splines[0].bezier_points[1].co = (1, 0, 0)
    add("cable", curve)
    cable, plain, smoothed = shown_parts(Findings())
    assert len(smoothed.mesh.polygons) == 6 * 4**2 and len(plain.mesh.polygons) == 6
    assert len(cable.mesh.polygons) >= 24


def text(name: str) -> bpy.types.Curve:
    letters = bpy.data.curves.new(name, "FONT")
    letters.body, letters.extrude = "I", 0.1
    letters.materials.append(bpy.data.materials.new(f"{name} paint"))
    return letters


def test_what_is_not_a_mesh_is_there_once_with_its_material_and_its_front_outside():
    add("text", text("text"))
    group = bpy.data.collections.new("group")
    add("letter", text("letter"), group)
    for at in (5, 9):
        instance = add("instance", EMPTY)
        instance.instance_type, instance.instance_collection, instance.location.x = "COLLECTION", group, at
    for number, name in enumerate(("ball", "ball.001")):
        ball = bpy.data.metaballs.new(name)
        ball.elements.new().co.x = 20 + number
        add(name, ball)
    parts = shown_parts(Findings())
    assert names(parts) == ["ball", "letter", "letter", "text"]
    for part in parts[1:]:
        assert [material.name for material in part.mesh.materials] == [f"{part.source.name} paint"]
        assert signed_volume(part.mesh) > 0
        corners = {tuple(sorted(map(tuple, face_corners(part.mesh, face)))) for face in part.mesh.polygons}
        assert len(corners) == len(part.mesh.polygons)


def face_corners(mesh: bpy.types.Mesh, face: bpy.types.MeshPolygon) -> list[np.ndarray]:
    return [np.round(np.array(mesh.vertices[i].co), 5) for i in face.vertices]


def signed_volume(mesh: bpy.types.Mesh) -> float:
    mesh.calc_loop_triangles()
    corners = [[np.array(mesh.vertices[i].co) for i in t.vertices] for t in mesh.loop_triangles]
    return sum(float(np.dot(a, np.cross(b, c))) for a, b, c in corners) / 6


def instanced_on_points(pin: bpy.types.Object) -> bpy.types.NodeTree:
    tree = bpy.data.node_groups.new("instances", "GeometryNodeTree")
    for side in ("INPUT", "OUTPUT"):
        tree.interface.new_socket("Geometry", in_out=side, socket_type="NodeSocketGeometry")
    source, points = tree.nodes.new("NodeGroupInput"), tree.nodes.new("GeometryNodeInstanceOnPoints")
    info, result = tree.nodes.new("GeometryNodeObjectInfo"), tree.nodes.new("NodeGroupOutput")
    info.inputs["Object"].default_value = pin
    tree.links.new(source.outputs[0], points.inputs["Points"])
    tree.links.new(info.outputs["Geometry"], points.inputs["Instance"])
    tree.links.new(points.outputs[0], result.inputs[0])
    return tree


def test_instances_of_an_object_that_is_not_rendered_itself_are_there():
    pin, base = add("pin", text("pin")), add("base")
    pin.hide_render = True
    base.modifiers.new("instances", "NODES").node_group = instanced_on_points(pin)
    empty, *pins = shown_parts(Findings())
    assert len(empty.mesh.polygons) == 0 and {part.owner.name for part in pins} == {"base"}
    assert len(pins) == len(CORNERS) and all(len(pin.mesh.polygons) > 6 for pin in pins)
    assert {material.name for pin in pins for material in pin.mesh.materials} == {"pin paint"}


def silhouette(file: Path) -> np.ndarray:
    """What a render of the open scene covers, from above."""
    scene = bpy.context.scene
    camera = bpy.data.cameras.new("above")
    camera.type, camera.ortho_scale = "ORTHO", 40
    scene.camera = add("above", camera)
    scene.camera.location = (12, 0, 50)
    scene.render.engine, scene.cycles.samples, scene.render.film_transparent = "CYCLES", 1, True
    scene.render.resolution_x = scene.render.resolution_y = 200
    scene.render.resolution_percentage, scene.render.filepath = 100, str(file)
    bpy.ops.render.render(write_still=True)
    with Image.open(file) as image:
        return np.asarray(image)[..., 3] > 127


@pytest.mark.slow
def test_the_product_covers_what_a_render_of_the_scene_covers(tmp_path):
    for number, (owner, key) in enumerate([("a", "hide_render"), ("b", "hide_viewport"), ("c", "name")]):
        add(owner).location.x = 3 * number
        setattr(bpy.data.objects[owner], key, "c" if key == "name" else True)
    off = collection("off")
    add("d", into=off).location.x = 9
    off.hide_render = True
    add("e", text("e")).location.x = 12
    pin, base = add("pin", box_mesh("pin")), add("base")
    pin.hide_render, pin.scale, base.location.x = True, (0.1, 0.2, 0.1), 15
    base.modifiers.new("instances", "NODES").node_group = instanced_on_points(pin)
    smooth = add("smooth").modifiers.new("smooth", "SUBSURF")
    smooth.levels, smooth.render_levels, bpy.data.objects["smooth"].location.x = 0, 3, 20
    expected = silhouette(tmp_path / "expected.png")
    product, move = join_product([part.mesh for part in shown_parts(Findings())])
    for other in bpy.context.scene.objects:
        other.hide_render = other != product
    product.location = -move
    actual = silhouette(tmp_path / "actual.png")
    assert expected.sum() > 300 and (actual & expected).sum() / (actual | expected).sum() > 0.999


def test_what_the_camera_does_not_see_is_marked():
    add("shown")
    add("floor").is_shadow_catcher = True
    add("cut").is_holdout = True
    add("card").visible_camera = False
    for name in ("holdout", "indirect_only"):
        add(f"in_{name}", into=collection(name))
        setattr(layer_of(bpy.data.collections[name]), name, True)
    unseen = {part.source.name: part.unseen for part in shown_parts(Findings())}
    assert unseen == {
        "shown": "",
        "floor": "shadow catcher",
        "cut": "holdout",
        "in_holdout": "holdout",
        "card": "not visible to the camera",
        "in_indirect_only": "not visible to the camera",
    }


def test_what_cannot_become_a_mesh_is_reported():
    fuzzy = add("fuzzy")
    fuzzy.modifiers.new("fur", "PARTICLE_SYSTEM")
    fuzzy.particle_systems[0].settings.type = "HAIR"
    bald = add("bald")
    bald.modifiers.new("fur", "PARTICLE_SYSTEM").show_render = False
    bald.particle_systems[0].settings.type = "HAIR"
    add("no hair", bpy.data.hair_curves.new("no hair"))
    hair = bpy.data.hair_curves.new("wig")
    hair.add_curves([4, 4])
    add("wig", hair)
    strokes = getattr(bpy.data, "grease_pencils_v3", bpy.data.grease_pencils)  # 4.5 has both
    add("ink", strokes.new("ink"))
    findings = Findings()
    assert names(shown_parts(findings)) == ["bald", "fuzzy"] and len(findings.lost) == 3
    lost = "\n".join(sorted(findings.lost))
    assert "'fuzzy': particle hair" in lost and "'wig': hair curves" in lost and "'ink': Grease" in lost


def test_the_scene_of_a_blend_file_is_the_one_that_was_open(tmp_path):
    file = tmp_path / "two.blend"
    bpy.context.scene.name = "first"
    add("wrong")
    for name in ("open", "last"):
        scene = bpy.data.scenes.new(name)
        add(f"in {name}", into=scene.collection)
    bpy.context.window.scene = bpy.data.scenes["open"]
    bpy.ops.wm.save_as_mainfile(filepath=str(file), compress=True)
    empty_blender()
    findings = Findings()
    import_model(Companions(file), "blend", None, None, findings)
    assert names(shown_parts(findings)) == ["in open"]
    assert findings.notes == ["left out: first, last (scenes that were not open when the file was saved)"]


def test_the_product_gets_its_name_from_an_object_of_the_file():
    taken = add("product", box_mesh("product"))
    product, _ = join_product([part.mesh for part in shown_parts(Findings())])
    assert (product.name, product.data.name) == ("product", "product") and taken.name != "product"


def test_a_material_with_properties_of_ours_is_not_taken_for_the_default_one():
    own = box_mesh("own")
    own.materials.append(bpy.data.materials.new("own"))
    own.materials[0]["blendgen_default"] = "of "
    product, _ = join_product([box_mesh(), own])
    assert [material.name for material in product.data.materials] == ["default", "own"]
    forget_marks()
    assert "blendgen_default" not in bpy.data.materials["own"]


# of properties, objects and attributes of blendgen that a file may have too
OURS = {"blendgen_default": "of ", "blendgen_glass": True, "blendgen_reason": "why"}


@pytest.mark.slow
def test_no_name_of_a_gltf_file_matters(tmp_path):
    """The nodes, the mesh and the material have names and properties that blendgen gives to its own."""
    content = gltf([{"name": "scene", "children": [1, 2]}, *(BOX[0] | {"name": "product"} for _ in range(2))])
    content["nodes"][2]["translation"] = [5, 0, 0]
    content["nodes"][0]["extras"] = content["nodes"][1]["extras"] = OURS
    content["meshes"][0] |= {"name": "product", "extras": OURS}
    content["meshes"].append({"primitives": [content["meshes"][0]["primitives"][0] | {"material": 0}]})
    content["nodes"][2]["mesh"] = 1
    red = {"pbrMetallicRoughness": {"baseColorFactor": [1, 0, 0, 1]}}
    content["materials"] = [red | {"name": "default", "extras": OURS}]
    (tmp_path / "odd.gltf").write_text(json.dumps(content))
    (tmp_path / "box.bin").write_bytes(box_bin())
    objects = stored_objects(tmp_path / "odd.gltf")
    assert list(objects) == ["product"]
    materials = objects["product"].data.materials
    colors = [m.node_tree.nodes["Principled BSDF"].inputs["Base Color"].default_value for m in materials]
    assert sorted(np.round(color, 2).tolist()[:3] for color in colors) == [[0.6, 0.6, 0.6], [1, 0, 0]]
    assert not any(key in material for material in materials for key in OURS)


def stored_objects(model: Path) -> dict[str, bpy.types.Object]:
    """The objects of a model's entry in the cache, by name."""
    (source,) = (s for s in scan_directory(model.parent, "", None, None) if s.options["path"] == str(model))
    entry = model.parent / "entry"
    entry.mkdir()
    assert measure_source(source, entry) is None
    assert read_entry(entry).triangles
    empty_blender()
    with bpy.data.libraries.load(str(entry / ASSET_FILE)) as (stored, wanted):
        names = list(stored.objects)
        wanted.objects = list(names)
    return dict(zip(names, wanted.objects, strict=True))


def test_an_attribute_of_the_file_does_not_become_its_normals():
    mesh = box_mesh()
    mesh.normals_split_custom_set([(0, 0, 1)] * len(mesh.loops))
    for name in ("normal", "blendgen_normal"):
        mesh.attributes.new(name, "INT", "FACE")
    apply_transform(mesh, Matrix.Diagonal((-2, 1, 1, 1)))
    assert np.allclose(mesh.corner_normals[0].vector, (0, 0, 1), atol=1e-3)
    assert {attribute.name for attribute in mesh.attributes} >= {"normal", "blendgen_normal"}


def with_uvs(name: str, maps: list[str], *shader_names: str) -> bpy.types.Mesh:
    """A box whose first UV map is the one that renders use, and a shader that names maps."""
    mesh = box_mesh(name)
    for number, uv_map in enumerate(maps):
        mesh.uv_layers.new(name=uv_map).uv.foreach_set("vector", np.full(48, number + 1, np.float32))
    mesh.uv_layers[0].active_render = True
    material, tree, _ = new_material(name)
    for shader_name in shader_names:
        add_node(tree, "ShaderNodeUVMap", uv_map=shader_name)
    mesh.materials.append(material)
    return mesh


def uvs(mesh: bpy.types.Mesh) -> dict[str, int]:
    return {layer.name: round(layer.uv[0].vector[0]) for layer in mesh.uv_layers}


def test_uv_maps_are_joined_by_their_use_whatever_their_names_are():
    plain, other = with_uvs("plain", ["UVMap"]), with_uvs("other", ["paint", "UVMap"])
    assert name_layers([plain, other]) == "UVMap"
    assert uvs(plain) == {"UVMap": 1} and uvs(other) == {"UVMap": 1, "UVMap_other": 2}


def test_a_uv_map_that_a_shader_names_keeps_its_name():
    plain = with_uvs("plain", ["UVMap"])
    named = with_uvs("named", ["paint", "UVMap"], "paint", "UVMap")
    main = name_layers([plain, named])
    assert main not in ("UVMap", "paint")
    assert uvs(plain) == {main: 1} and uvs(named) == {"paint": 1, "UVMap": 2, main: 1}


def test_colours_and_uv_maps_of_one_name_stay_apart():
    plain, painted = with_uvs("plain", ["UVMap"]), box_mesh("painted")
    painted.color_attributes.new("UVMap", "BYTE_COLOR", "CORNER")
    name_layers([painted, plain])
    assert uvs(plain) == {"UVMap": 1}
    assert [layer.name for layer in painted.color_attributes] == ["UVMap_2"]
    assert painted.color_attributes[painted.color_attributes.render_color_index].name == "UVMap_2"


def product_of(**choice) -> tuple[int, list[str]]:
    """(number of boxes in the product of the open scene, notes)"""
    findings = Findings()
    meshes = product_meshes(Choice(**{key: tuple(value) for key, value in choice.items()}), findings)
    return sum(len(mesh.polygons) for mesh in meshes) // 6, findings.notes


def test_collections_and_parents_are_names_of_levels_of_detail():
    for level in range(2):
        outer = collection(f"LOD{level}")
        inner = bpy.data.collections.new(f"inner {level}")
        outer.children.link(inner)
        add(f"body {level}", into=inner)
        parent = add(f"handle_lod{level}", EMPTY)
        add(f"handle {level}").parent = parent
    assert product_of() == (2, ["left out: body 1, handle 1 (levels of detail)"])
    assert product_of(show=["LOD1"]) == (3, ["left out: handle 1 (levels of detail)"])
    assert product_of(hide=["LOD0"], show=["*"])[0] == 3
    with pytest.raises(ImportRefused, match="show: 'LOD7' matches no object of this model; did you mean LOD"):
        product_of(show=["LOD7"])


def test_a_model_is_never_empty_without_a_word():
    add("floor").is_shadow_catcher = True
    assert product_of() == (1, ["nothing else is in the file, so all of it is shown: shadow catcher"])
    off = collection("off")
    off.hide_render = True
    add("hidden", into=off)
    bpy.data.objects.remove(bpy.data.objects["floor"])
    assert product_of() == (1, ["the file hides all of its objects; all are shown"])
    add("mug")
    assert product_of(hide=["hidden"])[0] == 1
    with pytest.raises(ImportRefused, match="hide: leaves no object"):
        product_of(hide=["mug", "hid*"], show=["mug"])


def test_names_of_what_is_not_rendered_are_noted():
    add("mug")
    for number in range(7):
        add(f"part {number}").hide_render = True
    noted = "left out: part 0, part 1, part 2, part 3, part 4 and 2 more (not rendered)"
    assert product_of() == (1, [noted])
    assert product_of(show=["part 3"])[0] == 2


def bar(name: str, bevel_m: float = 0.1) -> bpy.types.Object:
    """A straight curve; a tube, unless its bevel is 0."""
    curve = bpy.data.curves.new(name, "CURVE")
    curve.dimensions, curve.bevel_depth = "3D", bevel_m
    spline = curve.splines.new("POLY")
    spline.points.add(1)
    spline.points[1].co = (0, 0, 1, 1)
    return add(name, curve)


def ball(name: str) -> bpy.types.Object:
    balls = bpy.data.metaballs.new(name)
    balls.elements.new()
    return add(name, balls)


def instance(name: str, of: bpy.types.Object) -> bpy.types.Object:
    """An empty that shows the object, which is in a collection outside of the scene."""
    group = bpy.data.collections.new(f"{name} group")
    group.objects.link(of)
    bpy.context.scene.collection.objects.unlink(of)
    empty = add(name, EMPTY)
    empty.instance_type, empty.instance_collection = "COLLECTION", group
    return empty


@pytest.mark.parametrize("build", [bar, ball, lambda name: instance(name, add("in it"))])
def test_what_is_not_a_mesh_is_noted_if_it_is_hidden_and_can_be_shown(build):
    add("mug")
    build("thing").hide_render = True
    assert product_of() == (1, ["left out: thing (not rendered)"])
    number, noted = product_of(show=["thing"])
    assert number > 1 and noted == []


def test_a_model_of_a_hidden_curve_alone_is_shown():
    bar("tube").hide_render = True
    assert product_of()[1] == ["the file hides all of its objects; all are shown"]


def test_a_path_without_a_surface_and_another_ball_of_a_surface_are_not_missed():
    bar("path", bevel_m=0.0).hide_render = True
    ball("ball"), ball("ball.001"), instance("axes", add("inside", EMPTY))
    assert product_of()[1] == []


def test_what_an_instance_hides_can_be_shown():
    hidden, mug = add("hidden"), add("mug")
    hidden.hide_render = True
    group = instance("pair", mug).instance_collection
    group.objects.link(hidden)
    bpy.context.scene.collection.objects.unlink(hidden)
    assert product_of() == (1, [])
    assert product_of(show=["hidden"]) == (2, [])


def test_variants_have_different_names_that_folders_can_have():
    names = ["red", "red", "", "a/b", "red.001", "é" * 300]
    assert _usable_names(names)[:5] == ["red", "red.001", "_", "a_b", "red.001.001"]
    assert not any(map(name_fault, _usable_names(names)))


def test_what_is_linked_to_the_file_itself_does_not_make_it_depend_on_another(tmp_path):
    """Brushes of the tools that were in use cannot be appended."""
    file = tmp_path / "painted.blend"
    bpy.data.libraries.write(str(file), {bpy.data.brushes.new("chalk", mode="SCULPT")}, fake_user=True)
    bpy.data.brushes.remove(bpy.data.brushes["chalk"])
    with bpy.data.libraries.load(str(file), link=True) as (_, wanted):
        wanted.brushes = ["chalk"]
    with pytest.raises(ImportRefused, match=r"depends on another file, 'painted.blend'"):
        _refuse_linked(tmp_path / "model.blend")
    _refuse_linked(file)
    assert "chalk" not in bpy.data.brushes
