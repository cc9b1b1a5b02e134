"""Distorting lenses: labels agree with the distorted projection of the vertices."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import binary_dilation, morphological_gradient
from scipy.spatial import ConvexHull

from blendgen.draw.camera import draw_camera
from blendgen.draw.sampler import Sampler
from blendgen.engine.flat import FlatEngine
from blendgen.errors import GeometryError
from blendgen.geometry.projection import border_points, inverse_rigid, pixel_rays, project, undistort
from blendgen.optics import distortion as lens_distortion
from blendgen.optics.distortion import distorted_labels, distorted_light, pinhole
from blendgen.pipeline import Task
from blendgen.scene.film import Film
from blendgen.workers.share import max_rendered_pixels
from tests.conftest import box_hull, make_spec

BARREL = {"k1": -0.25, "k2": 0.08}
PINCUSHION = {"k1": 0.2, "p1": 0.003, "p2": -0.002}
LENSES = [BARREL, PINCUSHION]


def outline_px(camera, points):
    """Pixels along the distorted outline of a convex body, sides included."""
    corners = points[ConvexHull(project(points, camera.intrinsics, camera.world_to_camera)).vertices]
    steps = np.linspace(0, 1, 60, endpoint=False)[:, None, None]
    pixels = project(
        ((1 - steps) * corners + steps * np.roll(corners, -1, axis=0)).reshape(-1, 3),
        camera.intrinsics,
        camera.world_to_camera,
        camera.distortion,
    )
    return pixels.min(axis=0), pixels.max(axis=0)


@pytest.mark.parametrize("lens", LENSES, ids=["barrel", "pincushion"])
def test_boxes_and_masks_agree_with_the_distorted_projection(flat_pipeline, shapes, lens):
    """Within half a pixel: the box of the pixels whose centres lie inside the distorted outline."""
    spec = make_spec(
        resolution=[160, 120],
        camera={"distortion": lens, "focal_length_mm": 28, "frame_fill": 0.7, "subject_offset": {"disk": 1}},
    )
    for index in range(6):
        (frame,) = flat_pipeline(spec).frames(Task(index, (index,)))
        (placed,), (label,) = frame.shot.products, frame.labels.objects
        if placed.product != "box":
            continue
        hull = shapes.product("box").hull_m
        world = hull @ np.array(placed.object_to_world)[:3, :3].T + np.array(placed.object_to_world)[:3, 3]
        low, high = outline_px(frame.shot.camera, world)
        x, y, width, height = label.bbox
        assert np.abs(np.array([x, y]) - low).max() <= 1.0
        assert np.abs(np.array([x + width, y + height]) - high).max() <= 1.0
        middle = (np.array([2 * x + width, 2 * y + height]) - low - high) / 2
        assert np.abs(middle).max() <= 0.5
        assert frame.rgb_u8.shape == (120, 160, 3) and label.visible_fraction == 1.0


@settings(max_examples=60, deadline=None)
@given(
    k1=st.floats(-0.25, 0.3),
    p1=st.floats(-0.005, 0.005),
    fill=st.floats(0.2, 0.9),
    subject_offset=st.tuples(st.floats(-1, 1), st.floats(-1, 1)),
    elevation=st.floats(30, 90),
    focal=st.floats(35, 80),
)
def test_the_product_is_in_view_and_as_large_as_drawn_through_any_lens(
    k1, p1, fill, subject_offset, elevation, focal
):
    spec = make_spec(
        camera={
            "distortion": {"k1": k1, "p1": p1},
            "frame_fill": fill,
            "subject_offset": list(subject_offset),
            "elevation_deg": elevation,
            "focal_length_mm": focal,
        }
    )
    points = box_hull((0.15, 0.07, 0.02))
    camera = draw_camera(spec, points, Sampler(0, 0, 0))
    low, high = outline_px(camera, points)
    assert low.min() >= -0.05 and np.all(high <= np.array(camera.resolution) + 0.05)
    measured = max((high - low) / camera.resolution)
    assert camera.frame_fill == pytest.approx(measured, abs=2e-3)
    assert measured == pytest.approx(fill, abs=5e-3)


def test_the_pinhole_sees_what_the_lens_sees_and_light_stays_where_it_is():
    """A picture of pixel positions: what arrives at a pixel is where its ray comes from."""
    spec = make_spec(camera={"distortion": BARREL, "focal_length_mm": 30})
    camera = draw_camera(spec, box_hull((0.1, 0.1, 0.1)), Sampler(0, 0, 0))
    wide = pinhole(camera)
    width, height = wide.resolution
    assert width >= camera.resolution[0] and wide.intrinsics[0][0] == pytest.approx(camera.intrinsics[0][0])
    columns, rows = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    picture = np.stack([columns, rows, np.ones_like(rows)], axis=-1).astype(np.float32)
    light = distorted_light(picture, camera).reshape(-1, 3)
    from blendgen.geometry.projection import distort

    rays = (light[:, :2] - np.array(wide.intrinsics)[:2, 2]) / wide.intrinsics[0][0]
    back = distort(rays, camera.distortion) * camera.intrinsics[0][0] + np.array(camera.intrinsics)[:2, 2]
    columns, rows = np.meshgrid(np.arange(camera.resolution[0]) + 0.5, np.arange(camera.resolution[1]) + 0.5)
    assert back == pytest.approx(np.stack([columns, rows], axis=-1).reshape(-1, 2), abs=0.01)


def test_a_lens_that_does_not_vary_is_undistorted_once_for_all_shots(monkeypatch):
    spec = make_spec(camera={"distortion": {"k1": -0.123}, "focal_length_mm": 31})
    calls = []
    monkeypatch.setattr(lens_distortion, "undistort", lambda *given: calls.append(given) or undistort(*given))
    cameras = [draw_camera(spec, box_hull((0.1, 0.1, 0.1)), Sampler(0, shot, 0)) for shot in range(6)]
    assert len({pinhole(camera).world_to_camera for camera in cameras}) == 6
    assert len(calls) == 3  # of its corners and its border when it is drawn, and of all pixels


def test_a_lens_is_checked_by_the_border_of_its_image_alone(monkeypatch):
    camera = draw_camera(make_spec(resolution=[96, 37]), box_hull((0.1, 0.1, 0.1)), Sampler(0, 0, 0))
    rays = pixel_rays(camera.intrinsics, camera.resolution)[..., :2]
    border = np.concatenate([rays[0], rays[-1], rays[:, 0], rays[:, -1]])
    assert np.array_equal(border_points(camera.intrinsics, camera.resolution), border)
    monkeypatch.setattr(lens_distortion, "pixel_rays", None)
    points = []
    monkeypatch.setattr(
        lens_distortion, "undistort", lambda given, lens: points.append(len(given)) or undistort(given, lens)
    )
    lens_distortion.require_pinhole(camera.intrinsics, camera.resolution, (-0.0987, 0.0, 0.0, 0.0, 0.0))
    assert sum(points) == 2 * (96 + 37) + 9


@pytest.mark.parametrize("widest", [-0.15, -0.05, 0.3])
def test_no_lens_of_a_spec_is_rendered_with_more_pixels_than_are_reckoned_with(widest):
    varying = {"k1": {"uniform": sorted([0, widest])}, "p1": {"uniform": [-0.002, 0.002]}}
    section = {"focal_length_mm": {"uniform": [28, 50]}, "distortion": varying}
    spec, hull = make_spec(camera=section), box_hull((0.1, 0.1, 0.1))
    drawn = [pixels(pinhole(draw_camera(spec, hull, Sampler(0, shot, 0)))) for shot in range(40)]
    extreme = {"focal_length_mm": 28, "distortion": {"k1": widest, "p1": 0.002}}
    reached = pixels(pinhole(draw_camera(make_spec(camera=extreme), hull, Sampler(0, 0, 0))))
    assert max(drawn) <= max_rendered_pixels(spec)
    if widest < 0:
        assert reached <= max_rendered_pixels(spec) <= 1.1 * reached


def test_a_lens_that_folds_is_reckoned_with_as_the_widest_and_a_pinhole_as_it_is():
    folding = make_spec(camera={"distortion": {"k1": -0.9}, "focal_length_mm": 18})
    assert max_rendered_pixels(folding) == 16 * max_rendered_pixels(make_spec()) == 16 * 64 * 48


def pixels(camera):
    width, height = camera.resolution
    return width * height


def test_without_distortion_nothing_is_touched():
    camera = draw_camera(make_spec(), box_hull((0.1, 0.1, 0.1)), Sampler(0, 0, 0))
    assert pinhole(camera) is camera
    light = np.ones((48, 64, 3), np.float32)
    assert distorted_light(light, camera) is light


def test_a_lens_that_folds_is_an_error_of_the_draw():
    spec = make_spec(camera={"distortion": {"k1": -0.9}, "focal_length_mm": 18})
    with pytest.raises(GeometryError, match="folds over"):
        draw_camera(spec, box_hull((0.1, 0.1, 0.1)), Sampler(0, 0, 0))


def test_a_sheet_seen_edge_on_is_framed_too():
    """Its outline is a line, across the picture or up and down in it."""
    for azimuth, size in ((90, (0.1, 0.0, 0.06)), (0, (0.1, 0.0, 0.06))):
        spec = make_spec(
            camera={"distortion": BARREL, "azimuth_deg": azimuth, "elevation_deg": 30, "roll_deg": 0}
        )
        camera = draw_camera(spec, box_hull(size), Sampler(0, 0, 0))
        assert 0.2 < camera.frame_fill <= 0.81


@pytest.mark.parametrize("lens", LENSES, ids=["barrel", "pincushion"])
def test_depth_is_that_of_each_pixels_own_ray(flat_pipeline, shapes, lens):
    """On the plane and on the faces of boxes, seen from the side, to a hundredth of a millimetre."""
    spec = make_spec(
        resolution=[160, 120],
        camera={"distortion": lens, "focal_length_mm": 28, "frame_fill": 0.7, "elevation_deg": 35},
        products=[{"catalog": "shapes", "models": ["box"]}],
    )
    pipeline = flat_pipeline(spec)
    for index in range(4):
        (frame,) = pipeline.frames(Task(index, (index,)))
        camera, labels = frame.shot.camera, frame.labels
        rays = undistort(pixel_rays(camera.intrinsics, camera.resolution)[..., :2], camera.distortion)
        true, ids = true_depth_m(frame.shot, rays, shapes)
        inner = ~near_edges(labels.instance_id) & ~near_edges(ids) & np.isfinite(true)
        error_m = np.abs(labels.depth_m - true)[inner]
        assert np.quantile(error_m, 0.7) < 1e-6  # of boxes and the plane, away from creases
        assert inner.mean() > 0.5


def true_depth_m(shot, rays, shapes):
    """Depth of the plane and of the boxes on rays (h, w, 2), and the ids of what they meet."""
    engine = FlatEngine(shapes)
    camera_to_world = inverse_rigid(shot.camera.world_to_camera)
    directions = np.concatenate([rays, np.ones((*rays.shape[:2], 1))], axis=-1) @ camera_to_world[:3, :3].T
    depth = -camera_to_world[2, 3] / directions[..., 2]
    depth = np.where(depth > 0, depth, np.inf)
    ids = np.zeros(depth.shape, int)
    for placed in shot.products:
        hit, _ = engine._hit(placed, camera_to_world[:3, 3], directions)
        ids = np.where(hit < depth, placed.instance_id, ids)
        depth = np.minimum(depth, hit)
    return depth, ids


def near_edges(ids):
    return binary_dilation(morphological_gradient(ids.astype(int), 3) > 0, iterations=2)


def test_no_depth_lies_between_two_surfaces():
    """A step within one product: each depth is that of one side."""
    camera = draw_camera(
        make_spec(camera={"distortion": BARREL}), box_hull((0.15, 0.07, 0.02)), Sampler(0, 0, 0)
    )
    width, height = pinhole(camera).resolution
    depth = np.full((height, width), 0.5, np.float32)
    depth[:, width // 2 :] = 0.55
    ids = np.ones((height, width), np.uint16)
    film = Film({}, depth, ids, {1: ids > 0})
    assert set(np.unique(distorted_labels(film, camera).depth_m.round(6))) == {
        np.float32(0.5),
        np.float32(0.55),
    }
