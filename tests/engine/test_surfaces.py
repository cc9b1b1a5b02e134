"""Surfaces: products rest on z = 0, the result depends on the Surface only, and no data accumulate."""

from __future__ import annotations

import math

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from blendgen.engine.blender.surfaces import BUILDERS, build_surface  # noqa: E402
from blendgen.engine.blender.surfaces.builders import surface_builder  # noqa: E402
from blendgen.scene.ground import SurfacePhoto  # noqa: E402
from blendgen.scene.kinds.surfaces import SURFACE_KINDS  # noqa: E402
from blendgen.scene.shot import Surface  # noqa: E402

PRODUCT_HALF_M = 0.15
BELTS = ("belt_rubber", "belt_pvc", "belt_modular", "belt_mesh")
SOLID_KINDS = [kind for kind in SURFACE_KINDS if kind != "none"]
# a plain one, one with parts, one with an image and a photo always, all kinds in slow tests
USUAL = ("paper", "belt_mesh", "wood_table", "photo")
each_kind = pytest.mark.parametrize(
    "kind", [kind if kind in USUAL else pytest.param(kind, marks=pytest.mark.slow) for kind in SOLID_KINDS]
)


def test_a_kind_has_one_builder():
    with pytest.raises(ValueError, match=r"two functions build the surface 'paper': .* and .*build_surface"):
        surface_builder("paper")(build_surface)


def surface_of(kind: str, **changes) -> Surface:
    values = {
        "kind": kind,
        "texture_offset_m": (1.234, 987.654),
        "yaw_deg": 17.0,
        "width_m": 0.6,
        "wear": 0.5,
        "dust": 0.3,
        "color_srgb": None,
        "pitch_m": 0.025,
        "photo": SurfacePhoto(image="a.jpg", width_m=0.4, roughness=0.5) if kind == "photo" else None,
    }
    return Surface(**{**values, **changes})


def build(surface: Surface):
    photo = bpy.data.images.get("photo") or bpy.data.images.new("photo", 8, 4)
    return build_surface(surface, photo)


def built(surface: Surface):
    """The objects of the surface, with evaluated transforms."""
    objects = build(surface)
    bpy.context.view_layer.update()
    return objects


def faces_world_m(placed) -> list[np.ndarray]:
    """Corners of every face, (corners, 3), world frame."""
    mesh = placed.data
    vertices = np.empty(len(mesh.vertices) * 3, np.float32)
    mesh.vertices.foreach_get("co", vertices)
    matrix = np.array(placed.matrix_world)
    world = vertices.reshape(-1, 3).astype(np.float64) @ matrix[:3, :3].T + matrix[:3, 3]
    loops = np.empty(len(mesh.loops), np.int32)
    mesh.attributes[".corner_vert"].data.foreach_get(
        "value", loops
    )  # the loops themselves take 15 times as long
    return world[loops.reshape(-1, 4)]


def values_of(tree) -> list:
    """Every unlinked number in a node tree, in order."""
    values = []
    for node in tree.nodes:
        for socket in [*node.inputs, *node.outputs]:
            if hasattr(socket, "default_value") and not socket.is_linked:
                value = socket.default_value
                values.append(tuple(value) if hasattr(value, "__len__") else value)
        if node.name in ("wear", "dust", "stains", "spills", "wetness", "seams", "base"):
            value = node.outputs[0].default_value
            values.append(tuple(value) if hasattr(value, "__len__") else value)
    return values


def state_of(objects) -> list:
    """Everything that decides the look: transforms, meshes and material values."""
    meshes = [(tuple(map(tuple, placed.matrix_world)), faces_world_m(placed).tobytes()) for placed in objects]
    materials = [values_of(slot.material.node_tree) for placed in objects for slot in placed.material_slots]
    return [meshes, materials]


def test_the_rails_of_a_belt_overlap_only_its_rim():
    from blendgen.engine.blender.surfaces.belt_frame import LAP_M
    from blendgen.scene.kinds.surfaces import SURFACE_RIM_M

    assert LAP_M < SURFACE_RIM_M


@pytest.mark.parametrize("kind", ["wood_table", "steel_table", *BELTS])
def test_surfaces_have_the_sampled_width_and_are_longer(kind):
    objects = built(surface_of(kind, width_m=1.5, yaw_deg=0.0))
    top = np.concatenate([faces_world_m(o).reshape(-1, 3) for o in objects if "floor" not in o.name])
    top = top[np.abs(top[:, 2]) < 0.005]
    assert 1.4 < np.ptp(top[:, 0]) < 1.7
    assert np.ptp(top[:, 1]) > 2.2


@pytest.fixture(autouse=True)
def empty_scene():
    bpy.data.batch_remove(list(bpy.data.objects))
    yield
    bpy.data.batch_remove(list(bpy.data.objects))


def test_every_solid_kind_has_a_builder():
    assert {kind.name for kind in SURFACE_KINDS.values() if kind.solid} == set(BUILDERS)


def test_an_unknown_kind_is_rejected():
    with pytest.raises(ValueError, match="unknown surface 'lava'"):
        build_surface(surface_of("lava"))


@pytest.mark.parametrize("kind", SOLID_KINDS)
@pytest.mark.parametrize("changes", [{}, {"yaw_deg": -140.0, "texture_offset_m": (-3.3, -0.019)}])
def test_products_stand_on_z_zero(kind, changes):
    """The highest face in the product area is at z = 0."""
    highest = []
    for placed in built(surface_of(kind, **changes)):
        faces = faces_world_m(placed)
        low, high = faces[:, :, :2].min(axis=1), faces[:, :, :2].max(axis=1)
        reaches = (low < PRODUCT_HALF_M).all(axis=1) & (high > -PRODUCT_HALF_M).all(axis=1)
        # a long rotated face has a large bounding box: check in the frame of the belt as well
        local = faces @ np.array(placed.matrix_world)[:3, :3]
        width = PRODUCT_HALF_M * math.sqrt(2)
        reaches &= (local[:, :, 0].min(axis=1) < width) & (local[:, :, 0].max(axis=1) > -width)
        highest.extend(faces[reaches][:, :, 2].max(axis=1))
    assert abs(max(highest)) < 1e-6


@each_kind
def test_there_are_no_gaps_to_fall_through(kind):
    """Seen straight from above, only points in slots and meshes are below the plane."""
    built(surface_of(kind))
    scene, graph = bpy.context.scene, bpy.context.evaluated_depsgraph_get()
    steps = np.linspace(-PRODUCT_HALF_M, PRODUCT_HALF_M, 23)
    hits = [scene.ray_cast(graph, (x, y, 0.2), (0, 0, -1)) for x in steps for y in steps]
    assert all(hit[0] for hit in hits)
    heights = np.array([hit[1].z for hit in hits])
    carrying, lowest_m = {"belt_modular": (0.6, -0.02), "belt_mesh": (0.0, -0.81)}.get(kind, (0.999, -1e-6))
    assert heights.min() > lowest_m
    assert (np.abs(heights) < 1e-6).mean() >= carrying
    near_top = (heights > -0.002).mean()
    assert 0.15 < near_top < 0.7 if kind == "belt_mesh" else near_top > 0.6


def inputs_of_roughness(surface: Surface) -> dict[str, float]:
    """{name: value} of the single numbers that the roughness of the surface depends on."""
    nodes = set()
    for slot in (slot for placed in build(surface) for slot in placed.material_slots):
        shaders = [n for n in slot.material.node_tree.nodes if n.bl_idname == "ShaderNodeBsdfPrincipled"]
        links = [link for shader in shaders for link in shader.inputs["Roughness"].links]
        while links:
            node = links.pop().from_node
            if node not in nodes:
                nodes.add(node)
                links += [link for socket in node.inputs for link in socket.links]
    return {n.name: n.outputs[0].default_value for n in nodes if n.bl_idname == "ShaderNodeValue"}


@pytest.mark.parametrize("roughness", [0.1, 0.8])
def test_a_photo_is_as_rough_as_its_parameter(roughness):
    photo = SurfacePhoto(image="a.jpg", width_m=0.4, roughness=roughness)
    assert inputs_of_roughness(surface_of("photo", photo=photo)) == {"roughness": pytest.approx(roughness)}


@pytest.mark.parametrize("kind", [kind for kind in SOLID_KINDS if kind not in ("photo", "backlit_sheet")])
def test_dust_and_wear_change_the_roughness_of_a_surface(kind):
    inputs = inputs_of_roughness(surface_of(kind, dust=0.7, wear=0.9))
    assert inputs["dust"] == pytest.approx(0.7)
    wears = kind in (*BELTS, "steel_table", "wood_table")
    assert not wears or inputs["wear"] == pytest.approx(0.9)


@each_kind
def test_data_blocks_do_not_accumulate(kind):
    def count():
        data = bpy.data
        return [len(part) for part in (data.objects, data.meshes, data.materials, data.node_groups)]

    bpy.data.batch_remove(build(surface_of(kind)))
    before = count()
    for step in range(4):
        offset_m = (0.1 * step, 0.7 * step)
        changes = {"wear": step / 4, "width_m": 0.4 + 0.1 * step, "texture_offset_m": offset_m}
        bpy.data.batch_remove(build(surface_of(kind, **changes)))
    assert count() == before


@each_kind
def test_the_result_depends_on_the_surface_only(kind):
    first = built(surface_of(kind))
    wanted = state_of(first)
    bpy.data.batch_remove(first)
    other = {"yaw_deg": 80.0, "width_m": 0.45, "wear": 1.0, "dust": 1.0, "color_srgb": "#ff8800"}
    for kind_between in SOLID_KINDS:
        bpy.data.batch_remove(build(surface_of(kind_between, **other, texture_offset_m=(0.5, 0.5))))
    assert state_of(built(surface_of(kind))) == wanted


@each_kind
def test_meshes_removed_by_the_owner_are_built_again(kind):
    objects = built(surface_of(kind))
    wanted = state_of(objects)
    bpy.data.batch_remove([*objects, *{placed.data for placed in objects}])
    assert state_of(built(surface_of(kind))) == wanted


@pytest.mark.parametrize("kind", BELTS)
def test_a_belt_extends_three_metres_in_each_direction(kind):
    belts = [placed for placed in built(surface_of(kind, yaw_deg=0.0)) if kind in placed.data.name]
    y_m = np.concatenate([faces_world_m(placed)[:, :, 1].ravel() for placed in belts])
    assert y_m.min() <= -3 and y_m.max() >= 3


def test_modules_move_with_the_offset_and_repeat_with_the_pattern():
    """An offset of a whole module and two rows does not move any link; half a row does."""

    def near(offset_m):
        objects = built(surface_of("belt_modular", yaw_deg=0.0, texture_offset_m=offset_m))
        links = [faces_world_m(placed) for placed in objects if placed.data.name.endswith("belt_modular")]
        corners = np.concatenate(links).reshape(-1, 3)
        bpy.data.batch_remove(objects)
        inside = corners[(np.abs(corners[:, :2]) < 0.1).all(axis=1)]
        return inside[np.lexsort(np.round(inside, 5).T)]

    here = near((0.0101, 0.0101))
    again = near((0.0101 + 0.1524, 0.0101 + 2 * 0.0254))
    assert here.shape == again.shape and np.abs(np.sort(here, axis=0) - np.sort(again, axis=0)).max() < 1e-5
    moved = near((0.0101, 0.0101 + 0.0127))
    assert here.shape != moved.shape or np.abs(np.sort(here, axis=0) - np.sort(moved, axis=0)).max() > 1e-3


@each_kind
def test_meshes_are_valid_and_flat_shaded_except_for_wire(kind):
    for mesh in {placed.data for placed in built(surface_of(kind))}:
        assert not mesh.validate()
        assert all(face.use_smooth == (mesh.name == "surface.belt_mesh") for face in mesh.polygons)
