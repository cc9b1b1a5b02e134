"""Coordinates of model files: far from the origin, not finite, and in text of other encodings.

Small files of one wedge are measured by one child, once for the module; tests then look at the outcomes.
"""

from __future__ import annotations

import base64
import json
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from blendgen.engine.blender.importing.coordinates.mirror import Mirror
from blendgen.engine.blender.importing.coordinates.ply import PlyVertices
from blendgen.engine.blender.importing.coordinates.prepare import prepare
from blendgen.engine.blender.importing.coordinates.text import whole_lines
from blendgen.engine.blender.importing.measurer import BlenderMeasurer
from blendgen.engine.blender.importing.preflight import ImportRefused
from blendgen.models.companions import Companions
from blendgen.models.measuring.entry import Measured, read_entry
from blendgen.models.scan import scan_directory
from tests.engine.model_files import obj

# easting, northing, height: single precision has steps of half a metre there
UTM = np.array([448262.45, 5411932.7, 112.4])
# not symmetric under rotations or reflections
NEAR = np.array([(0, 0, 0), (0.3, 0, 0), (0, 0.2, 0), (0.07, 0.05, 0.1)])
CORNERS = NEAR + UTM
FACES = [(0, 2, 1), (0, 1, 3), (0, 3, 2), (1, 2, 3)]
NAN, INF = float("nan"), float("inf")


def ascii_stl(corners=CORNERS) -> str:
    facets = [
        "facet normal 0 0 0\n outer loop\n"
        + "".join(f"  vertex {x!r} {y!r} {z!r}\n" for x, y, z in np.asarray(corners)[list(face)].tolist())
        + " endloop\nendfacet\n"
        for face in FACES
    ]
    return f"solid wedge\n{''.join(facets)}endsolid wedge\n"


def binary_stl(corners=CORNERS) -> bytes:
    facets = [struct.pack("<12fH", 0, 0, 0, *np.asarray(corners)[list(f)].ravel(), 0) for f in FACES]
    return bytes(80) + struct.pack("<I", len(facets)) + b"".join(facets)


def ply(form: str, kind: str = "double", corners=CORNERS, faces_first: bool = False) -> bytes:
    """A PLY file with a property before the coordinates, and one after them."""
    vertex = f"element vertex {len(corners)}\nproperty uchar red\n" + "".join(
        f"property {kind} {axis}\n" for axis in "xyz"
    )
    face = f"element face {len(FACES)}\nproperty list uchar int vertex_indices\n"
    elements = face + vertex if faces_first else vertex + face
    header = f"ply\nformat {form} 1.0\ncomment x nan\n{elements}end_header\n".encode()
    order = ">" if "big" in form else "<"
    code = {"double": "d", "float": "f", "int": "i"}[kind]
    if form == "ascii":
        rows = [f"7 {x!r} {y!r} {z!r}\n".encode() for x, y, z in np.asarray(corners).tolist()]
        ends = [f"3 {a} {b} {c}\n".encode() for a, b, c in FACES]
    else:
        rows = [struct.pack(f"{order}B3{code}", 7, *corner) for corner in np.asarray(corners).tolist()]
        ends = [struct.pack(f"{order}B3i", 3, *face) for face in FACES]
    return header + b"".join([*ends, *rows] if faces_first else [*rows, *ends])


# Z up is Y up in glTF: x, z, -y
Y_UP = np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]])
NEAR_GLTF, UTM_GLTF = NEAR @ Y_UP.T, UTM @ Y_UP.T


def gltf(nodes: list[dict], meshes=((NEAR_GLTF, FACES),), with_bounds: bool = True, **more) -> dict:
    """A glTF document with its data inside; the first node is the root."""
    data, views, accessors, made = b"", [], [], []
    for points, faces in meshes:
        points = np.asarray(points, dtype="<f4")
        for array, kind, component in ((points, "VEC3", 5126), (np.array(faces, "<u4"), "SCALAR", 5125)):
            views.append({"buffer": 0, "byteOffset": len(data), "byteLength": array.nbytes})
            count = len(array) if kind == "VEC3" else array.size
            accessor = {
                "bufferView": len(accessors),
                "componentType": component,
                "count": count,
                "type": kind,
            }
            bounds = {"min": array.min(axis=0).tolist(), "max": array.max(axis=0).tolist()}
            accessors.append(accessor | (bounds if kind == "VEC3" and with_bounds else {}))
            data += array.tobytes()
        attributes = {"POSITION": len(accessors) - 2}
        made.append({"primitives": [{"attributes": attributes, "indices": len(accessors) - 1}]})
    uri = "data:application/octet-stream;base64," + base64.b64encode(data).decode()
    content = {"asset": {"version": "2.0"}, "scenes": [{"nodes": [0]}], "scene": 0, "nodes": nodes}
    content |= {"meshes": made, "buffers": [{"byteLength": len(data), "uri": uri}]}
    return content | {"bufferViews": views, "accessors": accessors} | more


def deep_nodes() -> list[dict]:
    """A group at the origin, one that is turned, one far away, and each half of the wedge in its own node."""
    far = np.eye(4)
    far[:3, 3] = np.array([UTM_GLTF[1], -UTM_GLTF[0], UTM_GLTF[2]]) / 2  # turned back by 90 degrees, halved
    return [
        {"children": [1]},
        {"children": [2], "rotation": [0, 0, np.sqrt(0.5), np.sqrt(0.5)], "scale": [2, 2, 2]},
        {"children": [3, 4], "matrix": far.T.ravel().tolist()},
        {"mesh": 0, "rotation": [0, 0, -np.sqrt(0.5), np.sqrt(0.5)], "scale": [0.5, 0.5, 0.5]},
        {"mesh": 1, "rotation": [0, 0, -np.sqrt(0.5), np.sqrt(0.5)], "scale": [0.5, 0.5, 0.5],
         "translation": [0, -0.05, 0]},
    ]  # fmt: skip


HALVES = ((NEAR_GLTF, FACES[:2]), (NEAR_GLTF - [0.1, 0, 0], FACES[2:]))
PLACE = {"translation": UTM_GLTF.tolist()}
CENTER = {"extensions": {"CESIUM_RTC": {"center": [1, 2, 3]}}, "extensionsRequired": ["CESIUM_RTC"]}
GLTF = {
    "root.gltf": gltf([PLACE | {"children": [1]}, {"mesh": 0}]),
    "without bounds.gltf": gltf([{"mesh": 0} | PLACE], with_bounds=False),
    "deep.gltf": gltf(deep_nodes(), HALVES),
    "center.gltf": gltf([{"mesh": 0} | PLACE], extensionsUsed=["CESIUM_RTC"], **CENTER),
}
FAR = {
    **{name: json.dumps(content).encode("utf-16") for name, content in GLTF.items()},
    "plain.obj": obj(CORNERS.tolist(), FACES).encode(),
    "ecef.obj": obj((NEAR + [4.2e6, 1.7e5, 4.78e6]).tolist(), FACES).encode(),
    "a stray point.obj": obj([*CORNERS.tolist(), (0, 0, 0)], FACES).encode(),
    "tabs.obj": obj(CORNERS.tolist(), FACES).replace("v ", " v\t").replace("\n", "  # nan\r\n").encode(),
    "continued.obj": obj(CORNERS.tolist(), FACES).replace(" 5411", " \\\n 5411").encode(),
    "text.stl": ascii_stl().encode(),
    "capitals.stl": ascii_stl().upper().encode(),
    "text.ply": ply("ascii"),
    "little.ply": ply("binary_little_endian"),
    "big.ply": ply("binary_big_endian"),
}


@pytest.fixture(scope="module")
def far(tmp_path_factory) -> dict[str, Measured]:
    pytest.importorskip("bpy")
    folder = tmp_path_factory.mktemp("far")
    for name, data in FAR.items():
        (folder / name).write_bytes(data)
    sources = scan_directory(folder, "", None, "z")
    sources = [
        replace(s, options=s.options | {"points": OWN.get(s.display, CORNERS).tolist()}) for s in sources
    ]
    jobs = [(source, tmp_path_factory.mktemp("entry")) for source in sources]
    assert list(BlenderMeasurer(timeout_s=60).measure(jobs)) == [None] * len(FAR)
    return {source.display: read_entry(entry) for source, entry in jobs}


# coordinates in the file, where they are not CORNERS
OWN = {"ecef.obj": NEAR + [4.2e6, 1.7e5, 4.78e6], **dict.fromkeys(GLTF, CORNERS @ Y_UP.T)}


@pytest.mark.slow
@pytest.mark.parametrize("name", FAR)
def test_a_model_far_from_the_origin_keeps_its_shape_and_its_points(far, name):
    """As the same wedge at the origin would, to a thousandth of a millimetre."""
    product, own = far[name], OWN.get(name, CORNERS)
    np.testing.assert_allclose(product.size_m, (0.3, 0.2, 0.1), atol=1e-6)
    at_origin = NEAR - [0.15, 0.1, 0]
    keypoints = np.array([keypoint.position_m for keypoint in product.keypoints])
    np.testing.assert_allclose(keypoints, at_origin, atol=1e-6)
    frame = np.array(product.file_to_product)
    np.testing.assert_allclose(own @ frame[:3, :3].T + frame[:3, 3], at_origin, atol=1e-6)


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


def test_faces_before_vertices_and_whole_numbers_are_moved_too(tmp_path):
    corners = (100 * NEAR + [4482624, 54119327, 1124]).round()
    path = tmp_path / "a.ply"
    path.write_bytes(ply("binary_little_endian", "int", corners.astype(int), faces_first=True))
    vertices = PlyVertices(path)
    np.testing.assert_array_equal(vertices.points, corners)
    path.write_bytes(vertices.moved(corners[0]))
    np.testing.assert_array_equal(PlyVertices(path).points, corners - corners[0])


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
