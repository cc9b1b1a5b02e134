"""Files outside the directory of untrusted models are not read, with and without the sandbox."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from blendgen.engine.blender.importing.confined import SWITCH
from blendgen.engine.blender.importing.measurer import BlenderMeasurer
from blendgen.models.measuring.entry import ASSET_FILE, Measured, read_entry, read_new_entry
from blendgen.models.scan import scan_directory
from tests.engine.model_files import BOX, box_bin, gltf, obj, usda

pytest.importorskip("bpy")
pytestmark = pytest.mark.slow

OUTSIDE = (
    "it is outside of the models directory "
    "(allow_outside: true in the spec, or `blendgen models --allow-outside`, allows it)"
)


def textured(uri: str, webp: bool = False) -> str:
    content = gltf(BOX)
    texture = {"extensions": {"EXT_texture_webp": {"source": 0}}} if webp else {"source": 0}
    content |= {"images": [{"uri": uri}], "textures": [texture]}
    if webp:
        content["extensionsUsed"] = ["EXT_texture_webp"]
    content["materials"] = [{"name": "paint", "pbrMetallicRoughness": {"baseColorTexture": {"index": 0}}}]
    content["meshes"][0]["primitives"][0]["material"] = 0
    return json.dumps(content)


def with_material(name: str) -> str:
    return obj(header=f"mtllib {name}\nusemtl paint")


def usd_with(texture: str) -> str:
    return (
        usda(1, "Z").replace(
            "    int[] faceVertexCounts",
            "    rel material:binding = </M>\n    int[] faceVertexCounts",
        )
        + f"""
def Material "M"
{{
    token outputs:surface.connect = </M/S.outputs:surface>
    def Shader "S"
    {{
        uniform token info:id = "UsdPreviewSurface"
        color3f inputs:diffuseColor.connect = </M/T.outputs:rgb>
        token outputs:surface
    }}
    def Shader "T"
    {{
        uniform token info:id = "UsdUVTexture"
        asset inputs:file = @{texture}@
        float3 outputs:rgb
    }}
}}
"""
    )


def usd_referring(arc: str) -> str:
    return f'#usda 1.0\n(\n    upAxis = "Z"\n    metersPerUnit = 1\n)\ndef "R" (\n    {arc}\n)\n{{\n}}\n'


WRITE_BLENDS = """
import sys, bpy
folder, secret = sys.argv[1:]

def new():
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.mesh.primitive_cube_add(size=1)
    return bpy.context.object

def save(name):
    bpy.ops.wm.save_as_mainfile(filepath=f"{folder}/{name}.blend", compress=False)

for kind, file in (("OBJ", "box.obj"), ("Text", "secret.txt"), ("CSV", "secret.csv"), ("VDB", "s.vdb")):
    owner = new()
    tree = bpy.data.node_groups.new("g", "GeometryNodeTree")
    tree.interface.new_socket(name="Geometry", in_out="OUTPUT", socket_type="NodeSocketGeometry")
    node, out = tree.nodes.new(f"GeometryNodeImport{kind}"), tree.nodes.new("NodeGroupOutput")
    node.inputs[0].default_value = f"{secret}/{file}"
    if kind == "OBJ":
        tree.links.new(node.outputs[0], out.inputs[0])
    owner.modifiers.new("g", "NODES").node_group = tree
    save(f"nodes_{kind}".lower())

new().modifiers.new("m", "MESH_CACHE").filepath = f"{secret}/secret.mdd"
save("mesh_cache")

owner = new()
owner.modifiers.new("m", "MESH_CACHE")
tree = bpy.data.node_groups.new("g", "GeometryNodeTree")
tree.interface.new_socket(name="Geometry", in_out="INPUT", socket_type="NodeSocketGeometry")
tree.interface.new_socket(name="Geometry", in_out="OUTPUT", socket_type="NodeSocketGeometry")
tree.nodes.new("GeometryNodeImportOBJ")
start, end = tree.nodes.new("NodeGroupInput"), tree.nodes.new("NodeGroupOutput")
tree.links.new(start.outputs[0], end.inputs[0])
owner.modifiers.new("g", "NODES").node_group = tree
save("not_set")

owner = new()
volume = bpy.data.volumes.new("v")
volume.filepath = f"{secret}/s.vdb"
bpy.context.scene.collection.objects.link(bpy.data.objects.new("v", volume))
save("volume")

for source in ("FILE", "TILED", "SEQUENCE", "packed"):
    owner = new()
    material = bpy.data.materials.new("paint")
    if material.node_tree is None:
        material.use_nodes = True
    image = bpy.data.images.load(f"{secret}/secret.png")
    if source == "packed":
        image.pack()
    else:
        image.source = source
    node = material.node_tree.nodes.new("ShaderNodeTexImage")
    node.image = image
    material.node_tree.links.new(node.outputs[0], material.node_tree.nodes["Principled BSDF"].inputs[0])
    owner.data.materials.append(material)
    if source == "FILE":
        texture = bpy.data.textures.new("t", "IMAGE")
        texture.image = image
        owner.modifiers.new("d", "DISPLACE").texture = texture
    save(f"image_{source}".lower())
"""


def write_hostile(root: Path) -> Path:
    models, secret = root / "models", root / "secret"
    models.mkdir()
    secret.mkdir()
    Image.new("RGB", (4, 4), (1, 2, 3)).save(secret / "secret.png")
    Image.new("RGB", (4, 4), (1, 2, 3)).save(secret / "secret.webp")
    (secret / "box.obj").write_text(obj())
    (secret / "secret.mtl").write_text("newmtl paint\nKd 1 0 0\n")
    (secret / "secret.usda").write_text(usda(1, "Z"))
    for name in ("secret.txt", "secret.csv", "secret.mdd", "s.vdb"):
        (secret / name).write_text("secret")
    (models / "box.bin").write_bytes(box_bin())
    (models / "link.png").symlink_to(secret / "secret.png")
    (models / "link.mtl").symlink_to(secret / "secret.mtl")
    (models / "link.bin").symlink_to(models / ".." / "secret" / "s.vdb")
    os.mkfifo(models / "pipe.png")
    os.mkfifo(models / "pipe.mtl")
    texts = {
        "gltf_absolute.gltf": textured(str(secret / "secret.png")),
        "gltf_parent.gltf": textured("../secret/secret.png"),
        "gltf_percent.gltf": textured("%2e%2e/secret/secret.png"),
        "gltf_backslash.gltf": textured("..\\secret\\secret.png"),
        "gltf_file_url.gltf": textured(f"file://{secret}/secret.png"),
        "gltf_webp.gltf": textured("../secret/secret.webp", webp=True),
        "gltf_link.gltf": textured("link.png"),
        "gltf_pipe.gltf": textured("pipe.png"),
        "gltf_buffer.gltf": json.dumps(gltf(BOX, "link.bin")),
        "obj_absolute.obj": with_material(f"{secret}/secret.mtl"),
        "obj_parent.obj": with_material("../secret/secret.mtl"),
        "obj_quoted.obj": with_material('"../secret/secret.mtl"'),
        "obj_continued.obj": with_material("\\\n ../secret/secret.mtl"),
        "obj_link.obj": with_material("link.mtl"),
        "obj_pipe.obj": with_material("pipe.mtl"),
        "obj_texture.obj": with_material("textured.mtl"),
        "textured.mtl": "newmtl paint\nmap_Kd ../secret/secret.png\n",
        "usd_texture.usda": usd_with("../secret/secret.png"),
        "usd_reference.usda": usd_referring("references = @../secret/secret.usda@</Box>"),
        "usd_payload.usda": usd_referring(f"payload = @{secret}/secret.usda@</Box>"),
        "usd_chain.usda": usd_referring("references = @usd_reference.usda@</R>"),
    }
    for name, text in texts.items():
        (models / name).write_text(text)
    for name in ("usd_texture.usda", "usd_reference.usda", "obj_parent.obj", "gltf_parent.gltf"):
        (models / f"utf16_{name}").write_bytes(texts[name].encode("utf-16"))
    (models / "usd_layer.usda").write_text("#usda 1.0\n(\n    subLayers = [@../secret/secret.usda@]\n)\n")
    subprocess.run(
        [sys.executable, "-c", WRITE_BLENDS, str(models), str(secret)], check=True, capture_output=True
    )
    return models


class Outcomes:
    def __init__(self, models: Path, entries: Path):
        sources = scan_directory(models, "", None, None)
        folders = [entries / source.display for source in sources]
        for folder in folders:
            folder.mkdir(parents=True)
        refusals = list(BlenderMeasurer(timeout_s=240).measure(list(zip(sources, folders, strict=True))))
        self.folders = {source.display: folder for source, folder in zip(sources, folders, strict=True)}
        self.refusals = dict(zip(self.folders, refusals, strict=True))

    def product(self, name: str) -> Measured:
        assert self.refusals[name] is None, self.refusals[name]
        return read_entry(self.folders[name])


@pytest.fixture(scope="module")
def hostile(tmp_path_factory) -> Path:
    return write_hostile(tmp_path_factory.mktemp("hostile"))


@pytest.fixture(scope="module", params=["sandbox", "inspection alone"])
def outcomes(request, hostile, tmp_path_factory) -> Outcomes:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(SWITCH, "on" if request.param == "sandbox" else "off")
        return Outcomes(hostile, tmp_path_factory.mktemp("entries"))


def message_about(name: str) -> str:
    return f"{name}: {OUTSIDE}"


@pytest.mark.parametrize(
    "name, missing",
    [
        ("gltf_absolute.gltf", message_about("secret.png")),
        ("gltf_parent.gltf", message_about("secret.png")),
        ("gltf_percent.gltf", message_about("secret.png")),
        ("gltf_backslash.gltf", message_about("secret.png")),
        ("gltf_file_url.gltf", "secret.png"),
        ("gltf_webp.gltf", message_about("secret.webp")),
        ("gltf_link.gltf", message_about("link.png")),
        ("gltf_pipe.gltf", "pipe.png: it is not a regular file"),
        ("obj_texture.obj", message_about("secret.png")),
        ("usd_texture.usda", message_about("secret.png")),
        ("utf16_usd_texture.usda", message_about("secret.png")),
        ("utf16_gltf_parent.gltf", message_about("secret.png")),
        ("image_file.blend", message_about("secret.png")),
        ("image_tiled.blend", message_about("secret.png")),
        ("image_sequence.blend", "secret.png: a film or a sequence of images"),
    ],
)
def test_a_texture_outside_is_missing_and_the_reason_is_reported(outcomes, name, missing):
    assert outcomes.product(name).missing_textures == (missing,)


@pytest.mark.parametrize(
    "name, reason",
    [
        ("gltf_buffer.gltf", "buffer 'link.bin' is outside"),
        ("obj_absolute.obj", "material library 'secret.mtl' is outside"),
        ("obj_parent.obj", "material library 'secret.mtl' is outside"),
        ("obj_quoted.obj", "material library 'secret.mtl' is outside"),
        ("obj_continued.obj", "material library 'secret.mtl' is outside"),
        ("obj_link.obj", "material library 'link.mtl' is outside"),
        ("obj_pipe.obj", "material library 'pipe.mtl' is not a regular file"),
        ("usd_reference.usda", "it is composed of 'secret.usda', which is outside"),
        ("usd_payload.usda", "it is composed of 'secret.usda', which is outside"),
        ("usd_chain.usda", "it is composed of 'secret.usda', which is outside"),
        ("utf16_usd_reference.usda", "it is composed of 'secret.usda', which is outside"),
        ("utf16_obj_parent.obj", "material library 'secret.mtl' is outside"),
        ("usd_layer.usda", "it is composed of 'secret.usda', which is outside"),
        ("nodes_obj.blend", "'box.obj', which is outside"),
        ("nodes_text.blend", "'secret.txt', which is outside"),
        ("nodes_csv.blend", "'secret.csv', which is outside"),
        ("nodes_vdb.blend", "'s.vdb', which is outside"),
        ("mesh_cache.blend", "'secret.mdd', which is outside"),
        ("volume.blend", "'s.vdb', which is outside"),
    ],
)
def test_other_files_outside_are_rejected_by_name(outcomes, name, reason):
    refusal = outcomes.refusals[name]
    assert refusal is not None and reason in refusal.reason


def test_paths_that_are_not_set_read_nothing(outcomes):
    assert outcomes.product("not_set.blend").size_m == pytest.approx((1, 1, 1))
    looked_for = read_new_entry(outcomes.folders["not_set.blend"])[1]
    assert set(looked_for) <= {"file not_set.blend"}


def test_a_packed_image_stays_wherever_it_came_from(outcomes):
    assert outcomes.product("image_packed.blend").missing_textures == ()


def test_an_asset_contains_no_byte_of_a_file_outside(outcomes, hostile):
    """Assets are compressed, so Blender opens them and counts the packed images."""
    code = (
        "import sys, bpy\n"
        "for path in sys.argv[1:]:\n"
        "    bpy.ops.wm.read_factory_settings(use_empty=True)\n"
        "    with bpy.data.libraries.load(path) as (have, want):\n"
        "        want.images = have.images\n"
        "    print('RESULT', path, len(want.images))\n"
    )
    assets = [
        str(outcomes.folders[name] / ASSET_FILE)
        for name, refusal in outcomes.refusals.items()
        if refusal is None and name != "image_packed.blend"
    ]
    done = subprocess.run([sys.executable, "-c", code, *assets], capture_output=True, text=True, check=True)
    lines = [line for line in done.stdout.splitlines() if line.startswith("RESULT")]
    assert len(lines) == len(assets) and all(line.endswith(" 0") for line in lines)


def huge_png(path: Path, side: int) -> None:
    import struct
    import zlib

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IEND", b""))


@pytest.mark.slow
def test_a_huge_texture_is_missing_and_an_exr_texture_is_read(tmp_path):
    import OpenEXR

    huge_png(tmp_path / "huge.png", 60_000)
    pixels = np.full((64, 64, 3), 0.5, dtype=np.float16)
    with OpenEXR.File({"type": OpenEXR.scanlineimage}, {"RGB": pixels}) as file:
        file.write(str(tmp_path / "good.exr"))
    for name in ("huge.png", "good.exr"):
        stem = Path(name).stem
        (tmp_path / f"{stem}.obj").write_text(with_material(f"{stem}.mtl"))
        (tmp_path / f"{stem}.mtl").write_text(f"newmtl paint\nmap_Kd {name}\n")
    data = base64.b64encode((tmp_path / "huge.png").read_bytes()).decode()
    (tmp_path / "box.bin").write_bytes(box_bin())
    (tmp_path / "embedded.gltf").write_text(textured(f"data:image/png;base64,{data}"))
    (tmp_path / "named.gltf").write_text(textured("huge.png"))
    outcomes = Outcomes(tmp_path, tmp_path / "entries")
    for name in ("huge.obj", "named.gltf", "embedded.gltf"):
        (missing,) = outcomes.product(name).missing_textures
        assert "pixels are too many" in missing
    assert outcomes.product("good.obj").missing_textures == ()
