"""The conformance suite of optional labels, which every engine passes; see conformance.py.

Truth is computed here, by projecting vertices and solving ray equations.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from blendgen.annotate import annotate
from blendgen.geometry.projection import inverse_rigid, pixel_rays, project, transform_points
from blendgen.models.label_names import label_names
from blendgen.models.product import Catalog, Keypoint
from blendgen.spec.output import Output
from tests.engine.conformance import make_camera, make_shot, place, silhouette

EVERYTHING = Output(
    parts=True,
    soft_masks=True,
    normals=True,
    albedo=True,
    nocs=True,
    keypoints=True,
    truncation=True,
)


def with_keypoints(catalog):
    """The catalogue, its box with its corners as keypoints."""
    box = catalog.product("box")
    points = tuple(Keypoint(f"corner_{i}", tuple(corner)) for i, corner in enumerate(corners(box)))
    products = [replace(p, keypoints=points) if p is box else p for p in catalog.products]
    return replace(catalog, products=tuple(products))


def corners(box) -> np.ndarray:
    x, y, z = box.size_m
    return np.array([(sx * x / 2, sy * y / 2, sz * z) for sx in (-1, 1) for sy in (-1, 1) for sz in (0, 1)])


def points_of_pixels(film, camera, own) -> np.ndarray:
    """(n, 3) world points of some pixels, by their depth."""
    rays = pixel_rays(camera.intrinsics, camera.resolution)[own] * film.depth_m[own, None].astype(float)
    return transform_points(inverse_rigid(camera.world_to_camera), rays)


def check_parts(engine, box, sphere):
    """All pixels of a product with one part have this part, and no other pixel has a part."""
    film = engine.render(make_shot([place(1, box), place(2, sphere, y=0.09)]))
    assert film.part_slot.dtype == np.uint16
    assert np.array_equal(film.part_slot, np.minimum(film.instance_id, 1))


def check_soft_masks(engine, box, sphere):
    """Coverages add up to the area of the silhouette, and are 1 or 0 away from its outline."""
    camera = make_camera()
    placed = place(1, box, yaw_deg=33)
    film = engine.render(make_shot([placed], camera))
    share = film.soft_masks[1]
    assert share.shape == film.depth_m.shape and share.dtype == np.float32
    outline = silhouette(camera, transform_points(placed.object_to_world, box.hull_m))
    inner, outer = outline.copy(), outline.copy()
    for axis in (0, 1):
        for step in (-2, -1, 1, 2):
            inner &= np.roll(outline, step, axis)
            outer |= np.roll(outline, step, axis)
    assert share[inner].min() > 0.999 and share[~outer].max() == 0
    assert abs(share.sum() / outline.sum() - 1) < 0.01


def check_normals(engine, box, sphere):
    """On a sphere they point away from its centre, on the ground up; all have length 1."""
    camera = make_camera(30, 40, 5)
    film = engine.render(make_shot([place(1, sphere, x=0.01)], camera))
    ball = film.instance_id == 1
    normals = film.central_normal_world
    middle = np.array([0.01, 0, sphere.size_m[2] / 2])
    outwards = points_of_pixels(film, camera, ball) - middle
    outwards /= np.linalg.norm(outwards, axis=1, keepdims=True)
    assert np.median(np.sum(outwards * normals[ball], axis=1)) > 0.999
    assert np.quantile(np.sum(outwards * normals[ball], axis=1), 0.02) > 0.98
    assert np.allclose(np.linalg.norm(normals[np.isfinite(film.depth_m)], axis=-1), 1, atol=1e-4)
    assert np.median(normals[~ball][:, 2]) > 0.99


def check_albedo(engine, box, sphere):
    """Albedo is in [0, 1], differs between product and paper, and does not depend on the light."""
    film = engine.render(make_shot([place(1, box)]))
    albedo = film.central_albedo_linear
    assert albedo.dtype == np.float32 and 0 <= albedo.min() <= albedo.max() <= 1
    own = albedo[film.instance_id == 1]
    # specular reflection grows towards grazing angles
    assert np.ptp(own, axis=0).max() < 0.15
    assert abs(own.mean(axis=0) - np.median(albedo[film.instance_id == 0], axis=0)).max() > 0.05


def check_nocs(engine, box, sphere):
    """Scaled back, they are the points of the surface of the box that the pixels show."""
    camera, placed = make_camera(), place(1, box, 0.01, -0.02, 25)
    shot = make_shot([placed], camera)
    film = engine.render(shot)
    output = Output(nocs=True)
    coordinates = annotate(film, shot, label_names(Catalog(()), {}), output).nocs
    own = film.instance_id == 1
    assert not coordinates[~own].any()
    points = (coordinates[own] - 0.5) * np.linalg.norm(box.size_m) + [0, 0, box.size_m[2] / 2]
    half = np.array(box.size_m) / 2
    share = np.abs((points - [0, 0, half[2]]) / half)
    assert np.abs(share.max(axis=1) - 1).max() < 1e-3 and share.max() < 1 + 1e-3
    pixels = project(
        transform_points(placed.object_to_world, points), camera.intrinsics, camera.world_to_camera
    )
    rows, columns = np.nonzero(own)
    assert np.abs(pixels - np.column_stack([columns, rows]) - 0.5).max() < 0.01


def check_keypoints(engine, box, sphere):
    """A corner is visible if one of its three faces points to the camera and no sphere hides it."""
    camera = make_camera(20, 40)
    placed = place(1, box, yaw_deg=10)
    towards = inverse_rigid(placed.object_to_world) @ inverse_rigid(camera.world_to_camera)[:, 3]
    half = np.array(box.size_m) / 2
    faces = np.abs(towards[:3] - [0, 0, half[2]]) > half  # which pair of faces is visible from there
    side = np.sign(towards[:3] - [0, 0, half[2]])
    expected = [bool((faces & (np.sign(c - [0, 0, half[2]]) == side)).any()) for c in corners(box)]
    alone = engine.render(make_shot([placed], camera))
    assert alone.keypoint_seen[1].tolist() == expected and 0 < sum(expected) < 8
    # a sphere between the camera and the first visible corner
    first = expected.index(True)
    corner = transform_points(placed.object_to_world, [corners(box)[first]])[0]
    eye = inverse_rigid(camera.world_to_camera)[:3, 3]
    x, y, z = corner + 0.3 * (eye - corner) - [0, 0, sphere.size_m[2] / 2]
    before = place(2, sphere)
    lifted = [list(row) for row in before.object_to_world]
    for axis, value in enumerate((x, y, z)):
        lifted[axis][3] = value
    before = before.model_copy(update={"object_to_world": tuple(tuple(row) for row in lifted)})
    hidden = engine.render(make_shot([placed, before], camera)).keypoint_seen[1]
    assert not hidden[first]
    assert all(not is_seen or free for is_seen, free in zip(hidden, expected, strict=True))


def check_overscan(engine, box, sphere):
    """The part outside the image equals that of the outline of the projected vertices."""
    camera = make_camera(0, 90, 0, distance_m=0.3, target=(0.05, 0.09, 0))
    placed = place(1, box, yaw_deg=20)
    overscan = engine.render(make_shot([placed], camera)).overscan
    whole = silhouette(overscan.camera, transform_points(placed.object_to_world, box.hull_m))
    mask = overscan.amodal_masks[1]
    assert abs(mask.sum() / whole.sum() - 1) < 0.01
    wanted = 1 - overscan.inside[whole].sum() / whole.sum()
    assert wanted > 0.1
    assert abs(1 - overscan.inside[mask].sum() / mask.sum() - wanted) < 0.01
    assert overscan.inside.sum() == np.prod(camera.resolution)


def check_overscan_includes_products_outside_the_image(engine, box, sphere):
    """A product outside the image counts as a whole, even if it does not touch the border."""
    camera = make_camera(0, 90, 0, distance_m=0.3, target=(0, 0, 0))
    outside = place(2, box, y=0.25, x=0.01)
    overscan = engine.render(make_shot([place(1, sphere), outside], camera)).overscan
    whole = silhouette(overscan.camera, transform_points(outside.object_to_world, box.hull_m))
    assert not overscan.inside[overscan.amodal_masks[2]].any()
    assert abs(overscan.amodal_masks[2].sum() / whole.sum() - 1) < 0.02


def check_nothing_is_beyond_the_border(engine, box, sphere):
    film = engine.render(make_shot([place(1, box)]))
    assert film.overscan.inside.all()
    assert np.array_equal(film.overscan.amodal_masks[1], film.amodal_masks[1])


CHECKS = [
    check_parts,
    check_soft_masks,
    check_normals,
    check_albedo,
    check_nocs,
    check_keypoints,
    check_overscan,
    check_overscan_includes_products_outside_the_image,
    check_nothing_is_beyond_the_border,
]
