"""The conformance suite: checks that every engine passes, as functions of an engine and two products.

Scenes are built by hand from a box and a sphere; truth is computed here, by projecting vertices
and solving ray equations, without any code of the engines.
"""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw
from scipy.ndimage import gaussian_filter
from scipy.spatial import ConvexHull

from blendgen.geometry.projection import (
    camera_rotation,
    direction_of,
    intrinsics_matrix,
    pixel_rays,
    project,
    rigid,
    rotation_about_z,
    transform_points,
)
from blendgen.optics.distortion import pinhole
from blendgen.scene.shot import Camera, Environment, Lamp, PlacedProduct, Shot, Surface

RESOLUTION = (128, 96)


def rows(matrix):
    return tuple(tuple(float(v) for v in row) for row in matrix)


def make_camera(azimuth_deg=20.0, elevation_deg=50.0, roll_deg=0.0, distance_m=0.35, target=(0, 0, 0.02),
                resolution=RESOLUTION, focal_length_mm=50.0) -> Camera:  # fmt: skip
    rotation = camera_rotation(azimuth_deg, elevation_deg, roll_deg)
    translation = -rotation @ np.array(target) + [0, 0, distance_m]
    return Camera(
        resolution=resolution,
        intrinsics=rows(intrinsics_matrix(focal_length_mm, 36.0, resolution)),
        world_to_camera=rows(rigid(rotation, translation)),
        focal_length_mm=focal_length_mm,
        sensor_width_mm=36.0,
        azimuth_deg=azimuth_deg,
        elevation_deg=elevation_deg,
        roll_deg=roll_deg,
        frame_fill=0.5,
        distance_m=distance_m,
    )


def place(instance_id, product, x=0.0, y=0.0, yaw_deg=0.0, colorway=None) -> PlacedProduct:
    return PlacedProduct(
        instance_id=instance_id,
        product=product.name,
        colorway=colorway or product.colorways[0].name,
        label=product.name,
        label_id=0,
        object_to_world=rows(rigid(rotation_about_z(yaw_deg), [x, y, 0])),
        size_m=product.size_m,
    )


def overhead_lamp(height_m=1.0, x=0.0, y=0.0) -> Lamp:
    pose = np.eye(4)
    pose[:3, 3] = [x, y, height_m]
    return Lamp(kind="area", size_m=(0.1, 0.1), lamp_to_world=rows(pose), reference_distance_m=height_m)


def make_shot(products, camera=None, lamps=(), index=0) -> Shot:
    return Shot(
        index=index,
        attempt=0,
        split="train",
        products=tuple(products),
        surface=Surface(kind="paper", texture_offset_m=(0, 0), yaw_deg=0, width_m=3, wear=0, dust=0,
                        color_srgb="#ffffff"),
        camera=camera or make_camera(),
        environment=Environment(image="studio", rotation_deg=0),
        lamps=tuple(lamps),
        render_seed=11,
    )  # fmt: skip


def silhouette(camera: Camera, points_world, supersample: int = 4) -> np.ndarray:
    """Mask of the pixels whose centre is inside the outline of a convex body, drawn by Pillow."""
    width, height = camera.resolution
    pixels = project(points_world, camera.intrinsics, camera.world_to_camera)
    outline = pixels[ConvexHull(pixels).vertices] * supersample
    image = Image.new("1", (width * supersample, height * supersample))
    ImageDraw.Draw(image).polygon([tuple(p) for p in outline - 0.5], fill=1)
    return np.array(image)[supersample // 2 :: supersample, supersample // 2 :: supersample]


def iou(one, two) -> float:
    return np.count_nonzero(one & two) / np.count_nonzero(one | two)


def check_axes(engine, box, sphere):
    """With a camera that looks along +Y, +X of the world is to the right in the image, and +Z is up."""
    camera = make_camera(azimuth_deg=-90, elevation_deg=30)
    film = engine.render(make_shot([place(1, sphere, x=0.06), place(2, sphere, x=-0.06)], camera))
    right = np.argwhere(film.instance_id == 1).mean(axis=0)
    left = np.argwhere(film.instance_id == 2).mean(axis=0)
    assert right[1] > RESOLUTION[0] / 2 > left[1]
    film = engine.render(make_shot([place(1, sphere, y=0.08), place(2, sphere, y=-0.08)], camera))
    far, near = (np.argwhere(film.instance_id == i).mean(axis=0) for i in (1, 2))
    assert far[0] < near[0]
    assert film.depth_m[film.instance_id == 1].min() > film.depth_m[film.instance_id == 2].min()


def check_shapes_and_types(engine, box, sphere):
    film = engine.render(make_shot([place(1, box)], lamps=[overhead_lamp()]))
    width, height = RESOLUTION
    assert film.depth_m.shape == film.instance_id.shape == (height, width)
    assert film.depth_m.dtype == np.float32 and film.instance_id.dtype == np.uint16
    assert set(film.radiance_linear) == {"environment", "emission", "lamp_0"}
    for radiance in film.radiance_linear.values():
        assert radiance.shape == (height, width, 3) and radiance.dtype == np.float32
        assert np.isfinite(radiance).all() and radiance.min() >= 0
    assert film.amodal_masks[1].shape == (height, width) and film.amodal_masks[1].dtype == bool


def check_masks_against_projection(engine, box, sphere):
    """Masks equal the filled outline of the projected vertices, for rotated bodies and rolled cameras."""
    closer = {"resolution": (176, 132), "focal_length_mm": 72.7}
    for product, yaw, camera in (
        (box, 33, make_camera(**closer)),
        (box, -70, make_camera(200, 35, 17, **closer)),
        (sphere, 0, make_camera(100, 75, -8, **closer)),
        (sphere, 0, make_camera(-30, 20, 90, **closer)),
    ):
        placed = place(1, product, 0.01, -0.02, yaw)
        film = engine.render(make_shot([placed], camera))
        expected = silhouette(camera, transform_points(placed.object_to_world, product.hull_m))
        assert not (expected[[0, -1]].any() or expected[:, [0, -1]].any())
        assert iou(film.instance_id == 1, expected) >= 0.98


def check_depth(engine, box, sphere):
    """Seen straight from above, depth is constant on the top of the box and on the plane."""
    camera = make_camera(0, 90, 0, distance_m=0.4, target=(0, 0, 0))
    film = engine.render(make_shot([place(1, box)], camera))
    on_box = film.instance_id == 1
    assert np.abs(film.depth_m[on_box] - (0.4 - box.size_m[2])).max() < 1e-5
    assert np.abs(film.depth_m[~on_box] - 0.4).max() < 1e-4


def check_depth_of_a_slanted_plane(engine, box, sphere):
    """The depth of each background pixel is that of its central ray at z = 0."""
    camera = make_camera(40, 55, 12)
    film = engine.render(make_shot([place(1, sphere)], camera))
    world_to_camera = np.array(camera.world_to_camera)
    origin = -world_to_camera[:3, :3].T @ world_to_camera[:3, 3]
    rays = pixel_rays(camera.intrinsics, camera.resolution) @ world_to_camera[:3, :3]
    expected = -origin[2] / rays[..., 2]
    background = film.instance_id == 0
    assert np.abs(film.depth_m[background] / expected[background] - 1).max() < 1e-3


def check_amodal_masks(engine, box, sphere):
    """The amodal mask of a product is its visible mask when it is alone in the scene."""
    camera = make_camera(-90, 15, 0, distance_m=0.5)
    front, back = place(1, box, y=-0.06), place(2, sphere, y=0.06, x=0.02)
    film = engine.render(make_shot([front, back], camera))
    for placed in (front, back):
        alone = engine.render(make_shot([placed], camera))
        assert np.array_equal(film.amodal_masks[placed.instance_id], alone.instance_id == placed.instance_id)
    assert np.count_nonzero(film.instance_id == 2) < np.count_nonzero(film.amodal_masks[2])


def level_patch(engine, sphere, kind="area", environment="studio") -> dict[str, np.ndarray]:
    """Light group -> mean radiance (3,) of a white horizontal patch at unit gain (see shot.py)."""
    camera = make_camera(0, 90, 0, 0.5, (0.4, 0.4, 0), resolution=(32, 24), focal_length_mm=400)
    lamp = overhead_lamp(x=0.4, y=0.4)
    size_m = {"strip": (0.4, 0.05), "ring": (0.3, 0.2), "window": (0.4, 0.4)}.get(kind, (0.1, 0.1))
    lamp = lamp.model_copy(update={"kind": kind, "size_m": size_m, "angle_deg": 0.5})
    shot = make_shot([place(1, sphere, x=-0.2, y=-0.2)], camera, [lamp])
    shot = shot.model_copy(update={"environment": Environment(image=environment, rotation_deg=0)})
    film = engine.render(shot)
    assert not film.instance_id.any()
    return {group: radiance.mean(axis=(0, 1)) for group, radiance in film.radiance_linear.items()}


def slanted_opening(kind, size_m, azimuth_deg=35.0, elevation_deg=40.0) -> Lamp:
    """A door or window, half a metre from the origin on a beam of sunlight through the origin."""
    towards_sun = direction_of(azimuth_deg, elevation_deg)
    right, down, forward = camera_rotation(azimuth_deg, elevation_deg, 0)
    pose = np.eye(4)
    pose[:3, :3] = np.column_stack([right, -down, -forward])
    pose[:3, 3] = 0.5 * towards_sun
    return Lamp(
        kind=kind, size_m=(0.12, 0.2), lamp_to_world=rows(pose), reference_distance_m=0.5, angle_deg=0.3
    )


def check_sunlight_through_a_door(engine, box, sphere):
    """The lit patch is the parallel projection of the opening on the plane, and the rest is dark."""
    camera, lamp = make_camera(0, 90, 0, 0.6, (0, 0, 0)), slanted_opening("door", (0.12, 0.2))
    aside = [place(1, sphere, x=-0.3)]
    film = engine.render(make_shot(aside, camera, [lamp]))
    pose = np.array(lamp.lamp_to_world)
    corners = [(x, y, 0, 1) for x in (-0.06, 0.06) for y in (-0.1, 0.1)] @ pose.T
    on_plane = corners[:, :3] - pose[:3, 2] * (corners[:, 2:3] / pose[2, 2])
    light = gaussian_filter(film.radiance_linear["lamp_0"][..., 1], 2)  # a few samples are noisy
    expected = silhouette(camera, on_plane)
    inside = np.median(light[expected])
    assert iou(light > inside / 2, expected) >= 0.97
    assert np.median(light[~expected]) < 0.02 * inside
    without = engine.render(make_shot(aside, camera)).radiance_linear["environment"]
    for where in (expected, ~expected):  # the opening and its frame do not change the other light
        level = film.radiance_linear["environment"][where].mean()
        assert abs(level / without[where].mean() - 1) < 0.02


def check_any_order(engine, box, sphere):
    """A shot does not depend on the shots that were rendered before it."""
    shots = [
        make_shot(
            [place(1, box, yaw_deg=10 * i), place(2, sphere, y=0.09)],
            make_camera(40 * i, 60, resolution=(96, 72)),
            [overhead_lamp(1 + 0.1 * i)] * (i % 3),
            index=i,
        )
        for i in range(3)
    ]
    forwards = [engine.render(shot) for shot in shots]
    backwards = [engine.render(shot) for shot in reversed(shots)][::-1]
    for one, two in zip(forwards, backwards, strict=True):
        assert one.radiance_linear.keys() == two.radiance_linear.keys()
        for group in one.radiance_linear:
            assert np.array_equal(one.radiance_linear[group], two.radiance_linear[group])
        assert np.array_equal(one.depth_m, two.depth_m)
        assert np.array_equal(one.instance_id, two.instance_id)
        assert all(np.array_equal(one.amodal_masks[i], two.amodal_masks[i]) for i in (1, 2))


def check_a_lens_that_distorts(engine, box, sphere):
    """The engine renders a pinhole; `annotate` and `develop` apply the lens."""
    camera = make_camera(resolution=(96, 72)).model_copy(update={"distortion": (-0.2, 0.0, 0.0, 0.0, 0.0)})
    shot = make_shot([place(1, box)], camera)
    film = engine.render(shot)
    straight = engine.render(shot.model_copy(update={"camera": pinhole(camera)}))
    assert film.instance_id.shape[::-1] == pinhole(camera).resolution != camera.resolution
    assert np.array_equal(film.depth_m, straight.depth_m)


CHECKS = [
    check_a_lens_that_distorts,
    check_axes,
    check_shapes_and_types,
    check_masks_against_projection,
    check_depth,
    check_depth_of_a_slanted_plane,
    check_amodal_masks,
    check_sunlight_through_a_door,
    check_any_order,
]
