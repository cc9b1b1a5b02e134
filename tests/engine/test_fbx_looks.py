"""Textures of FBX files: found, embedded, or reported with the property that they are for."""

from __future__ import annotations

import math
import re
import shutil
import struct
import warnings

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from blendgen.engine.blender.importing.coordinates.fbx import _child, _encoded, _translate  # noqa: E402
from blendgen.engine.blender.importing.fbx_looks import textures_of  # noqa: E402
from blendgen.engine.blender.importing.file_frame import _fbx_integer  # noqa: E402
from blendgen.engine.blender.importing.importers import fbx_centimetres_per_unit  # noqa: E402
from blendgen.engine.blender.shading.nodes import add_node, new_material  # noqa: E402
from tests.engine.looks import look, write_png  # noqa: E402

pytestmark = pytest.mark.slow
TEXT = b"""; FBX 7.5.0 project file
Objects:  {
    Texture: 11, "Texture::wood", "" {
        FileName: "C:\\proj\\wood.png"
        RelativeFilename: "tex\\wood.png"
    }
    Texture: 12, "Texture::unused", "" {
        RelativeFilename: "unused.png"
    }
}
Connections:  {
    C: "OP",11,7, "SpecularColor"
    C: "OO",12,9
}
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A folder with the same box, its textures embedded or named by paths of another machine."""
    folder = tmp_path_factory.mktemp("fbx")
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.mesh.primitive_cube_add(size=0.1)
    material, tree, principled = new_material("paint")
    bpy.context.object.data.materials.append(material)
    for name, socket in [("wood", "Base Color"), ("shine", "Specular IOR Level")]:
        write_png(folder / f"author/{name}.png")
        image = bpy.data.images.load(str(folder / f"author/{name}.png"))
        texture = add_node(tree, "ShaderNodeTexImage", image=image)
        tree.links.new(texture.outputs["Color"], principled.inputs[socket])
    export(folder / "embedded.fbx", path_mode="COPY", embed_textures=True)
    export(folder / "named.fbx", path_mode="ABSOLUTE")
    export(folder / "relative.fbx", path_mode="RELATIVE")
    write_far(folder / "relative.fbx", folder / "far.fbx")
    return folder


def write_far(path, copy) -> None:
    """A copy of an FBX file, whose models are far from the origin."""
    from io_scene_fbx import encode_bin, parse_fbx

    root, version = parse_fbx.parse(str(path))
    for model in [one for one in _child(root, b"Objects").elems if one.id == b"Model"]:
        _translate(model, np.array([448262.45, 5411932.7, 112.4]))
    encode_bin.write(str(copy), _encoded(root, encode_bin.FBXElem), version)


def export(path, **options) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Blender's exporter with NumPy 2.5
        bpy.ops.export_scene.fbx(filepath=str(path), **options)


def test_embedded_textures_are_used_and_those_that_blender_does_not_read_are_reported(files):
    shown = look(files / "embedded.fbx")
    assert shown.base == {"paint": ("TEX_IMAGE", "wood.png")} and shown.missing == []
    assert shown.lost == ["texture 'shine.png' is not used: Blender does not read SpecularFactor"]


@pytest.mark.parametrize("name", ["named.fbx", "far.fbx"])
@pytest.mark.parametrize(
    "place", ["a.fbm/wood.png", "../Textures/Wood.PNG", "wood.png", "author/wood.png", None]
)
def test_a_texture_of_another_machine_is_found_near_the_file(files, tmp_path, place, name):
    (tmp_path / "models").mkdir()
    path = tmp_path / "models/a.fbx"
    data = (files / name).read_bytes()
    path.write_bytes(data.replace(b"/author/", b"/absent/"))  # of the same length
    if place:
        target = path.parent / place
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(files / "author/wood.png", target)
    shown = look(path, tmp_path)
    assert shown.missing == ([] if place else ["wood.png"])
    assert (shown.base["paint"][0] == "TEX_IMAGE") == bool(place)


@pytest.mark.parametrize("factor", [1.0, 0.0, -1.0])
def test_a_unit_that_is_not_a_length_is_a_metre_as_in_blender(files, tmp_path, factor):
    data = (files / "named.fbx").read_bytes()
    (start,) = [m.end() for m in re.finditer(rb"\x0f\0\0\0UnitScaleFactor(?:S.{4}[\w ]*?){3}D", data, re.S)]
    (tmp_path / "a.fbx").write_bytes(data[:start] + struct.pack("<d", factor) + data[start + 8 :])
    units = (None, "cm" if factor > 0 else "m")
    own, stated = (
        [vertex.co.x for vertex in look(tmp_path / "a.fbx", unit=unit).mesh.vertices] for unit in units
    )
    np.testing.assert_allclose(own, stated, rtol=1e-5)


@pytest.mark.parametrize("is_stated", [True, False])
def test_the_alpha_of_a_texture_is_used_where_the_file_states_transparency(tmp_path, is_stated):
    """Other programs pack something else into it; Blender's importer takes it as opacity."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.mesh.primitive_cube_add(size=0.1)
    material, tree, principled = new_material("paint")
    bpy.context.object.data.materials.append(material)
    write_png(tmp_path / "wood.png", (200, 30, 30, 0))
    texture = add_node(tree, "ShaderNodeTexImage", image=bpy.data.images.load(str(tmp_path / "wood.png")))
    tree.links.new(texture.outputs["Color"], principled.inputs["Base Color"])
    if is_stated:
        tree.links.new(texture.outputs["Alpha"], principled.inputs["Alpha"])
    export(tmp_path / "box.fbx", path_mode="RELATIVE")
    shown = look(tmp_path / "box.fbx")
    principled = next(n for n in shown.mesh.materials[0].node_tree.nodes if n.type == "BSDF_PRINCIPLED")
    assert principled.inputs["Alpha"].is_linked == is_stated
    note = "material 'paint': the alpha of its texture is not used; the file states no transparency"
    assert shown.notes == ([] if is_stated else [note])
    assert shown.image("paint").alpha_mode == ("STRAIGHT" if is_stated else "CHANNEL_PACKED")


def test_textures_of_a_text_file_are_read_with_their_use():
    assert textures_of(TEXT) == [("tex\\wood.png", "SpecularColor")]


@pytest.mark.parametrize(
    ("stated", "centimetres"),
    [
        ('"double", "Number", "",2.54', 2.54),
        ('"double", "",1e1 ', 10.0),
        ('"double", "Number", "",2,54', 2.0),
        ('"double", "Number", "", .5 ; or so', 0.5),
        ('"double", "Number", "","2.54"', 100.0),
        ('"double", "Number", "",-1', 100.0),
        ('"double", "Number", "",1e999', 100.0),
    ],
)
def test_the_unit_of_a_text_file_is_read_as_blender_reads_it(stated, centimetres):
    text = f'\t\tP: "OriginalUnitScaleFactor", "double", "Number", "",7\n\t\tP: "UnitScaleFactor", {stated}\n'
    assert fbx_centimetres_per_unit(text.encode()) == centimetres


@pytest.mark.parametrize(
    ("stated", "centimetres"), [(2.54, 2.54), (math.inf, 100.0), (-math.inf, 100.0), (math.nan, 100.0)]
)
def test_the_unit_of_a_binary_file_is_a_metre_if_it_is_not_a_finite_length(stated, centimetres):
    texts = b"".join(b"S" + struct.pack("<I", len(text)) + text for text in (b"double", b"Number", b""))
    data = b"S\x0f\0\0\0UnitScaleFactor" + texts + b"D" + struct.pack("<d", stated)
    assert fbx_centimetres_per_unit(data) == centimetres


@pytest.mark.parametrize("end", ["", "; a comment", ",3"])
def test_the_axes_of_a_text_file_are_those_before_comments(end):
    assert _fbx_integer(f'P: "UpAxis", "int", "Integer", "",2{end}\n'.encode(), "UpAxis", 0) == 2
