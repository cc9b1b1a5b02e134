"""Coordinates of model files: far from the origin, not finite, in other encodings; without Blender."""

from __future__ import annotations

import json
import re
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest

from blendgen.engine.blender.importing.coordinates.fbx_numbers import read_numbers
from blendgen.engine.blender.importing.coordinates.mirror import Mirror
from blendgen.engine.blender.importing.coordinates.origin import NOT_FINITE, coordinate_fault
from blendgen.engine.blender.importing.coordinates.ply import PlyVertices
from blendgen.engine.blender.importing.coordinates.prepare import prepare
from blendgen.engine.blender.importing.coordinates.text import whole_lines
from blendgen.engine.blender.importing.preflight import ImportRefused
from blendgen.models.companions import Companions, gltf_json
from tests.engine.model_files import obj
from tests.engine.wedge_files import (
    CORNERS,
    FACES,
    INF,
    NAN,
    NEAR,
    NEAR_GLTF,
    UTM_GLTF,
    ascii_stl,
    binary_stl,
    gltf,
    off,
    ply,
    three_mf,
)


def near_text(suffix: str) -> str:
    if suffix == "ply":
        return ply("ascii", "float", NEAR).decode()
    return obj(NEAR.tolist(), FACES) if suffix == "obj" else ascii_stl(NEAR)


UNUSABLE = r"not finite numbers|overflow in single precision"


def prepared(path: Path, data: bytes, tmp_path: Path):
    path.write_bytes(data)
    (tmp_path / "mirror").mkdir(exist_ok=True)
    return prepare(Companions(path), Mirror(tmp_path / "mirror"))


@pytest.mark.parametrize(
    "name, data",
    [
        ("wedge.obj", obj((NEAR + 3).tolist(), FACES).encode()),
        ("wedge.stl", ascii_stl(NEAR).encode()),
        ("wedge.stl", binary_stl(NEAR + 3)),
        ("wedge.ply", ply("ascii", "float", NEAR)),
        ("wedge.gltf", json.dumps(gltf([{"mesh": 0, "translation": [3, 4, 5]}])).encode()),
        ("wedge.ply", ply("binary_big_endian", "float", NEAR)),
    ],
)
def test_an_ordinary_file_is_read_as_it_is(tmp_path, name, data):
    model = prepared(tmp_path / name, data, tmp_path)
    assert model.file == tmp_path / name and not model.shift.any()


@pytest.mark.parametrize(
    "name, data",
    [
        ("wedge.stl", binary_stl()),
        ("wedge.ply", ply("binary_little_endian", "float")),
        ("wedge.ply", ply("binary_big_endian", "float")),
    ],
)
def test_single_precision_that_has_lost_the_shape_is_refused(tmp_path, name, data):
    with pytest.raises(ImportRefused, match=r"5,411,93\d units from its origin.* has steps of 0.5 units"):
        prepared(tmp_path / name, data, tmp_path)


def test_vertices_of_a_gltf_file_that_have_lost_their_shape_are_refused(tmp_path):
    content = gltf([{"mesh": 0}], [(NEAR_GLTF + UTM_GLTF, FACES)])
    with pytest.raises(ImportRefused, match=r"5,411,933 m from its origin.* has steps of 0.5 m;"):
        prepared(tmp_path / "a.gltf", json.dumps(content).encode(), tmp_path)


@pytest.mark.parametrize("number", ["NaN", "-Infinity", "1e999", "1e38"])
def test_a_gltf_transform_that_is_not_finite_is_refused(tmp_path, number):
    text = json.dumps(gltf([{"children": [1], "scale": [1, 12345, 1]}, {"mesh": 0}])).replace("12345", number)
    with pytest.raises(ImportRefused, match=f"its nodes have coordinates.*({UNUSABLE}|large)"):
        prepared(tmp_path / "a.gltf", text.encode(), tmp_path)


@pytest.mark.parametrize("number", [NAN, INF, 1e38])
@pytest.mark.parametrize("with_bounds", [True, False])
def test_a_gltf_vertex_that_is_not_finite_is_refused(tmp_path, number, with_bounds):
    content = gltf([{"mesh": 0}], [([*NEAR[:3], (number, 0, 0)], FACES)], with_bounds)
    with pytest.raises(ImportRefused, match=UNUSABLE):
        prepared(tmp_path / "a.gltf", json.dumps(content).encode(), tmp_path)


def test_compressed_views_of_an_animated_file_follow_their_buffer(tmp_path):
    """As gltfpack writes them, with a buffer that only readers without the extension would need."""
    name = "EXT_meshopt_compression"
    content = gltf([{"mesh": 0}], animations=[{"channels": [], "samplers": []}])
    content["buffers"].append({"byteLength": 99, "extensions": {name: {"fallback": True}}})
    view = content["bufferViews"][0]
    view |= {"buffer": 1, "extensions": {name: {"buffer": 0, "byteOffset": 0, "byteLength": 48}}}
    model = prepared(tmp_path / "a.gltf", json.dumps(content).encode(), tmp_path)
    copy = gltf_json(model.file)
    assert "animations" not in copy and len(copy["buffers"]) == 1
    assert copy["bufferViews"][0]["extensions"][name]["buffer"] == 0
    assert model.notes == ("it is animated: taken at rest",)


def test_faces_before_vertices_and_whole_numbers_are_moved_too(tmp_path):
    corners = (100 * NEAR + [4482624, 54119327, 1124]).round()
    path = tmp_path / "a.ply"
    path.write_bytes(ply("binary_little_endian", "int", corners.astype(int), faces_first=True))
    vertices = PlyVertices(path)
    np.testing.assert_array_equal(vertices.points, corners)
    path.write_bytes(vertices.moved(corners[0]))
    np.testing.assert_array_equal(PlyVertices(path).points, corners - corners[0])


@pytest.mark.parametrize("form", ["ascii", "binary_little_endian", "binary_big_endian"])
def test_moved_whole_numbers_may_be_negative(tmp_path, form):
    """An unsigned type would wrap them."""
    corners = (100 * NEAR + [4482624, 54119327, 1124]).round().astype(int)
    data = ply(form, "int", corners).replace(b"property int", b"property uint")
    model = prepared(tmp_path / "a.ply", data, tmp_path)
    copy = PlyVertices(model.file)
    np.testing.assert_array_equal(copy.points + model.shift, corners)
    assert copy.points.min() < 0 and (form == "ascii" or b"property uint" not in model.file.read_bytes())


def test_coordinates_whose_distances_overflow_are_refused():
    assert coordinate_fault(np.array([5e18, -5e18])) is None
    distance = np.float32(2 * 5e18)
    assert np.isfinite(3 * distance * distance)
    assert "overflow in single precision" in coordinate_fault(np.array([0, -6e18]))


def test_words_behind_the_values_of_a_row_do_not_count(tmp_path):
    data = ply("ascii").replace(b"3 0 2 1\n", b"3 0 2 1 255 255 255\n")
    assert prepared(tmp_path / "a.ply", data, tmp_path).shift.any()


DAMAGED = {
    "a.ply": (ply("ascii").replace(b"7 448262.45 ", b"7 "), "vertex .* is incomplete; export it again"),
    "b.ply": (
        ply("ascii").replace(b"vertex 4", b"vertex four"),
        "its header is damaged: .*'vertex' is 'four'",
    ),
    "c.ply": (ply("ascii").replace(b"vertex 4", b"vertex -4"), "its header is damaged: .*'vertex' is '-4'"),
    "d.ply": (ply("ascii").replace(b"double y", b"real y"), "its header has a property of .* type 'real'"),
    "e.ply": (
        ply("binary_little_endian", faces_first=True).replace(b"\n\x03\0", b"\n\xff\0"),
        "truncated: it ends before its last vertex; export it again",
    ),
    **{
        f"{i} {form}.ply": (ply(form, faces=[*faces, FACES[0]]), f"its faces are damaged{reason}; export it")
        for form in ("ascii", "binary_little_endian", "binary_big_endian")
        for i, (faces, reason) in enumerate(
            [
                ([(0, 1, 4)], ": one has vertex 4 of 4"),
                ([(0, 1, -1)], ": one has vertex -1 of 4"),
                ([(0, 1, 2, 4)], ": one has vertex 4 of 4"),
                ([(), (0, 1, 2, 3, 1, 2)], ": one has no corners"),
            ]
        )
    },
    "row.ply": (ply("ascii").replace(b"3 0 2 1", b"3 0 2"), "its faces are damaged, or fewer than it decl"),
    "length.ply": (
        ply("ascii").replace(b"3 0 2 1", b"3.5 0 2 1"),
        "its faces are damaged, or fewer than it d",
    ),
    "cut.ply": (ply("binary_big_endian", faces=[(0, 1, 2, 3)] * 2)[:-1], "its faces are damaged, or fewer"),
    "f.off": (off().replace(b"4 4 0", b"4 x 0"), "its numbers of vertices and faces are damaged: 4 x"),
    "g.off": (off().replace(b"4 4 0", b"4 -4 0"), "its numbers of vertices and faces are damaged: 4 -4"),
    "h.off": (off(NEAR).replace(b"0.07", b"0.0x7"), "vertex 4 is '0.0x7 0.05 0.1', which is not three num"),
    "i.off": (off().replace(b"3 0 2 1", b"3 0 2 x"), "its faces are damaged: 3 0 2 x"),
    "j.off": (off().replace(b"3 0 2 1", b"x 0 2 1"), "its faces are damaged: x 0 2 1"),
    "k.off": (off().replace(b"OFF", b"COFF"), "its colours are damaged"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_file_is_refused_in_words_for_users(tmp_path, name):
    """Those of Python and NumPy say nothing to them."""
    data, message = DAMAGED[name]
    with pytest.raises(ImportRefused, match=f"^{message}"):
        prepared(tmp_path / name, data, tmp_path)


def test_an_error_of_numpy_is_not_the_message(tmp_path, monkeypatch):
    def fail(*_):
        raise ValueError("operands could not be broadcast together")

    monkeypatch.setattr("blendgen.engine.blender.importing.coordinates.prepare.read_vertices", fail)
    with pytest.raises(
        ImportRefused, match=r"^its numbers are damaged, or fewer than it declares; export it"
    ):
        prepared(tmp_path / "a.obj", obj().encode(), tmp_path)


BROKEN = (
    *("nan", "-nan", "NaN", "inf", "-Inf", "infinity", "1.#QNAN", "-1.#IND", "1.#INF00", "-nan(ind)"),
    *("1e999", "1e38"),
)


@pytest.mark.parametrize("number", BROKEN)
@pytest.mark.parametrize("suffix", ["obj", "stl", "ply"])
def test_a_coordinate_that_is_not_a_finite_number_is_refused(tmp_path, suffix, number):
    data = {
        "obj": obj(NEAR.tolist(), FACES),
        "stl": ascii_stl(NEAR),
        "ply": ply("ascii", "float", NEAR).decode(),
    }
    text = data[suffix].replace("0.07", number, 1)
    with pytest.raises(ImportRefused, match=UNUSABLE):
        prepared(tmp_path / f"a.{suffix}", text.encode(), tmp_path)


@pytest.mark.parametrize("number", [NAN, INF, -INF, 1e38])
@pytest.mark.parametrize("form", ["stl", "binary_little_endian", "binary_big_endian"])
def test_binary_coordinates_that_are_not_finite_are_refused(tmp_path, form, number):
    corners = [*NEAR[:3], (number, 0, 0)]
    name, data = ("a.stl", binary_stl(corners)) if form == "stl" else ("a.ply", ply(form, "float", corners))
    with pytest.raises(ImportRefused, match=UNUSABLE):
        prepared(tmp_path / name, data, tmp_path)


def test_decimal_commas_are_refused_with_the_vertex(tmp_path):
    text = obj(NEAR.tolist(), FACES).replace("0.3 0.0 0.0", "0,3 0,0 0,0")
    with pytest.raises(ImportRefused, match="vertex 2 is '0,3 0,0 0,0', with decimal commas"):
        prepared(tmp_path / "a.obj", text.encode(), tmp_path)


@pytest.mark.parametrize(
    "line", ["# nan", "o nano", "g info", "usemtl inf", "v 1 2 3 # nan", "# v nan 0 0", "vp nan"]
)
def test_names_and_comments_are_not_coordinates(tmp_path, line):
    prepared(tmp_path / "a.obj", f"{line}\n{obj(NEAR.tolist(), FACES)}".encode(), tmp_path)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be", "utf-32", "mac"])
@pytest.mark.parametrize("suffix", ["obj", "stl", "ply"])
def test_text_of_any_encoding_is_read(tmp_path, suffix, encoding):
    text = near_text(suffix).replace("\n", "\r" if encoding == "mac" else "\r\n")
    mark = "\ufeff" if encoding == "utf-16-be" else ""
    data = (mark + text).encode("ascii" if encoding == "mac" else encoding)
    expected = text.replace("\r", "\n") if encoding == "mac" else text
    assert prepared(tmp_path / f"a.{suffix}", data, tmp_path).file.read_bytes() == expected.encode()


def test_damaged_text_is_refused(tmp_path):
    with pytest.raises(ImportRefused, match="its utf-16-le text is damaged; save it as UTF-8"):
        prepared(tmp_path / "a.obj", obj().encode("utf-16")[:-1], tmp_path)


def test_blocks_end_where_lines_end(tmp_path, monkeypatch):
    monkeypatch.setattr("blendgen.engine.blender.importing.coordinates.text._BLOCK_BYTES", 7)
    (tmp_path / "a").write_bytes(b"v 1 2 3\nv 4 \\\n 5 6\nv 7 8 \\\r\n9\nend")
    blocks = list(whole_lines(tmp_path / "a"))
    assert b"".join(blocks) == (tmp_path / "a").read_bytes()
    assert len(blocks) > 2 and not any(block.rstrip(b"\r\n").endswith(b"\\") for block in blocks)


def test_libraries_and_textures_next_to_a_copied_file_are_read(tmp_path):
    folder = tmp_path / "models"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "a.mtl").write_bytes(b"\xef\xbb\xbfnewmtl a\nmap_Kd wood.png\n")
    (folder / "sub" / "wood.png").write_bytes(b"wood")
    model = prepared(
        folder / "a.obj", b"mtllib sub/a.mtl\n" + obj(CORNERS.tolist(), FACES).encode(), tmp_path
    )
    library = model.file.parent / "sub" / "a.mtl"
    assert model.file != folder / "a.obj" and library.read_bytes() == b"newmtl a\nmap_Kd wood.png\n"
    assert (library.parent / "wood.png").read_bytes() == b"wood"


def test_libraries_in_other_folders_of_the_models_directory_are_read(tmp_path):
    for name in ("models/cups", "models/shared", "secret"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "a.mtl").write_text("newmtl a\n")
    model = tmp_path / "models" / "cups" / "a.obj"
    model.write_text("mtllib ../shared/a.mtl\n" + obj(CORNERS.tolist(), FACES))
    (tmp_path / "mirror").mkdir()
    copy = prepare(Companions(model, tmp_path / "models"), Mirror(tmp_path / "mirror")).file
    assert copy != model and (copy.parent / "../shared/a.mtl").read_text() == "newmtl a\n"
    assert not (copy.parent / "../../secret").exists()


def binary_fbx(vertices, place=(0.0, 0.0, 0.0), is_compressed: bool = True, order: str = "<") -> bytes:
    """The parts of a binary FBX file that are looked at."""
    data = np.asarray(vertices, dtype=f"{order}f8").tobytes()
    stored = zlib.compress(data) if is_compressed else data
    array = b"\x08Verticesd" + struct.pack(f"{order}III", len(data) // 8, is_compressed, len(stored)) + stored
    name = b"S" + struct.pack(f"{order}I", 15) + b"Lcl Translation"
    values = b"".join(b"D" + struct.pack(f"{order}d", value) for value in place)
    return (
        b"Kaydara FBX Binary  \0\x1a"
        + (b"\0" if order == "<" else b"\1")
        + array
        + b"\x01P"
        + 2 * name
        + b"S\0\0\0\0S\x01\0\0\0A"
        + values
    )


@pytest.mark.parametrize("number", [NAN, INF, 1e38])
@pytest.mark.parametrize("is_compressed", [True, False])
@pytest.mark.parametrize("order", ["<", ">"])
def test_vertices_and_transforms_of_a_binary_fbx_file_have_to_be_finite(number, is_compressed, order):
    written = is_compressed, order
    assert read_numbers(binary_fbx([], (1, 2, 3), *written)).fault is None  # a mesh without vertices
    assert read_numbers(binary_fbx(NEAR, (1, 2, 3), *written)).fault is None
    point = binary_fbx([*NEAR[:3], (0, number, 0)], (1, 2, 3), *written)
    place = binary_fbx(NEAR, (1, number, 3), *written)
    assert all(re.search(UNUSABLE, read_numbers(data).fault) for data in (point, place))


FBX_TEXT = """; FBX 7.4.0 project file
Model: 1, "Model::nano", "Mesh" {
    Properties70:  {
        P: "Lcl Translation", "Lcl Translation", "", "A",0,PLACE,0
        P: "Note", "KString", "", "", "nan"
    }
    Vertices: *12 {
        a: 0,0,0,0.3,0,0,0,0.2,0,POINT,0.05,0.1
    }
}
"""


@pytest.mark.parametrize("number", ["nan", "-inf", "1.#QNAN", "-1.#IND", "-nan(ind)"])
def test_vertices_and_transforms_of_an_fbx_file_in_text_have_to_be_finite(number):
    for point, place in ((number, "0"), ("0", number)):
        assert (
            read_numbers(FBX_TEXT.replace("POINT", point).replace("PLACE", place).encode()).fault
            == NOT_FINITE
        )
    assert read_numbers(FBX_TEXT.replace("POINT", "0").replace("PLACE", "-1.5e3").encode()).fault is None


@pytest.mark.parametrize("number", [NAN, INF, 1e38])
@pytest.mark.parametrize("name, write", [("a.3mf", three_mf), ("a.off", off)])
def test_coordinates_of_converted_files_have_to_be_finite(tmp_path, name, write, number):
    with pytest.raises(ImportRefused, match=UNUSABLE):
        prepared(tmp_path / name, write(np.array([*NEAR[:3], (0, number, 0)])), tmp_path)
