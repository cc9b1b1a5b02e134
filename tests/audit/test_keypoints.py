"""Visibility of keypoints: visible, hidden, and too close to decide."""

from dataclasses import replace

import numpy as np
import pytest

from blendgen.dataset.rows import row_from
from blendgen.geometry.projection import project, transform_points
from blendgen.models.product import Keypoint
from blendgen.verification.rays.cast import RayScene, Solid
from blendgen.verification.rays.keypoints import Sight, keypoint_faults, sight
from blendgen.verification.rays.scene import listed_products
from tests.audit.boxes import SIZES, box_mesh, check, ground, make_mesh, make_set, rows_of

pytest.importorskip("embreex")
PIXEL = 0.002
WALL = ([(-2, -2, 0), (2, -2, 0), (2, 2, 0), (-2, 2, 0)], [(0, 1, 2), (0, 2, 3)])


def at(z, half=1.0, x=0.0):
    pose = np.diag([half / 2, half / 2, 1.0, 1.0])
    pose[:3, 3] = x, 0, z
    return pose


@pytest.fixture
def scene():
    """A wall, instance 1, at 2 m, behind a plate at 1 m that covers x from 0.2 on."""
    wall, plate = make_mesh("wall", *WALL), make_mesh("plate", *WALL)
    return RayScene([Solid(1, wall, at(2.0, 4.0)), Solid(0, plate, at(1.0, 0.5, 0.7))], np.eye(4), (1, 1))


@pytest.mark.parametrize(
    ("point", "wanted"),
    [
        ((0, 0, 2), Sight.VISIBLE),
        ((0, 0, 2.00001), Sight.VISIBLE),
        ((0, 0, 2.0003), Sight.UNDECIDED),
        ((0, 0, 2.001), Sight.UNDECIDED),
        ((0, 0, 2.1), Sight.HIDDEN),
        ((1, 0, 2), Sight.HIDDEN),
        ((0.4 - 0.0003, 0, 2), Sight.UNDECIDED),
        ((0.4 - 0.002, 0, 2), Sight.VISIBLE),
        ((0, 0, -1), Sight.HIDDEN),
    ],
)
def test_a_point_is_visible_if_nothing_is_in_front_of_it(scene, point, wanted):
    assert sight(scene, np.array(point, float), PIXEL) is wanted


def labelled(checker, row):
    """Add five points of each box to the row as keypoints, with their correct visibility."""
    whole = row_from(row)
    products, camera = listed_products(whole, whole.shot), whole.camera
    meshes = [box_mesh(checker.catalog.product(one.product)) for one in products]
    solids = [Solid(one.instance_id, mesh, np.array(one.object_to_world))
              for one, mesh in zip(products, meshes, strict=True)]  # fmt: skip
    scene = RayScene([*solids, Solid(0, ground(), np.eye(4))], camera.world_to_camera, (1, 1))
    row["objects"]["keypoints"], positions = [], []
    for placed in products:
        x, y, z = checker.catalog.product(placed.product).size_m
        points = [(0, 0, z), (x / 2, y / 4, z / 2), (-x / 2, y / 4, z / 2), (x / 4, y / 2, z / 2), (0, 0, 0)]
        world = transform_points(placed.object_to_world, points)
        sights = [sight(scene, one, 1 / camera.intrinsics[0][0])
                for one in transform_points(camera.world_to_camera, world)]  # fmt: skip
        pixels = project(world, camera.intrinsics, camera.world_to_camera, camera.distortion)
        visibility = [2 if one is Sight.VISIBLE else 1 for one in sights]
        points_px = [[*pixel, one] for pixel, one in zip(pixels.tolist(), visibility, strict=True)]
        row["objects"]["keypoints"].append(points_px)
        positions.append(points)
    return products, scene, positions


def test_keypoints_with_wrong_visibility_are_detected(tmp_path):
    checker = make_set(tmp_path / "set", 4)
    kinds = set()
    for row in rows_of(checker):
        products, scene, positions = labelled(checker, row)
        keypoints = row["objects"]["keypoints"]
        for number, placed in enumerate(products):
            faults, looked_at, undecided = keypoint_faults(
                row_from(row), number, placed, positions[number], scene
            )
            assert faults == [] and looked_at == 5
            for one in range(5):
                x, y, visibility = keypoints[number][one]
                keypoints[number][one] = [x, y, 3 - visibility]
            turned, _, _ = keypoint_faults(row_from(row), number, placed, positions[number], scene)
            assert len(turned) == looked_at - undecided
            kinds |= {fault.split(" is ")[1] for fault in turned}
            keypoints[number][0][0] += 1
            aside, _, _ = keypoint_faults(row_from(row), number, placed, positions[number], scene)
            assert any(", not [" in fault for fault in aside)
    assert kinds == {"visible, but has visibility 1", "hidden, but has visibility 2"}


def test_a_row_with_keypoints_is_checked_with_them(tmp_path):
    checker = make_set(tmp_path / "set", 2)
    row = rows_of(checker)[0]
    _, _, positions = labelled(checker, row)
    own = dict(zip(row["objects"]["product"], positions, strict=False))
    points = {name: tuple(Keypoint(str(i), p) for i, p in enumerate(own.get(name, ()))) for name in SIZES}
    products = tuple(replace(one, keypoints=points[one.name]) for one in checker.catalog.products)
    names = {"names": [str(i) for i in range(5)] + ["of another product"]}
    for keypoints in row["objects"]["keypoints"]:
        keypoints.append([0, 0, 0])
    catalog = replace(checker.catalog, products=products)
    checker = replace(checker, catalog=catalog, record={"keypoints": dict.fromkeys(SIZES, names)})
    findings = check(checker, row)
    assert findings.faults == () and findings.keypoints == 5 * len(positions) > findings.undecided_keypoints
    row["objects"]["keypoints"][0][0][2] = 1  # the centre of its top, which is not hidden
    assert "object 0, keypoint 0: is visible, but has visibility 1" in check(checker, row).faults[0]
