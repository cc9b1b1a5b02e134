"""Model files become products of the right size, look and frame; what cannot be used is refused in a line.

All small files are measured by one child, once for the module; tests then look at the outcomes.
"""

from __future__ import annotations

import json
import random
import struct
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from blendgen.catalog.entry import ASSET_FILE, Measured, read_entry
from blendgen.catalog.scan import MODEL_SUFFIXES, scan_directory
from blendgen.catalog.source import Source
from blendgen.engine.blender.measuring import measure

pytest.importorskip("bpy")

CORNERS = [(x, y, z) for x in (0, 1) for y in (0, 2) for z in (0, 3)]
# Quads of a box over CORNERS, counter-clockwise seen from outside.
QUADS = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
TRIANGLES = [t for a, b, c, d in QUADS for t in ((a, b, c), (a, c, d))]


def obj(corners=CORNERS, faces=QUADS, header="") -> str:
    lines = [header, *("v " + " ".join(map(str, corner)) for corner in corners)]
    return "\n".join([*lines, *("f " + " ".join(str(i + 1) for i in face) for face in faces)]) + "\n"


def binary_stl(corners=CORNERS) -> bytes:
    facets = [struct.pack("<12fH", 0, 0, 0, *(x for i in t for x in corners[i]), 0) for t in TRIANGLES]
    return b"\0" * 80 + struct.pack("<I", len(facets)) + b"".join(facets)


def ascii_stl() -> str:
    facets = []
    for triangle in TRIANGLES:
        rows = "\n".join("vertex " + " ".join(map(str, CORNERS[i])) for i in triangle)
        facets.append(f"facet normal 0 0 0\nouter loop\n{rows}\nendloop\nendfacet")
    return "solid box\n" + "\n".join(facets) + "\nendsolid box\n"


def ply(faces=TRIANGLES) -> str:
    header = f"ply\nformat ascii 1.0\nelement vertex {len(CORNERS)}\nproperty float x\nproperty float y\n"
    header += "property float z\nproperty uchar red\nproperty uchar green\nproperty uchar blue\n"
    header += f"element face {len(faces)}\nproperty list uchar int vertex_indices\nend_header\n"
    rows = [" ".join(map(str, corner)) + " 255 0 0" for corner in CORNERS]
    return header + "\n".join([*rows, *(" ".join(map(str, (len(f), *f))) for f in faces)]) + "\n"


def gltf(nodes: list[dict], buffer_uri: str | None = "box.bin") -> dict:
    """A box with mesh 0; positions and indices in one buffer."""
    buffer = {"byteLength": 8 * 12 + 36 * 2} | ({"uri": buffer_uri} if buffer_uri else {})
    return {
        "asset": {"version": "2.0"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": nodes,
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}, "indices": 1}]}],
        "buffers": [buffer],
        "bufferViews": [
            {"buffer": 0, "byteOffset": 0, "byteLength": 96},
            {"buffer": 0, "byteOffset": 96, "byteLength": 72},
        ],
        "accessors": [
            {"bufferView": 0, "componentType": 5126, "count": 8, "type": "VEC3", "min": [0] * 3, "max": [1, 2, 3]},
            {"bufferView": 1, "componentType": 5123, "count": 36, "type": "SCALAR"},
        ],
    }


def box_bin(first: float = 0.0) -> bytes:
    positions = [first, *[x for corner in CORNERS for x in corner][1:]]
    return struct.pack("<24f", *positions) + struct.pack("<36H", *(i for t in TRIANGLES for i in t))


def glb(content: dict, body: bytes = b"") -> bytes:
    body = body or box_bin()
    text = json.dumps(content).encode()
    text += b" " * (-len(text) % 4)
    chunks = struct.pack("<II", len(text), 0x4E4F534A) + text + struct.pack("<II", len(body), 0x004E4942) + body
    return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks


def usda(metres_per_unit: float, up: str) -> str:
    counts = ", ".join("3" for _ in TRIANGLES)
    indices = ", ".join(str(i) for t in TRIANGLES for i in t)
    points = ", ".join(map(str, CORNERS))
    return f"""#usda 1.0
(
    metersPerUnit = {metres_per_unit}
    upAxis = "{up}"
)
def Mesh "Box"
{{
    int[] faceVertexCounts = [{counts}]
    int[] faceVertexIndices = [{indices}]
    point3f[] points = [{points}]
}}
"""


# Writes .blend and .fbx files, which cannot be written by hand.
WRITE_BLENDS = """
import sys, bpy
folder = sys.argv[1]

def box(name, size):
    bpy.ops.mesh.primitive_cube_add(size=1)
    made = bpy.context.object
    made.name, made.scale = name, size
    made.data.materials.append(bpy.data.materials.new("paint"))
    return made

def new():
    bpy.ops.wm.read_factory_settings(use_empty=True)

new()
shown = box("shown", (1, 2, 3))
shown.modifiers.new("twice", "ARRAY").relative_offset_displace[0] = 1.0
for name in ("hidden", "no_render"):
    box(name, (9, 9, 9))
bpy.data.objects["hidden"].hide_set(True)
bpy.data.objects["no_render"].hide_render = True
shown.driver_add("location", 0).driver.expression = "__import__('pathlib').Path(%r).touch() or 0" % (folder + "/driven")
text = bpy.data.texts.new("run.py")
text.write("__import__('pathlib').Path(%r).touch()" % (folder + "/ran"))
text.use_module = True
bpy.ops.object.light_add(); bpy.ops.object.camera_add(); bpy.ops.object.empty_add()
bpy.context.scene.unit_settings.scale_length = 0.1
bpy.ops.wm.save_as_mainfile(filepath=folder + "/array.blend")

new()
part = box("part", (1, 2, 3))
group = bpy.data.collections.new("group")
group.objects.link(part)
bpy.context.scene.collection.objects.unlink(part)
for x in (0, 4):
    instance = bpy.data.objects.new("instance", None)
    instance.instance_type, instance.instance_collection, instance.location.x = "COLLECTION", group, x
    bpy.context.scene.collection.objects.link(instance)
bpy.ops.wm.save_as_mainfile(filepath=folder + "/instances.blend")

new()
with bpy.data.libraries.load(folder + "/instances.blend", link=True) as (have, want):
    want.collections = ["group"]
bpy.context.scene.collection.children.link(bpy.data.collections["group"])
bpy.ops.wm.save_as_mainfile(filepath=folder + "/linked.blend")

new()
bpy.ops.object.text_add()
bpy.context.object.data.body, bpy.context.object.data.extrude = "blendgen", 0.1
bpy.ops.wm.save_as_mainfile(filepath=folder + "/text.blend")

new()
box("mirrored", (-1, 2, 3)).location.z = 7
bpy.ops.wm.save_as_mainfile(filepath=folder + "/mirrored.blend")
bpy.ops.export_scene.fbx(filepath=folder + "/box.fbx")
"""

BOX = [{"mesh": 0}]
CIRCLE = [{"children": [1]}, {"mesh": 0, "children": [0]}]


def write_models(folder: Path) -> None:
    random_bytes = random.Random(0).randbytes(4000)
    texts = {
        "box.obj": obj(),
        "loose.obj": obj([*CORNERS, (99, 99, 99)]),
        "far.obj": obj([(x + 1000, y, z) for x, y, z in CORNERS]),
        "points.obj": obj(faces=[]),
        "edges.obj": obj(faces=[]) + "l 1 2\nl 2 3\n",
        "nan.obj": obj([*CORNERS[:7], ("nan", "nan", "nan")]),
        "one_place.obj": obj([(1, 1, 1)] * 8),
        "line.obj": obj([(0, 0, 0), (1, 1, 1), (2, 2, 2)], [(0, 1, 2)]),
        "large.obj": obj([(x * 32, y * 32, z * 32) for x, y, z in CORNERS]),
        "small.obj": obj([(x * 1e-5, y * 1e-5, z * 1e-5) for x, y, z in CORNERS]),
        "no_texture.obj": obj(header="mtllib no_texture.mtl\nusemtl paint"),
        "no_texture.mtl": "newmtl paint\nKd 1 0 0\nmap_Kd /elsewhere/wood.png\n",
        "ascii.stl": ascii_stl(),
        "cut_ascii.stl": ascii_stl()[:400],
        "no_facets.stl": "solid nothing\nendsolid nothing\n",
        "colored.ply": ply(),
        "cloud.ply": ply(faces=[]),
        "box.gltf": json.dumps(gltf(BOX)),
        "no_buffer.gltf": json.dumps(gltf(BOX, "absent.bin")),
        "outside.gltf": json.dumps(gltf(BOX, "../../box.bin")),
        "circle.gltf": json.dumps(gltf(CIRCLE)),
        "turned.gltf": json.dumps(gltf([{"mesh": 0, "scale": [-1, 1, 1], "translation": [5, 6, 7]}])),
        "no_mesh.gltf": json.dumps({"asset": {"version": "2.0"}}),
        "cm_y.usda": usda(0.01, "Y"),
        "empty.obj": "",
    }
    binaries = {
        "box.bin": box_bin(),
        "box.glb": glb(gltf(BOX, None)),
        "nan.glb": glb(gltf(BOX, None), box_bin(float("nan"))),
        "cut.glb": glb(gltf(BOX, None))[:-40],
        "binary.stl": binary_stl(),
        "nan.stl": binary_stl([*CORNERS[:7], (float("nan"), 0, 0)]),
        "cut.stl": binary_stl()[:-60],
        "utf16.obj": obj().encode("utf-16"),
        **{f"garbage_{suffix}.{suffix}": random_bytes for suffix in MODEL_SUFFIXES},
    }
    for name, text in texts.items():
        (folder / name).write_text(text)
    for name, data in binaries.items():
        (folder / name).write_bytes(data)
    subprocess.run([sys.executable, "-c", WRITE_BLENDS, str(folder)], check=True, capture_output=True)
    for name in ("box.fbx", "mirrored.blend", "colored.ply"):
        data = (folder / name).read_bytes()
        (folder / f"cut_{name}").write_bytes(data[: len(data) // 2])


class Outcomes:
    """Entry or refusal by file name, all measured in one call of the child."""

    def __init__(self, folder: Path, entries: Path):
        sources = scan_directory(folder, "", None, None)
        box = next(source for source in sources if source.display == "box.obj")
        for name in ("box.obj", "cm_y.usda", "box.fbx", "array.blend", "box.glb"):
            source = next(source for source in sources if source.display == name)
            options = source.options | {"unit": "in"}
            sources.append(replace(source, options=options, display=f"{name} in"))
        for up in "xyz":
            sources.append(replace(box, options=box.options | {"up": up}, display=f"box.obj up {up}"))
        for shape in ("box", "sphere"):
            options = {"shape": shape, "size_m": [0.1, 0.1, 0.2], "base_color_srgb": "#ff8000"}
            sources.append(Source(shape, "", "shape", options, shape))
        self.folder = folder
        self._folders = {}
        for number, source in enumerate(sources):
            self._folders[source.display] = entries / str(number)
            self._folders[source.display].mkdir(parents=True)
        jobs = [(source, self._folders[source.display]) for source in sources]
        self.refusals = dict(zip(self._folders, measure(jobs, timeout_s=60), strict=True))

    def product(self, name: str) -> Measured:
        assert self.refusals[name] is None, self.refusals[name]
        return read_entry(self._folders[name])

    def asset(self, name: str) -> Path:
        return self._folders[name] / ASSET_FILE

    def reason(self, name: str) -> str:
        refusal = self.refusals[name]
        assert refusal is not None, f"{name} was taken"
        return refusal.reason


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory) -> Outcomes:
    folder = tmp_path_factory.mktemp("models")
    write_models(folder)
    return Outcomes(folder, tmp_path_factory.mktemp("entries"))


Y_UP, Z_UP = (1, 3, 2), (1, 2, 3)


@pytest.mark.parametrize(
    "name, size_m",
    [
        ("box.obj", Y_UP),
        ("loose.obj", Y_UP),
        ("far.obj", Y_UP),
        ("ascii.stl", Z_UP),
        ("binary.stl", Z_UP),
        ("colored.ply", Z_UP),
        ("box.gltf", Y_UP),
        ("box.glb", Y_UP),
        ("turned.gltf", Y_UP),
        ("cm_y.usda", (0.01, 0.03, 0.02)),
        ("array.blend", (0.2, 0.2, 0.3)),
        ("instances.blend", (5, 2, 3)),
        ("mirrored.blend", Z_UP),
        ("box.fbx", Z_UP),
        ("box.obj in", np.multiply(Y_UP, 0.0254)),
        ("cm_y.usda in", np.multiply(Y_UP, 0.0254)),
        ("box.glb in", np.multiply(Y_UP, 0.0254)),
        ("array.blend in", np.multiply((2, 2, 3), 0.0254)),
        ("box.obj up x", (2, 3, 1)),
        ("box.obj up y", Y_UP),
        ("box.obj up z", Z_UP),
        ("box", (0.1, 0.1, 0.2)),
        ("sphere", (0.1, 0.1, 0.2)),
    ],
)
def test_size_follows_unit_and_axes_and_the_product_stands_on_the_origin(outcomes, name, size_m):
    measured = outcomes.product(name)
    size = np.array(measured.size_m)
    if name == "box.obj up x":  # which way the other two point is of no importance
        size, size_m = [size[2], *sorted(size[:2])], [1, 2, 3]
    np.testing.assert_allclose(size, size_m, rtol=1e-5)
    low, high = measured.hull_m.min(axis=0), measured.hull_m.max(axis=0)
    np.testing.assert_allclose(low[:2], -high[:2], atol=1e-5 * max(size))
    assert abs(low[2]) < 1e-6 * max(size)
    assert sum(pose.probability for pose in measured.resting_poses) == pytest.approx(1)


def test_a_stated_unit_replaces_that_of_an_fbx_file(outcomes):
    ratio = np.divide(outcomes.product("box.fbx in").size_m, outcomes.product("box.fbx").size_m)
    assert ratio == pytest.approx(0.0254 / 0.01)  # Blender writes centimetres


@pytest.mark.parametrize(
    "name, reason",
    [
        ("empty.obj", "the file is empty"),
        ("points.obj", "a point cloud: 8 vertices, no faces"),
        ("cloud.ply", "a point cloud: 8 vertices, no faces"),
        ("edges.obj", "only edges: "),
        ("nan.obj", "coordinates that are not finite"),
        ("nan.glb", "coordinates that are not finite"),
        ("nan.stl", "coordinates that are not finite"),
        ("one_place.obj", "all vertices lie in one place"),
        ("line.obj", "no surface: every face has zero area"),
        ("large.obj", "largest side is 96 m; state its unit, such as unit: mm"),
        ("small.obj", "largest side is 3e-05 m; products measure at least 0.2 mm"),
        ("utf16.obj", "UTF-16 text; save the OBJ file as UTF-8"),
        ("no_facets.stl", "no geometry"),
        ("cut_ascii.stl", "truncated: facet 5 is not complete"),
        ("cut.stl", "truncated: 624 of 684 bytes"),
        ("cut.glb", "truncated: "),
        ("no_buffer.gltf", "buffer file 'absent.bin' is missing"),
        ("outside.gltf", "buffer '../../box.bin' lies outside"),
        ("circle.gltf", "its nodes contain each other in a circle"),
        ("no_mesh.gltf", "no geometry"),
        ("linked.blend", "depends on another file, 'instances.blend'"),
        ("cut_box.fbx", ""),
        ("cut_mirrored.blend", ""),
        ("cut_colored.ply", ""),
        *((f"garbage_{suffix}.{suffix}", "not a") for suffix in MODEL_SUFFIXES),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_line(outcomes, name, reason):
    found = outcomes.reason(name)
    assert found.startswith(reason)
    assert "\n" not in found and "Traceback" not in found and 10 < len(found) < 220


def test_text_blocks_and_drivers_of_a_blend_file_do_not_run(outcomes):
    outcomes.product("array.blend")
    assert not (outcomes.folder / "ran").exists()
    assert not (outcomes.folder / "driven").exists()


def test_a_missing_texture_is_named_and_leaves_the_plain_colour(outcomes):
    measured = outcomes.product("no_texture.obj")
    assert measured.missing_textures == ("wood.png",) and measured.parts == ("paint",)


def test_text_and_curves_become_meshes(outcomes):
    assert outcomes.product("text.blend").triangles > 100


def test_a_model_without_material_gets_the_default_one(outcomes):
    assert outcomes.product("box.obj").parts == ("default",)
    assert outcomes.product("mirrored.blend").parts == ("paint",)


def test_a_mesh_has_one_colorway_that_changes_nothing(outcomes):
    (colorway,) = outcomes.product("box.glb").colorways
    assert colorway.name == "default" and colorway.materials == {}


def test_shapes_are_what_they_say_and_the_sphere_is_round(outcomes):
    box, sphere = outcomes.product("box"), outcomes.product("sphere")
    assert (box.shape, box.triangles, box.parts) == ("box", 12, ("body",))
    radius = np.linalg.norm((sphere.hull_m - [0, 0, 0.1]) / [0.05, 0.05, 0.1], axis=1)
    np.testing.assert_allclose(radius, 1, atol=1e-5)
    assert sphere.shape == "sphere"
    turn = np.arange(360) * np.pi / 180
    outline = np.column_stack([np.cos(turn), np.sin(turn)]) @ sphere.hull_m[:, :2].T
    assert outline.max(axis=1).min() > 0.995 * 0.05


# Reads assets back: {file: [objects, outward faces in percent, colour attributes, linked images]}
READ_ASSETS = """
import sys, json, bpy
found = {}
for path in sys.argv[1:]:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    with bpy.data.libraries.load(path, link=False) as (have, want):
        names = list(have.objects)
        want.objects = names[:]
    mesh = want.objects[0].data
    middle = sum((v.co for v in mesh.vertices), start=mesh.vertices[0].co * 0) / len(mesh.vertices)
    outward = sum((face.center - middle).dot(face.normal) > 0 for face in mesh.polygons)
    nodes = [n.type for m in mesh.materials if m.node_tree for n in m.node_tree.nodes]
    found[path] = [names, outward / len(mesh.polygons), [a.name for a in mesh.color_attributes], nodes]
print("RESULT" + json.dumps(found))
"""


@pytest.fixture(scope="module")
def assets(outcomes) -> dict[str, list]:
    names = ["box.obj", "turned.gltf", "mirrored.blend", "colored.ply", "instances.blend", "no_texture.obj"]
    paths = [str(outcomes.asset(name)) for name in names]
    done = subprocess.run(
        [sys.executable, "-c", READ_ASSETS, *paths], check=True, capture_output=True, text=True
    )
    line = next(line for line in done.stdout.splitlines() if line.startswith("RESULT"))
    return dict(zip(names, json.loads(line.removeprefix("RESULT")).values(), strict=True))


def test_an_asset_holds_one_object_called_product(assets):
    assert all(objects == ["product"] for objects, *_ in assets.values())


def test_faces_look_outward_also_after_mirroring(assets):
    for name in ("box.obj", "turned.gltf", "mirrored.blend", "colored.ply"):
        assert assets[name][1] == 1


def test_vertex_colours_are_kept_and_shown_where_there_is_no_material(assets):
    _, _, attributes, nodes = assets["colored.ply"]
    assert attributes and "VERTEX_COLOR" in nodes


def test_a_texture_without_file_is_not_rendered(assets):
    assert "TEX_IMAGE" not in assets["no_texture.obj"][3]
