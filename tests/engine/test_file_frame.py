"""A point in the coordinates of a model file is at the right place of the product, in every format."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from blendgen.engine.blender.importing.measurer import BlenderMeasurer
from blendgen.models.measuring.entry import read_entry
from blendgen.models.scan import scan_directory
from blendgen.models.source import Source
from tests.engine.model_files import obj

pytest.importorskip("bpy")
pytestmark = pytest.mark.slow

# not symmetric under rotations or reflections, and not centred on the origin
CORNERS = np.array([(5, 6, 7), (6, 6, 7), (5, 8, 7), (5, 6, 10)], dtype=float)
FACES = [(0, 2, 1), (0, 1, 3), (0, 3, 2), (1, 2, 3)]

WRITE = """
import sys, bpy
folder, corners, faces = sys.argv[1], eval(sys.argv[2]), eval(sys.argv[3])
bpy.ops.wm.read_factory_settings(use_empty=True)
mesh = bpy.data.meshes.new("wedge")
mesh.from_pydata(corners, [], faces)
bpy.context.scene.collection.objects.link(bpy.data.objects.new("wedge", mesh))
bpy.ops.wm.save_as_mainfile(filepath=folder + "/metres.blend")
bpy.ops.export_scene.gltf(filepath=folder + "/wedge.glb")
bpy.ops.export_scene.fbx(filepath=folder + "/y_up.fbx")
bpy.ops.export_scene.fbx(filepath=folder + "/z_up.fbx", axis_forward="Y", axis_up="Z")
bpy.ops.wm.usd_export(filepath=folder + "/z_up.usdc")
turn = dict(export_global_forward_selection="NEGATIVE_Z", export_global_up_selection="Y")
bpy.ops.wm.usd_export(filepath=folder + "/y_up.usdc", convert_orientation=True, **turn)
bpy.ops.wm.ply_export(filepath=folder + "/wedge.ply")
bpy.ops.wm.stl_export(filepath=folder + "/wedge.stl")
bpy.context.scene.unit_settings.scale_length = 0.001
bpy.ops.wm.save_as_mainfile(filepath=folder + "/millimetres.blend")
"""

Y_UP = CORNERS[:, [0, 2, 1]] * [1, 1, -1]  # z in Blender is y in the file, and y is -z
OWN = {
    "metres.blend": CORNERS,
    "millimetres.blend": CORNERS,
    "wedge.glb": Y_UP,
    "y_up.fbx": 100 * Y_UP,
    "z_up.fbx": 100 * CORNERS,
    "z_up.usdc": CORNERS,
    "y_up.usdc": Y_UP,
    "wedge.ply": CORNERS,
    "wedge.stl": CORNERS,
    "wedge.obj": CORNERS,
    "wedge.obj up x": CORNERS,
    "wedge.obj up y mm": CORNERS,
    "wedge.obj up z": CORNERS,
    "wedge.glb in": Y_UP,
    "y_up.fbx mm": 100 * Y_UP,
    "y_up.usdc in": Y_UP,
    "millimetres.blend cm": CORNERS,
}


# coordinates of the files in Blender: equal for all formats except OBJ, whose corners are rotated
SHOWN = {name: CORNERS @ [[1, 0, 0], [0, 0, 1], [0, -1, 0]] if "obj" in name else CORNERS for name in OWN}


def sources(folder) -> list[Source]:
    by_path = {source.display: source for source in scan_directory(folder, "", None, None)}
    made = []
    for name, corners in OWN.items():
        file, *words = name.split()
        up = words[1] if words[:1] == ["up"] else None
        unit = next((word for word in words if word in ("mm", "cm", "in")), None)
        source = by_path[file]
        options = source.options | {"unit": unit, "up": up, "points": corners.tolist()}
        made.append(replace(source, display=name, options=options))
        shown = options | {"coordinates": "blender", "points": SHOWN[name].tolist()}
        made.append(replace(source, display=f"{name} shown", options=shown))
    return made


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wedges")
    script = [sys.executable, "-c", WRITE, str(folder), str(CORNERS.tolist()), str(FACES)]
    subprocess.run(script, check=True, capture_output=True)
    (folder / "wedge.obj").write_text(obj(CORNERS.tolist(), FACES))
    jobs = [(source, tmp_path_factory.mktemp("entry")) for source in sources(folder)]
    assert list(BlenderMeasurer(timeout_s=240).measure(jobs)) == [None] * len(jobs)
    return {source.display: read_entry(entry) for source, entry in jobs}


@pytest.mark.parametrize("name", OWN)
def test_corners_of_the_file_are_corners_of_the_product(measured, name):
    product = measured[name]
    frame = np.array(product.file_to_product)
    expected = OWN[name] @ frame[:3, :3].T + frame[:3, 3]
    measured = np.array([keypoint.position_m for keypoint in product.keypoints])
    np.testing.assert_allclose(measured, expected, atol=1e-5 * max(product.size_m))
    assert {tuple(p) for p in np.round(measured / max(product.size_m), 4)} == {
        tuple(p) for p in np.round(product.hull_m / max(product.size_m), 4)
    }


@pytest.mark.parametrize("name", OWN)
def test_coordinates_of_blender_give_the_same_points(measured, name):
    own, shown = (
        np.array([k.position_m for k in measured[key].keypoints]) for key in (name, f"{name} shown")
    )
    np.testing.assert_allclose(shown, own, atol=1e-5 * max(measured[name].size_m))


@pytest.mark.parametrize("name", OWN)
def test_a_file_is_rotated_and_scaled_but_never_mirrored(measured, name):
    linear = np.array(measured[name].file_to_product)[:3, :3]
    scale = np.cbrt(np.linalg.det(linear))
    assert scale > 0
    np.testing.assert_allclose(linear @ linear.T, scale**2 * np.eye(3), atol=1e-6 * scale**2)
    sides = np.sort(np.ptp(OWN[name], axis=0)) * scale
    np.testing.assert_allclose(np.sort(measured[name].size_m), sides, rtol=1e-5)


def test_a_point_off_the_surface_is_moved_to_the_nearest_point_on_it(tmp_path):
    (tmp_path / "box.obj").write_text(obj())
    (source,) = scan_directory(tmp_path, "", "mm", "z")
    moved = replace(source, options=source.options | {"points": [[0.5, 1.0, 9.0]]})
    entry = tmp_path / "entry"
    entry.mkdir()
    assert list(BlenderMeasurer().measure([(moved, entry)])) == [None]
    (keypoint,) = read_entry(entry).keypoints
    np.testing.assert_allclose(keypoint.position_m, (0, 0, 0.003), atol=1e-9)
