import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from blendgen.draw.camera import draw_camera
from blendgen.draw.framing import position_for_fill
from blendgen.draw.sampler import Sampler
from blendgen.errors import GeometryError
from blendgen.geometry.projection import inverse_rigid, project
from tests.conftest import box_hull, make_spec

CLEARANCE = 0.1  # of a camera from the products, as a share of their diameter


def pixel_box(camera, points):
    pixels = project(points, camera.intrinsics, camera.world_to_camera)
    return pixels.min(axis=0), pixels.max(axis=0)


@settings(max_examples=150, deadline=None)
@given(
    fill=st.floats(0.05, 0.95),
    subject_offset=st.tuples(st.floats(-1, 1), st.floats(-1, 1)),
    elevation=st.floats(1, 90),
    azimuth=st.floats(0, 360),
    roll=st.floats(-180, 180),
    focal=st.floats(20, 200),
    resolution=st.sampled_from([[64, 64], [320, 200], [90, 300]]),
    size=st.sampled_from([(0.15, 0.07, 0.008), (0.1, 0.1, 0.1), (0.02, 0.02, 0.3)]),
)
@example(  # a wide lens and a high image: the whole offset would put the camera below the surface
    fill=0.5, subject_offset=(0.0, -1.0), elevation=61.0, azimuth=0.0, roll=0.0, focal=20.0,
    resolution=[90, 300], size=(0.15, 0.07, 0.008),
)  # fmt: skip
@example(  # a product in a corner of a high image, turned, seen at a slant
    fill=0.05, subject_offset=(1.0, 1.0), elevation=60.01, azimuth=45.0, roll=-165.0, focal=35.0,
    resolution=[90, 300], size=(0.15, 0.07, 0.008),
)  # fmt: skip
@example(  # to fill that much, the camera would have to touch the top of the product
    fill=0.79, subject_offset=(-0.3, 0.05), elevation=60.01, azimuth=0.0, roll=-165.0, focal=35.0,
    resolution=[90, 300], size=(0.02, 0.02, 0.3),
)  # fmt: skip
def test_the_product_is_in_view_and_as_large_as_drawn(
    fill, subject_offset, elevation, azimuth, roll, focal, resolution, size
):
    spec = make_spec(
        resolution=resolution,
        camera={
            "frame_fill": fill,
            "subject_offset": list(subject_offset),
            "elevation_deg": elevation,
            "azimuth_deg": azimuth,
            "roll_deg": roll,
            "focal_length_mm": focal,
        },
    )
    points = box_hull(size) + [0.3, -0.2, 0]
    camera = draw_camera(spec, points, Sampler(0, 0, 0))
    low, high = pixel_box(camera, points)
    measured = max((high - low) / resolution)
    assert low.min() >= -1e-6 and np.all(high <= np.array(resolution) + 1e-6)
    assert measured <= fill + 1e-6
    assert camera.frame_fill == pytest.approx(measured, abs=1e-6)
    # only a very wide lens has to keep clear of the products; at 35 mm the high image sees 119 degrees
    in_camera = points @ np.array(camera.world_to_camera)[:3, :3].T
    free_m = in_camera[:, 2].min() + camera.world_to_camera[2][3]
    keeps_clear = free_m <= CLEARANCE * np.linalg.norm(np.ptp(in_camera, axis=0)) * (1 + 1e-6)
    assert keeps_clear or measured == pytest.approx(fill, abs=1e-6)
    assert not (keeps_clear and focal >= 35 and fill <= 0.8 and resolution != [90, 300])
    position = inverse_rigid(camera.world_to_camera)[:3, 3]
    assert position[2] > 0
    # the offset is reduced in steps, and only as far as the camera would otherwise be below the surface
    rotation = np.array(camera.world_to_camera)[:3, :3]
    half = np.array(resolution) / 2 / camera.intrinsics[0][0]
    heights = {
        share: (
            rotation.T @ position_for_fill(points @ rotation.T, half, fill, share * np.array(subject_offset))
        )[2]
        for share in (1.0, 0.75, 0.5, 0.25, 0.0)
    }
    share = next(share for share, height_m in heights.items() if height_m > 0.002)
    free, centre = np.array(resolution) - (high - low), (low + high) / 2
    wanted = np.array(resolution) / 2 + share * np.array(subject_offset) * free / 2
    assert np.abs(centre - wanted).max() < 1e-3


def test_distance_is_kept_where_size_is_a_cue():
    for size in ((0.1, 0.1, 0.1), (0.2, 0.2, 0.1)):
        spec = make_spec(camera={"distance_m": 0.8, "focal_length_mm": 50})
        points = box_hull(size)
        camera = draw_camera(spec, points, Sampler(0, 0, 0))
        depth = (points @ np.array(camera.world_to_camera)[2, :3]) + camera.world_to_camera[2][3]
        assert (depth.min() + depth.max()) / 2 == pytest.approx(0.8)
        assert camera.distance_m == pytest.approx(0.8)


def test_a_camera_inside_the_product_is_refused():
    spec = make_spec(camera={"distance_m": 0.01})
    with pytest.raises(GeometryError, match="inside the products"):
        draw_camera(spec, box_hull((1, 1, 1)), Sampler(0, 0, 0))


def test_a_distribution_of_directions_replaces_the_angles():
    spec = make_spec(camera={"direction": {"cone": 10}})
    for index in range(20):
        assert draw_camera(spec, box_hull((0.1, 0.1, 0.1)), Sampler(0, index, 0)).elevation_deg >= 80
