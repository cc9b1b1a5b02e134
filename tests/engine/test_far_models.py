"""Models far from the origin keep their shape, and animated ones are taken at rest, in every format.

All files are measured by one child, once for the module; tests then look at the outcomes.
"""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from blendgen.engine.blender.importing.measurer import BlenderMeasurer
from blendgen.models.measuring.entry import Measured, read_entry
from blendgen.models.scan import scan_directory
from tests.engine.wedge_files import AT_REST, CORNERS, FACES, FAR, NEAR, OWN, UNUSABLE_USD, UTM

pytest.importorskip("bpy")
pytestmark = pytest.mark.slow


# .blend files, which only Blender can write; a group of two halves, in a group at the origin
WRITE_BLENDS = """
import sys, bpy
folder, near, at, far, faces = sys.argv[1], *map(eval, sys.argv[2:6])

def new():
    bpy.ops.wm.read_factory_settings(use_empty=True)

def add(name, points=None, faces=(), parent=None, location=(0, 0, 0)):
    mesh = None
    if points is not None:
        mesh = bpy.data.meshes.new(name)
        mesh.from_pydata(points, [], faces)
    made = bpy.data.objects.new(name, mesh)
    bpy.context.scene.collection.objects.link(made)
    made.parent, made.location = parent, location
    return made

def save(name):
    bpy.ops.wm.save_as_mainfile(filepath=f"{folder}/{name}.blend")

new()
add("wedge", near, faces, location=at)
camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
bpy.context.scene.collection.objects.link(camera)
camera.location = at
save("single")
new()
group = add("inner", parent=add("outer"), location=at)
add("a", near, faces[:2], group)
add("b", [(x - 0.1, y, z) for x, y, z in near], faces[2:], group, (0.1, 0, 0))
bpy.context.scene.unit_settings.scale_length = 0.5
save("group")
new(); add("wedge", far, faces); save("vertices")
new(); add("a", near, faces, location=at); add("b", near, faces, location=at); save("two")
new(); add("wedge", [*near[:3], (0, 0, float("nan"))], faces); save("nan")
new()
add("a", near, faces)
moved = add("b", near, faces)
for frame, x in ((1, 1), (20, 5)):
    moved.location.x = x
    moved.keyframe_insert("location", frame=frame)
bpy.context.scene.frame_set(1)
save("keyframes")
"""
# binary .fbx files: Blender writes single precision, so exact numbers are put in afterwards
WRITE_FBX = """
from array import array
import numpy as np
from io_scene_fbx import encode_bin, parse_fbx
from blendgen.engine.blender.importing.coordinates.fbx import _child, _encoded, _translate
near, at, faces = map(eval, sys.argv[6:])
quarter = np.pi / 2

def add(name, points, faces, parent=None, **properties):
    mesh = bpy.data.meshes.new(name) if points else None
    if points:
        mesh.from_pydata(points, [], faces)
    made = bpy.data.objects.new(name, mesh)
    bpy.context.scene.collection.objects.link(made)
    made.parent = parent
    for key, value in properties.items():
        setattr(made, key, value)
    return made

def save(name, edit):
    path = f"{folder}/{name}.fbx"
    axes = dict(axis_forward="Y", axis_up="Z", apply_scale_options="FBX_SCALE_UNITS")
    bpy.ops.export_scene.fbx(filepath=path, **axes)
    root, version = parse_fbx.parse(path)
    for element in _child(root, b"Objects").elems:
        edit(element)
    encode_bin.write(path, _encoded(root, encode_bin.FBXElem), version)
    bpy.ops.wm.read_factory_settings(use_empty=True)

def translate(**places):
    def edit(element):
        name = element.props[1].split(bytes(1))[0].decode() if element.id == b"Model" else ""
        if name in places:
            _translate(element, np.array(places[name]))
    return edit

def move_vertices(element):
    if element.id == b"Geometry":
        stored = _child(element, b"Vertices").props
        stored[0] = array("d", (np.array(stored[0]).reshape(-1, 3) + at).ravel().tolist())

bpy.ops.wm.read_factory_settings(use_empty=True)
other = [(x - 0.1, y, z) for x, y, z in near]
x, y, z = at
add("a", near, faces[:2]); add("b", other, faces[2:])
save("two", translate(a=at, b=(x + 0.1, y, z)))
group = add("group", None, (), rotation_euler=(0, 0, quarter), scale=(2, 2, 2))
back = dict(parent=group, rotation_euler=(0, 0, -quarter), scale=(0.5, 0.5, 0.5))
add("a", near, faces[:2], **back); add("b", other, faces[2:], location=(0, -0.05, 0), **back)
save("turned", translate(a=(y / 2, -x / 2, z / 2), b=(y / 2, -x / 2, z / 2)))
add("wedge", near, faces)
save("vertices", move_vertices)

def move_without_properties(element):
    move_vertices(element)
    if element.id == b"Model":
        element.elems[:] = [one for one in element.elems if one.id != b"Properties70"]

add("wedge", near, faces)
save("bare", move_without_properties)
"""
FBX = ("two.fbx", "turned.fbx", "vertices.fbx", "bare.fbx")


# what single precision can hold
BLEND_AT = UTM.astype(np.float32).astype(float)
BLENDS = {"single.blend": 1.0, "group.blend": 0.5}


def write_with_blender(folder) -> None:
    numbers = [NEAR, BLEND_AT, CORNERS, np.array(FACES), NEAR, UTM, np.array(FACES)]
    texts = [str(values.tolist()) for values in numbers]
    script = [sys.executable, "-c", WRITE_BLENDS + WRITE_FBX, str(folder), *texts]
    subprocess.run(script, check=True, capture_output=True)


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory) -> tuple[dict[str, Measured], dict[str, str]]:
    """Products, and reasons of refusals, by the name of their file."""
    folder = tmp_path_factory.mktemp("wedges")
    for name, data in (FAR | AT_REST | UNUSABLE_USD).items():
        (folder / name).write_bytes(data)
    write_with_blender(folder)
    sources = scan_directory(folder, "", None, "z")
    points = {name: OWN.get(name, CORNERS).tolist() for name in FAR}
    points |= dict.fromkeys(BLENDS, (NEAR + BLEND_AT).tolist()) | dict.fromkeys(FBX, CORNERS.tolist())
    sources = [replace(s, options=s.options | {"points": points.get(s.display, [])}) for s in sources]
    jobs = [(source, tmp_path_factory.mktemp("entry")) for source in sources]
    refusals = list(BlenderMeasurer(timeout_s=240).measure(jobs))
    reasons = {refusal.source: refusal.reason for refusal in refusals if refusal is not None}
    entries = {source.display: read_entry(entry) for source, entry in jobs if source.display not in reasons}
    return entries, reasons


@pytest.fixture(scope="module")
def measured(outcomes) -> dict[str, Measured]:
    return outcomes[0]


@pytest.mark.parametrize("name", FAR)
def test_a_model_far_from_the_origin_keeps_its_shape_and_its_points(measured, name):
    """As the same wedge at the origin would, to a thousandth of a millimetre."""
    product, own = measured[name], OWN.get(name, CORNERS)
    np.testing.assert_allclose(product.size_m, (0.3, 0.2, 0.1), atol=1e-6)
    at_origin = NEAR - [0.15, 0.1, 0]
    keypoints = np.array([keypoint.position_m for keypoint in product.keypoints])
    np.testing.assert_allclose(keypoints, at_origin, atol=1e-6)
    frame = np.array(product.file_to_product)
    np.testing.assert_allclose(own @ frame[:3, :3].T + frame[:3, 3], at_origin, atol=1e-6)


@pytest.mark.parametrize("name", FBX)
def test_an_fbx_file_far_from_the_origin_keeps_its_shape_and_its_points(measured, name):
    product = measured[name]
    np.testing.assert_allclose(product.size_m, (0.3, 0.2, 0.1), atol=1e-6)
    if name != "turned.fbx":  # its quarter turn has the precision of Blender's exporter
        keypoints = np.array([keypoint.position_m for keypoint in product.keypoints])
        np.testing.assert_allclose(keypoints, NEAR - [0.15, 0.1, 0], atol=1e-6)


@pytest.mark.parametrize("name", BLENDS)
def test_a_blend_file_far_from_the_origin_keeps_its_shape_and_its_points(measured, name):
    product, unit_m = measured[name], BLENDS[name]
    np.testing.assert_allclose(product.size_m, np.multiply((0.3, 0.2, 0.1), unit_m), atol=1e-6)
    keypoints = np.array([keypoint.position_m for keypoint in product.keypoints])
    np.testing.assert_allclose(keypoints, unit_m * (NEAR - [0.15, 0.1, 0]), atol=1e-6)


@pytest.mark.parametrize("name", [*AT_REST, "keyframes.blend"])
def test_an_animated_model_is_taken_at_rest_and_says_so(measured, name):
    """The default value of USD, or that of its first frame; the node of glTF: all one metre off."""
    product = measured[name]
    np.testing.assert_allclose(product.size_m, (1.3, 0.2, 0.1), atol=1e-5)
    assert product.notes == ("it is animated: taken at rest",)


def test_files_with_unusable_coordinates_are_refused_with_the_reason(outcomes):
    _, reasons = outcomes
    assert reasons.keys() == {*UNUSABLE_USD, "vertices.blend", "two.blend", "nan.blend"}
    not_finite = ("nan point.usda", "nan transform.usda", "nan.blend")
    assert all("not finite" in reasons[name] for name in not_finite)
    assert "5,411,933 units from its origin" in reasons["refers to single precision.usda"]
    coarse = r"5,411,93\d m from its origin, where single precision has steps of 0.5 m"
    assert all(re.search(coarse, reasons[name]) for name in ("vertices.blend", "two.blend"))
