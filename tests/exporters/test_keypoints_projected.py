"""Keypoints in COCO and YOLO are where an independent camera projects them, also through a lens.

The camera here is a pinhole with distortion as OpenCV documents it ("Camera Calibration and 3D
Reconstruction"), and knows the numbers of the manifest alone. A corner of a box that stands alone is visible
if one of its three faces is turned to the camera.
"""

import json
from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from blendgen.models.product import Catalog, Keypoint
from tests.conftest import make_product
from tests.exporters.conftest import make_dataset
from tests.exporters.exported import run

SIZE_M = np.array([0.1, 0.06, 0.03])
SIGNS = np.array(list(product((-1, 1), repeat=3)))
CORNERS_M = SIGNS * SIZE_M / 2 + [0, 0, SIZE_M[2] / 2]
IMAGES, RESOLUTION = 6, (160, 96)
LENSES = {
    "barrel": {"k1": -0.25, "k2": 0.05, "p1": 0.002, "p2": -0.003},
    "pincushion": {"k1": 0.3, "k2": -0.1, "k3": 0.02},
}


def seen_by(camera, points):
    """(n, 2) pixels of world points (n, 3), all in front of the camera."""
    to_camera = np.array(camera["world_to_camera"])
    x, y, z = to_camera[:3, :3] @ points.T + to_camera[:3, 3:]
    assert z.min() > 0
    x, y = x / z, y / z
    k1, k2, p1, p2, k3 = camera["distortion"]
    r2 = x**2 + y**2
    radial = 1 + k1 * r2 + k2 * r2**2 + k3 * r2**3
    (fx, _, cx), (_, fy, cy), _ = camera["intrinsics"]
    u = fx * (x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x**2)) + cx
    v = fy * (y * radial + p1 * (r2 + 2 * y**2) + 2 * p2 * x * y) + cy
    return np.column_stack([u, v])


def expected_keypoints(row):
    """(8, 3) x, y and visibility of the corners of the only box of a row."""
    objects, camera = row["objects"], row["camera"]
    to_world = np.array(objects["object_to_world"][0])
    pixels = seen_by(camera, CORNERS_M @ to_world[:3, :3].T + to_world[:3, 3])
    eye = np.linalg.solve(np.array(camera["world_to_camera"]) @ to_world, [0, 0, 0, 1])[:3]
    turned = (eye - [0, 0, SIZE_M[2] / 2]) * SIGNS > SIZE_M / 2  # the face of each corner on each axis
    inside = ((pixels >= 0) & (pixels < RESOLUTION)).all(axis=1)
    visibility = np.where(turned.any(axis=1), 2, 1)
    return np.where(inside[:, None], np.column_stack([pixels, visibility]), 0)


@pytest.fixture(scope="module", params=LENSES)
def exports(request, tmp_path_factory):
    """Folder of both exports, and expected keypoints by image."""
    folder = tmp_path_factory.mktemp(request.param)
    points = tuple(Keypoint(f"corner {i}", tuple(corner)) for i, corner in enumerate(CORNERS_M))
    box = replace(make_product("box", "box", tuple(SIZE_M)), keypoints=points)
    source = make_dataset(
        folder / "set", Catalog((box,)), IMAGES,
        products_per_image=1, exposures_per_shot=1, resolution=list(RESOLUTION), splits={"train": 1.0},
        camera={"distortion": LENSES[request.param], "distance_m": {"uniform": [0.08, 0.2]},
                "focal_length_mm": 20, "roll_deg": {"uniform": [-180, 180]}},
        output={"keypoints": True},
    )  # fmt: skip
    run(source, "coco", folder / "coco")
    run(source, "yolo", folder / "yolo", task="pose")
    rows = map(json.loads, (source.root / "manifest.jsonl").read_text("utf-8").splitlines())
    return folder, {row["index"]: expected_keypoints(row) for row in rows}


def agree(read, expected, tolerance_px):
    assert np.array_equal(read[:, 2], expected[:, 2])
    assert np.abs(read[:, :2] - expected[:, :2]).max() < tolerance_px


def test_coco_has_the_points_where_the_camera_projects_them(exports):
    folder, expected = exports
    coco = json.loads((folder / "coco/annotations/instances_train.json").read_text("utf-8"))
    assert len(coco["annotations"]) == IMAGES
    for one in coco["annotations"]:
        agree(np.reshape(one["keypoints"], (8, 3)), expected[one["image_id"] - 1], 0.001)


def test_yolo_has_the_points_where_the_camera_projects_them(exports):
    folder, expected = exports
    for index, points in expected.items():
        numbers = np.array((folder / f"yolo/labels/train/{index:06d}.txt").read_text().split(), float)
        agree(numbers[5:].reshape(8, 3) * (*RESOLUTION, 1), points, 0.001)


def test_points_are_visible_hidden_and_beyond_the_border(exports):
    flags = np.concatenate([points[:, 2] for points in exports[1].values()])
    assert set(flags) == {0, 1, 2}
