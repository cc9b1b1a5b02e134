"""A Draco-compressed model equals its original; damaged data are rejected with one line.

What is compressed here comes from DracoPy; models compressed by other encoders are shared test data.
"""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.spatial import cKDTree

bpy = pytest.importorskip("bpy")
pytest.importorskip("DracoPy")

from blendgen.engine.blender.importing.asset import empty_blender  # noqa: E402
from blendgen.engine.blender.importing.draco import EXTENSION  # noqa: E402
from blendgen.engine.blender.importing.findings import Findings  # noqa: E402
from blendgen.engine.blender.importing.importers import ImportRefused, import_model  # noqa: E402
from blendgen.engine.blender.importing.plain_gltf import plain_gltf  # noqa: E402
from blendgen.models.companions import Companions  # noqa: E402
from tests.engine.draco_files import (  # noqa: E402
    add_view,
    document,
    read_accessor,
    read_glb,
    sphere,
    write_data_uri,
    write_glb,
    write_gltf,
)

pytestmark = pytest.mark.slow

CONTAINERS = {"glb": write_glb, "gltf": write_gltf, "data.gltf": write_data_uri}


def decompressed(path: Path, into: Path) -> Path:
    return plain_gltf(Companions(path), into).file


def png() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (3, 2), "red").save(file, "PNG")
    return file.getvalue()


def imported(path: Path) -> list:
    empty_blender()
    objects, _ = import_model(Companions(path), path.suffix[1:], None, None, Findings())
    bpy.context.view_layer.update()
    return [owner for owner in objects if owner.type == "MESH"]


def numbers(items, name: str, length: int) -> np.ndarray:
    values = np.empty(len(items) * length, np.float32)
    items.foreach_get(name, values)
    return values.reshape(-1, length)


def corners(path: Path) -> np.ndarray:
    """World position, normal, material index and all texture coordinates of every face corner."""
    rows = []
    for owner in imported(path):
        mesh, world = owner.data, np.array(owner.matrix_world)
        points = numbers(mesh.vertices, "co", 3) @ world[:3, :3].T + world[:3, 3]
        at = np.array([loop.vertex_index for loop in mesh.loops])
        material = np.repeat([face.material_index for face in mesh.polygons], 3)[:, None]
        normals = numbers(mesh.corner_normals, "vector", 3)
        layers = [numbers(layer.data, "uv", 2) for layer in mesh.uv_layers]
        rows.append(np.hstack([points[at], normals, material, *layers]))
    return np.vstack(rows)


def assert_same_corners(one: np.ndarray, other: np.ndarray) -> None:
    """The same corners in any order; Blender stores normals in 16 bits relative to the adjacent faces."""
    assert one.shape == other.shape
    tolerances = np.full(one.shape[1], 1e-5)
    tolerances[3:6] = 1e-3
    for a, b in ((one, other), (other, one)):
        _, nearest = cKDTree(a).query(b)
        assert (np.abs(a[nearest] - b) < tolerances).all()


def reasons(path: Path) -> str:
    with pytest.raises(ImportRefused) as refused:
        imported(path)
    return str(refused.value)


@pytest.mark.parametrize("keep_order", [True, False], ids=["sequential", "edgebreaker"])
@pytest.mark.parametrize("container", CONTAINERS)
def test_vertices_normals_and_texture_coordinates_equal_the_original(tmp_path, container, keep_order):
    plain = write_glb(tmp_path / "plain.glb", *document([sphere()], draco=False))
    made = document([sphere()], draco=True, keep_order=keep_order)
    compressed = CONTAINERS[container](tmp_path / f"draco.{container}", *made)
    original = corners(plain)
    assert np.ptp(original[:, :3], axis=0) == pytest.approx([1, 2, 0.5], rel=0.06)
    assert_same_corners(original, corners(compressed))


def test_primitives_of_a_mesh_keep_their_own_geometry_and_material(tmp_path):
    parts = [sphere(1, (0, 0, 0)), sphere(0.3, (2, 0, 0), 5, 6), sphere(0.5, (0, 4, 0), 12, 20)]
    for number, part in enumerate(parts):
        part.material = 2 - number
    paths = []
    for draco in (False, True):
        content, body = document(parts, draco)
        content["materials"] = [{"name": name} for name in "abc"]
        paths.append(write_glb(tmp_path / f"{draco}.glb", content, body))
    assert_same_corners(*map(corners, paths))


def test_primitives_may_share_one_declaring_accessor(tmp_path):
    parts = [sphere(), sphere(0.3, (2, 0, 0))]  # as many vertices, so their accessors are equal
    plain = write_glb(tmp_path / "plain.glb", *document(parts, draco=False))
    content, body = document(parts, draco=True)
    first, second = content["meshes"][0]["primitives"]
    second |= {"indices": first["indices"], "attributes": first["attributes"]}
    assert_same_corners(corners(plain), corners(write_glb(tmp_path / "shared.glb", content, body)))


def test_attributes_are_found_by_their_unique_ids_and_not_by_order(tmp_path):
    part = sphere()
    part.attributes["TEXCOORD_1"] = part.attributes["TEXCOORD_0"][:, ::-1] * 0.25
    plain = write_glb(tmp_path / "plain.glb", *document([part], draco=False))
    content, body = document([part], draco=True)
    straight = corners(write_glb(tmp_path / "straight.glb", content, body))
    assert_same_corners(corners(plain), straight)
    ids = content["meshes"][0]["primitives"][0]["extensions"][EXTENSION]["attributes"]
    ids["TEXCOORD_0"], ids["TEXCOORD_1"] = ids["TEXCOORD_1"], ids["TEXCOORD_0"]
    swapped = corners(write_glb(tmp_path / "swapped.glb", content, body))
    assert_same_corners(straight[:, [0, 1, 2, 3, 4, 5, 6, 9, 10, 7, 8]], swapped)


def test_every_attribute_keeps_its_component_type_and_its_values(tmp_path):
    part = sphere()
    count = len(part.attributes["POSITION"])
    values = np.arange(count * 4).reshape(count, 4)
    part.attributes |= {
        "COLOR_0": (values[:, :3] % 256).astype(np.uint8),  # rows of 3 bytes need padding
        "COLOR_1": (values * 97 % 65536).astype(np.uint16),
        "JOINTS_0": (values % 7).astype(np.uint8),
        "JOINTS_1": (values * 5).astype(np.uint16),
        "WEIGHTS_0": (values % 5 / 4).astype(np.float32),
        "_BATCH": (values[:, :1] * 3).astype(np.uint16),
    }
    part.normalized = ("COLOR_0", "COLOR_1")
    made, body = document([part], draco=True)
    plain, buffer = read_glb(decompressed(write_glb(tmp_path / "a.glb", made, body), into(tmp_path)))
    primitive = plain["meshes"][0]["primitives"][0]
    assert (read_accessor(plain, buffer, primitive["indices"]).reshape(-1, 3) == part.faces).all()
    for semantic, original in part.attributes.items():
        index = primitive["attributes"][semantic]
        stored = read_accessor(plain, buffer, index)
        assert stored.dtype == original.dtype
        assert plain["accessors"][index].get("normalized", False) == (semantic in part.normalized)
        np.testing.assert_allclose(stored, original, atol=1e-5)


@pytest.mark.parametrize("marked_normalized", [0, 1])
@pytest.mark.parametrize("unsigned, signed", [(np.uint8, np.int8), (np.uint16, np.int16)])
def test_signed_integers_come_back_whether_draco_marks_them_normalized_or_not(
    tmp_path, unsigned, signed, marked_normalized
):
    part = sphere()
    part.normalized = ("_TILT",)
    low = np.iinfo(signed).min + 1
    tilts = np.linspace(low, -low, len(part.attributes["POSITION"])).astype(signed)[:, None]
    part.attributes["_TILT"] = tilts.view(unsigned)
    content, body = document([part], draco=True)
    code = {np.uint8: 2, np.uint16: 4}[unsigned]  # DracoPy cannot encode signed ones: patch the type
    old, new = bytes([4, code, 1, 0, 40]), bytes([4, code - 1, 1, marked_normalized, 40])
    assert body.count(old) == 1
    content["accessors"][-1]["componentType"] -= 1
    path = write_glb(tmp_path / "a.glb", content, body.replace(old, new))
    plain, buffer = read_glb(decompressed(path, into(tmp_path)))
    index = plain["meshes"][0]["primitives"][0]["attributes"]["_TILT"]
    assert (read_accessor(plain, buffer, index) == tilts).all()


def into(tmp_path: Path) -> Path:
    folder = tmp_path / "into"
    folder.mkdir()
    return folder


def test_the_extension_is_removed_and_the_rest_is_unchanged(tmp_path):
    content, body = document([sphere()], draco=True)
    times = add_view(content, body, np.linspace(0, 1, 5, dtype=np.float32).tobytes())
    places = add_view(content, body, np.array([1, 3], np.uint16).tobytes())
    sparse = {"count": 2, "indices": {"bufferView": places, "componentType": 5123}}
    sparse["values"] = {"bufferView": times, "byteOffset": 8}
    declared = {"componentType": 5126, "count": 5, "type": "SCALAR"}
    content["accessors"] += [declared | {"bufferView": times}, declared | {"sparse": sparse}]
    content["buffers"][0]["byteLength"] = len(body)
    content["materials"] = [{"name": "paint", "extensions": {"KHR_materials_sheen": {}}}]
    content["extensionsUsed"] = ["KHR_materials_sheen", EXTENSION]
    content["meshes"][0]["primitives"][0]["extensions"]["OTHER"] = {"kept": True}
    plain, buffer = read_glb(decompressed(write_glb(tmp_path / "a.glb", content, body), into(tmp_path)))
    for key in ("asset", "scene", "scenes", "nodes", "materials"):
        assert plain[key] == content[key]
    count = len(content["accessors"])
    assert plain["accessors"][:count] == content["accessors"]
    assert (read_accessor(plain, buffer, count - 2).ravel() == np.linspace(0, 1, 5, dtype=np.float32)).all()
    assert plain["extensionsUsed"] == ["KHR_materials_sheen"] and "extensionsRequired" not in plain
    assert plain["meshes"][0]["primitives"][0]["extensions"] == {"OTHER": {"kept": True}}


def test_a_file_without_draco_is_not_written_again(tmp_path):
    path = write_glb(tmp_path / "plain.glb", *document([sphere()], draco=False))
    assert decompressed(path, into(tmp_path)) == path
    assert not list((tmp_path / "into").iterdir())


def test_images_are_copied_but_not_from_outside_the_folder_of_the_model(tmp_path):
    folder = tmp_path / "model" / "my maps"
    folder.mkdir(parents=True)
    (tmp_path / "secret.png").write_bytes(png())
    (folder / "wood.png").write_bytes(png())
    content, body = document([sphere()], draco=True)
    uris = ["my%20maps/wood.png", "../secret.png", "absent.png"]
    content["images"] = [{"uri": uri} for uri in uris]
    path = write_gltf(tmp_path / "model" / "a.gltf", content, body)
    file = decompressed(path, into(tmp_path))
    wood, secret, absent = read_glb(file)[0]["images"]
    assert wood["mimeType"] == "image/png" and wood["name"] == "wood.png" and "uri" not in wood
    assert secret == {"uri": "secret.png", "name": "secret.png"}
    assert absent == {"uri": "absent.png", "name": "absent.png"}
    assert file.read_bytes().count(png()) == 1


def test_a_texture_is_imported_with_the_model(tmp_path):
    content, body = document([sphere()], draco=True)
    content["meshes"][0]["primitives"][0]["material"] = 0
    content["materials"] = [{"pbrMetallicRoughness": {"baseColorTexture": {"index": 0}}}]
    content["textures"], content["images"] = [{"source": 0}], [{"uri": "wood.png"}]
    (tmp_path / "wood.png").write_bytes(png())
    imported(write_gltf(tmp_path / "a.gltf", content, body))
    (image,) = bpy.data.images
    assert tuple(image.size) == (3, 2) and image.packed_file is not None


@pytest.mark.parametrize("tenths", range(10))
def test_cut_draco_data_are_rejected_with_one_line(tmp_path, tenths):
    content, body = document([sphere()], draco=True)
    content["bufferViews"][0]["byteLength"] = len(body) * tenths // 10
    reason = reasons(write_glb(tmp_path / "cut.glb", content, body))
    assert reason == "the Draco data of mesh 'globe' are damaged"


def test_a_cut_buffer_file_is_rejected_with_one_line(tmp_path):
    content, body = document([sphere()], draco=True)
    path = write_gltf(tmp_path / "cut.gltf", content, body)
    (tmp_path / "my data.bin").write_bytes(body[:-200])
    assert reasons(path) == f"buffer 0 is truncated: {len(body) - 200} of {len(body)} bytes"


def test_attributes_that_do_not_fit_their_accessor_are_rejected_with_one_line(tmp_path):
    content, body = document([sphere()], draco=True)
    extension = content["meshes"][0]["primitives"][0]["extensions"][EXTENSION]
    ids = extension["attributes"]
    for wrong in (ids | {"NORMAL": 99}, ids | {"NORMAL": ids["TEXCOORD_0"]}):
        extension["attributes"] = wrong
        reason = reasons(write_glb(tmp_path / "wrong.glb", content, body))
        assert reason == "the Draco data of mesh 'globe' do not fit its accessor NORMAL"


@pytest.mark.parametrize("change", [{"bufferView": 77}, {"attributes": {"COLOR_0": 1}}, {"attributes": None}])
def test_a_damaged_extension_is_rejected_with_one_line(tmp_path, change):
    content, body = document([sphere()], draco=True)
    content["meshes"][0]["primitives"][0]["extensions"][EXTENSION] |= change
    reason = reasons(write_glb(tmp_path / "wrong.glb", content, body))
    assert reason.startswith("its glTF structure is damaged") and "\n" not in reason


@pytest.fixture(scope="module")
def shared_gltf() -> Path:
    folder = Path(__file__).resolve().parents[3] / "shared" / "data" / "models" / "gltf"
    if not folder.is_dir():
        pytest.skip("the test models are not here")
    return folder


@pytest.mark.parametrize("name", ["Duck", "CesiumMilkTruck"])
def test_models_of_other_encoders_have_the_size_of_the_uncompressed_ones(shared_gltf, name):
    versions = [shared_gltf / name / f"glTF-{kind}" / f"{name}.gltf" for kind in ("Draco", "Embedded")]
    assert EXTENSION in json.loads(versions[0].read_text())["extensionsUsed"]
    one, other = (corners(path) for path in versions)
    assert one.shape == other.shape
    assert np.ptp(one[:, :3], axis=0) == pytest.approx(np.ptp(other[:, :3], axis=0), rel=2e-3)
    largest = np.ptp(other[:, :3], axis=0).max()
    distances, _ = cKDTree(one[:, :3]).query(other[:, :3])
    assert distances.max() < 2e-3 * largest
