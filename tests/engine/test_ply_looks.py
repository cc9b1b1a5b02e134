"""Textures and colours of PLY files, as data sets and programs write them, and colours of STL files."""

from __future__ import annotations

import struct

import numpy as np
import pytest

pytest.importorskip("bpy")

from blendgen.engine.blender.importing.preflight import ImportRefused
from blendgen.geometry.color import srgb_to_linear
from tests.engine.looks import look, write_png
from tests.engine.model_files import CORNERS, QUADS, TRIANGLES, binary_stl

pytestmark = pytest.mark.slow  # thirty imports
UV = [(0.25 * i, 1 - 0.1 * i) for i in range(8)]
BYTES = [(30 * i, 255 - 30 * i, i % 2) for i in range(8)]
FORMATS = {"ascii": "", "binary_little_endian": "<", "binary_big_endian": ">"}
CODES = {"float": "f", "double": "d", "uchar": "B", "ushort": "H", "int": "i"}


def write_ply(path, vertex=(), face=(), comments=(), faces=TRIANGLES, form="ascii"):
    """A box; vertex and face: (kind, names, rows) of more properties, of faces with "list" as names too."""
    header = [f"format {form} 1.0", *comments, "element vertex 8"]
    header += [f"property float {axis}" for axis in "xyz"]
    header += [f"property {kind} {name}" for kind, names, _ in vertex for name in names]
    header += [f"element face {len(faces)}", "property list uchar int vertex_indices"]
    for kind, names, _ in face:
        header += [
            f"property {'list uchar ' if names == ['texcoord'] else ''}{kind} {name}" for name in names
        ]
    rows = [[("float", corner), *((kind, values[i]) for kind, _, values in vertex)]
            for i, corner in enumerate(CORNERS)]  # fmt: skip
    for i, corners in enumerate(faces):
        rows.append([("uchar", [len(corners)]), ("int", corners)])
        for kind, names, values in face:
            rows[-1] += [("uchar", [len(values[i])])] if names == ["texcoord"] else []
            rows[-1].append((kind, values[i]))
    body = b"".join(packed(row, FORMATS[form]) for row in rows)
    path.write_bytes("\n".join(["ply", *header, "end_header", ""]).encode() + body)
    return path


def packed(row, order: str) -> bytes:
    if not order:
        return (" ".join(str(value) for _, values in row for value in values) + "\n").encode()
    return b"".join(struct.pack(f"{order}{len(values)}{CODES[kind]}", *values) for kind, values in row)


def uvs(shown) -> np.ndarray:
    values = np.empty(len(shown.mesh.loops) * 2, np.float32)
    shown.mesh.uv_layers[0].data.foreach_get("uv", values)
    return values.reshape(-1, 2)


@pytest.mark.parametrize(
    "names", ["s t", "u v", "texture_u texture_v", "texture_s texture_t", "texcoord_u texcoord_v"]
)
@pytest.mark.parametrize("comment", ["comment TextureFile wood.png", "obj_info texturefile: Wood.PNG", None])
def test_a_texture_is_shown_by_coordinates_of_vertices(tmp_path, names, comment):
    write_png(tmp_path / ("wood.png" if comment else "box.png"))
    comments = [comment] if comment else []
    shown = look(write_ply(tmp_path / "box.ply", [("float", names.split(), UV)], comments=comments))
    (base,) = shown.base.values()
    assert base == ("TEX_IMAGE", "wood.png" if comment else "box.png") and shown.missing == shown.lost == []
    expected = [UV[vertex] for triangle in TRIANGLES for vertex in triangle]
    np.testing.assert_allclose(uvs(shown), expected, atol=1e-6)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("faces", [QUADS, [*QUADS[:5], *TRIANGLES[10:]]], ids=["quads", "mixed"])
def test_textures_are_shown_by_coordinates_of_faces(tmp_path, form, faces):
    for name in "ab":
        write_png(tmp_path / f"{name}.png")
    corners = [[0.125 * (i + k) for k in range(2 * len(face))] for i, face in enumerate(faces)]
    numbers = [[i % 2] for i in range(len(faces))]
    face = [("float", ["texcoord"], corners), ("int", ["texnumber"], numbers)]
    comments = ["comment TextureFile a.png", "comment TextureFile b.png"]
    shown = look(write_ply(tmp_path / "box.ply", face=face, comments=comments, faces=faces, form=form))
    assert shown.base == {"a": ("TEX_IMAGE", "a.png"), "b": ("TEX_IMAGE", "b.png")}
    np.testing.assert_allclose(uvs(shown).ravel(), np.concatenate(corners))
    assert [polygon.material_index for polygon in shown.mesh.polygons] == [number for (number,) in numbers]


@pytest.mark.parametrize("names", ["red green blue", "diffuse_red diffuse_green diffuse_blue", "r g b"])
@pytest.mark.parametrize("kind, largest", [("uchar", 255), ("ushort", 65_535), ("float", 1)])
def test_colors_of_vertices_are_shown(tmp_path, names, kind, largest):
    rows = [
        [value * largest / 255 if largest == 1 else value * largest // 255 for value in row] for row in BYTES
    ]
    shown = look(write_ply(tmp_path / "box.ply", [(kind, names.split(), rows)]))
    assert [base[0] for base in shown.base.values()] == ["VERTEX_COLOR"]
    np.testing.assert_allclose(shown.colors(), srgb_to_linear(np.array(BYTES) / 255), atol=1e-5)


@pytest.mark.parametrize("kind", ["float", "double", "short", "ushort", "int", "uchar"])
def test_colors_of_vertices_may_have_values_of_bytes_in_any_type(tmp_path, kind):
    rows = [(0, 128, 255)] * 8
    shown = look(write_ply(tmp_path / "box.ply", [(kind, ["red", "green", "blue"], rows)]))
    np.testing.assert_allclose(shown.colors(), srgb_to_linear(np.array(rows) / 255), atol=1e-4)


@pytest.mark.parametrize("form", FORMATS)
def test_colors_of_faces_are_shown(tmp_path, form):
    rows = (BYTES * 2)[: len(TRIANGLES)]
    shown = look(write_ply(tmp_path / "box.ply", face=[("uchar", ["red", "green", "blue"], rows)], form=form))
    assert shown.base == {"default": ("VERTEX_COLOR", "Col")}
    expected = np.repeat(srgb_to_linear(np.array(rows) / 255), 3, axis=0)
    np.testing.assert_allclose(shown.colors(), expected, atol=1e-5)


def test_what_a_ply_file_loses_is_reported(tmp_path):
    texture = ["comment TextureFile wood.png"]
    assert look(write_ply(tmp_path / "box.ply", comments=texture)).lost == [
        "texture wood.png: the file has no texture coordinates"
    ]
    vertex = [("float", ["u", "v"], UV)]
    shown = look(write_ply(tmp_path / "box.ply", vertex, comments=texture))
    assert shown.missing == ["wood.png"] and shown.base == {"wood": (0.6, 0.6, 0.6)}
    write_png(tmp_path / "wood.png")
    both = [*texture, "comment TextureFile b.png"]
    assert look(write_ply(tmp_path / "box.ply", vertex, comments=both)).lost == [
        "texture b.png: no face has a texnumber"
    ]
    short = [("float", ["texcoord"], [[0.5]] * len(TRIANGLES))]
    assert look(write_ply(tmp_path / "box.ply", vertex, short, texture)).lost == [
        "texcoord of its faces: not two numbers for each corner"
    ]


def test_a_face_that_blender_does_not_read_is_reported(tmp_path):
    """One with two corners is left out, so that the others do not fit their colours."""
    colors = [("uchar", ["red", "green", "blue"], BYTES * 2)]
    faces = [*TRIANGLES[:11], TRIANGLES[11][:2]]
    shown = look(write_ply(tmp_path / "box.ply", face=colors, faces=faces))
    assert shown.lost == ["blue, green, red of its faces: the faces are damaged"]
    path = write_ply(tmp_path / "box.ply", faces=[[*range(8)] * 36])
    path.write_bytes(path.read_bytes().replace(b"list uchar", b"list ushort"))
    with pytest.raises(ImportRefused, match="a face has 288 corners, and at most 255 can be read from PLY"):
        look(path)
    with pytest.raises(ImportRefused, match="its faces are damaged: one has no corners; export it again"):
        look(write_ply(tmp_path / "box.ply", faces=[[], *TRIANGLES]))


def stl(header: bytes, attributes: list[int]) -> bytes:
    data = bytearray(binary_stl())
    data[: len(header)] = header
    for number, attribute in enumerate(attributes):
        struct.pack_into("<H", data, 84 + 50 * number + 48, attribute)
    return bytes(data)


RED, GREEN, BLUE = (1, 0, 0), (0, 1, 0), (0, 0, 1)


@pytest.mark.parametrize(
    "header, attributes, colors",
    [
        (b"", [0x8000 | 31 << 10, 0x8000 | 31 << 5, 0x8000 | 31], [RED, GREEN, BLUE]),
        (b"COLOR=\xff\x00\x00\xff", [0x8000, 31 << 5, 31 << 10], [RED, GREEN, BLUE]),
    ],
    ids=["VisCAM", "Magics"],
)
def test_colors_of_facets_are_shown(tmp_path, header, attributes, colors):
    (tmp_path / "box.stl").write_bytes(stl(header, attributes * 4))
    shown = look(tmp_path / "box.stl")
    assert shown.base == {"default": ("VERTEX_COLOR", "Col")}
    np.testing.assert_allclose(shown.colors(), np.repeat(colors * 4, 3, axis=0), atol=1e-6)
    (tmp_path / "box.stl").write_bytes(stl(b"", [7] * 12))  # some other attribute
    assert look(tmp_path / "box.stl").base == {"default": (0.6, 0.6, 0.6)}


def test_colors_of_facets_are_reported_where_blender_drops_facets(tmp_path):
    data = bytearray(stl(b"", [0x8000 | 31] * 12))
    data[84 + 24 : 84 + 36] = data[84 + 12 : 84 + 24]  # two corners in one place
    (tmp_path / "box.stl").write_bytes(data)
    assert look(tmp_path / "box.stl").lost == ["the colours of its facets: some have no area; remove these"]
