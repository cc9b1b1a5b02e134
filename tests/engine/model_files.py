"""Write small model files of every format, valid, unusual and broken, all from one box.

The box measures 1 x 2 x 3 units along x, y and z.
"""

from __future__ import annotations

import json
import random
import struct
import subprocess
import sys
from pathlib import Path

from blendgen.models.scan import MODEL_SUFFIXES

CORNERS = [(x, y, z) for x in (0, 1) for y in (0, 2) for z in (0, 3)]
# quads of a box over CORNERS, counter-clockwise seen from outside
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
            {"bufferView": 0, "componentType": 5126, "count": 8, "type": "VEC3"},
            {"bufferView": 1, "componentType": 5123, "count": 36, "type": "SCALAR"},
        ],
    }


def gltf_with_variants() -> dict:
    """Two boxes that share a material and replace it differently, and one that never changes."""
    content = gltf([{"children": [1, 2, 3]}] + [{"mesh": i, "translation": [4 * i, 0, 0]} for i in range(3)])
    materials = [("plain", 0.5), ("red", 0.1), ("blue", 0.2)]
    content["materials"] = [
        {"name": name, "pbrMetallicRoughness": {"baseColorFactor": [level, level, level, 1]}}
        for name, level in materials
    ]
    content["extensionsUsed"] = ["KHR_materials_variants"]
    content["extensions"] = {"KHR_materials_variants": {"variants": [{"name": "warm"}, {"name": "cold"}]}}
    swaps = ([(1, [0]), (2, [1])], [(2, [0, 1])], None)
    content["meshes"] = [_mesh_with_variants(swap) for swap in swaps]
    return content


def _mesh_with_variants(swaps) -> dict:
    primitive = {"attributes": {"POSITION": 0}, "indices": 1, "material": 0}
    if swaps is not None:
        mappings = [{"material": material, "variants": variants} for material, variants in swaps]
        primitive["extensions"] = {"KHR_materials_variants": {"mappings": mappings}}
    return {"primitives": [primitive]}


def box_bin() -> bytes:
    positions = struct.pack("<24f", *(x for corner in CORNERS for x in corner))
    return positions + struct.pack("<36H", *(i for t in TRIANGLES for i in t))


def glb(content: dict) -> bytes:
    body = box_bin()
    text = json.dumps(content).encode()
    text += b" " * (-len(text) % 4)
    chunks = struct.pack("<II", len(text), 0x4E4F534A) + text
    chunks += struct.pack("<II", len(body), 0x004E4942) + body
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


# writes .blend and .fbx files, which only Blender can write
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
for name in ("hidden", "no_render"):  # neither is rendered
    box(name, (9, 9, 9))
bpy.data.objects["hidden"].hide_set(True); bpy.data.objects["hidden"].hide_render = True
bpy.data.objects["no_render"].hide_render = True
touch = "__import__('pathlib').Path(%r).touch() or 0"
shown.driver_add("location", 0).driver.expression = touch % (folder + "/driven")
text = bpy.data.texts.new("run.py")
text.write(touch % (folder + "/ran"))
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
        "variants.gltf": json.dumps(gltf_with_variants()),
        "no_buffer.gltf": json.dumps(gltf(BOX, "absent.bin")),
        "outside.gltf": json.dumps(gltf(BOX, "../../box.bin")),
        "circle.gltf": json.dumps(gltf(CIRCLE)),
        "turned.gltf": json.dumps(gltf([{"mesh": 0, "scale": [-1, 1, 1], "translation": [5, 6, 7]}])),
        "version_1.gltf": json.dumps({"asset": {"version": "1.0"}, "meshes": {"box": {}}}),
        "no_mesh.gltf": json.dumps({"asset": {"version": "2.0"}}),
        "cm_y.usda": usda(0.01, "Y"),
        "empty.obj": "",
    }
    binaries = {
        "box.bin": box_bin(),
        "box.glb": glb(gltf(BOX, None)),
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
