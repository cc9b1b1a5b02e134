"""Extensions of materials and textures of glTF files: shown, or reported with the material's name."""

from __future__ import annotations

import json
import struct

import pytest
from PIL import Image

bpy = pytest.importorskip("bpy")

from tests.engine.looks import look, write_png  # noqa: E402
from tests.engine.model_files import box_bin, gltf  # noqa: E402

pytestmark = pytest.mark.slow  # twenty imports
RED = {"pbrMetallicRoughness": {"baseColorFactor": [0.9, 0.1, 0.1, 1]}}
TEXTURED = {"pbrMetallicRoughness": {"baseColorTexture": {"index": 0}}}


def write(folder, material: dict, image: str = "", texture: dict | None = None, required=()):
    content = gltf([{"mesh": 0}])
    content["buffers"][0]["byteLength"] += 64
    content["bufferViews"].append({"buffer": 0, "byteOffset": 168, "byteLength": 64})
    content["accessors"].append({"bufferView": 2, "componentType": 5126, "count": 8, "type": "VEC2"})
    content["meshes"][0]["primitives"][0] |= {"material": 0}
    content["meshes"][0]["primitives"][0]["attributes"]["TEXCOORD_0"] = 2
    content |= {"materials": [{"name": "m", **material}], "extensionsRequired": list(required)}
    content["extensionsUsed"] = [
        *required,
        *material.get("extensions", {}),
        *(texture or {}).get("extensions", {}),
    ]
    if image:
        content |= {"images": [{"uri": image}], "textures": [{"source": 0} if texture is None else texture]}
    (folder / "box.bin").write_bytes(box_bin() + struct.pack("<16f", *[0.5] * 16))
    (folder / "box.gltf").write_text(json.dumps(content))
    return folder / "box.gltf"


@pytest.mark.parametrize("is_required", [True, False])
@pytest.mark.parametrize(
    "extension, suffix, kind",
    [
        ("MSFT_texture_dds", "dds", "DDS"),
        ("EXT_texture_webp", "webp", "WEBP"),
        ("EXT_texture_avif", "avif", None),
        ("KHR_texture_basisu", "ktx2", None),
    ],
)
def test_images_of_other_formats_are_shown_or_reported(tmp_path, extension, suffix, kind, is_required):
    name = f"wood.{suffix}"
    if kind:
        Image.new("RGBA", (4, 4), "red").save(tmp_path / name, kind)
    else:
        (tmp_path / name).write_bytes(b"\xabKTX 20\xbb\r\n\x1a\n" + bytes(100))
    required = [extension] if is_required else []
    shown = look(write(tmp_path, TEXTURED, name, {"extensions": {extension: {"source": 0}}}, required))
    if kind:
        assert shown.base == {"m": ("TEX_IMAGE", name)} and shown.missing == shown.lost == []
    else:
        assert len(shown.base["m"]) == 3
        assert shown.missing == [f"{name}: it cannot be decoded; convert it to PNG"]


def test_an_image_is_used_in_place_of_one_in_another_format(tmp_path):
    write_png(tmp_path / "wood.png")
    texture = {"source": 0, "extensions": {"KHR_texture_basisu": {"source": 7}}}
    shown = look(write(tmp_path, TEXTURED, "wood.png", texture))
    assert shown.base == {"m": ("TEX_IMAGE", "wood.png")} and shown.missing == shown.lost == []


@pytest.mark.parametrize("is_required", [True, False])
@pytest.mark.parametrize(
    "extension, is_read",
    [
        ("KHR_materials_pbrSpecularGlossiness", True),
        ("KHR_materials_clearcoat", True),
        ("KHR_materials_iridescence", bpy.app.version >= (5, 0, 0)),
        ("KHR_materials_diffuse_transmission", False),
        ("EXT_materials_unheard_of", False),
    ],
)
def test_extensions_that_are_not_read_are_reported_with_the_material(
    tmp_path, extension, is_read, is_required
):
    settings = {"diffuseFactor": [0.9, 0.1, 0.1, 1]} if "Glossiness" in extension else {}
    material = {**RED, "extensions": {extension: settings}}
    shown = look(write(tmp_path, material, required=[extension] if is_required else []))
    assert shown.base == {"m": (0.9, 0.1, 0.1)}
    assert shown.lost == ([] if is_read else [f"material 'm': {extension} is not read"])


@pytest.mark.parametrize("is_required", [True, False])
def test_an_unlit_material_becomes_a_diffuse_one(tmp_path, is_required):
    unlit = "KHR_materials_unlit"
    material = {**RED, "extensions": {unlit: {}}}
    shown = look(write(tmp_path, material, required=[unlit] if is_required else []))
    principled = next(n for n in shown.mesh.materials["m"].node_tree.nodes if n.type == "BSDF_PRINCIPLED")
    assert shown.base == {"m": (0.9, 0.1, 0.1)} and principled.inputs["Metallic"].default_value == 0
    assert shown.notes == ["material m: unlit in the file; the light of the scene falls on it"]


def test_a_texture_without_an_image_is_reported(tmp_path):
    write_png(tmp_path / "wood.png")
    shown = look(write(tmp_path, TEXTURED, "wood.png", {}))
    assert shown.lost == ["material 'm': a texture without an image; the plain colour is shown"]
    assert len(shown.base["m"]) == 3


@pytest.mark.parametrize("file", ["textures/wood.png", "tex/Wood.PNG", "wood.png"])
def test_a_texture_is_found_near_the_file(tmp_path, file):
    write_png(tmp_path / file)
    shown = look(write(tmp_path, TEXTURED, "tex/wood.png"))
    assert shown.base["m"][0] == "TEX_IMAGE" and shown.missing == []
