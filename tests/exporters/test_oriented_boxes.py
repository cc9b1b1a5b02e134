"""Oriented boxes of products that the border cuts off, as ultralytics reads them from label files."""

import numpy as np
import pytest
from PIL import Image

from blendgen.geometry.oriented_box import oriented_box
from tests.exporters.exported import run
from tests.exporters.fake import HEIGHT, WIDTH, FakeImage, make_fake

SIZE = np.array([WIDTH, HEIGHT])
EDGES = ((6, 24), (WIDTH - 6, 24), (32, 6), (32, HEIGHT - 6))
CORNERS = ((4, 4), (WIDTH - 4, 4), (WIDTH - 4, HEIGHT - 4), (4, HEIGHT - 4))


def bar(angle_deg, middle, length=40, width=8):
    """(HEIGHT, WIDTH) bool: a bar, of which an end may be beyond the border."""
    angle = np.radians(angle_deg)
    y, x = np.mgrid[:HEIGHT, :WIDTH] + 0.5 - np.array([middle[1], middle[0]])[:, None, None]
    along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    return (np.abs(along) <= length / 2) & (np.abs(across) <= width / 2)


def bars(middles):
    """(angle, mask, corners in pixels) at all angles."""
    for angle in range(0, 180, 5):
        for middle in middles:
            mask = bar(angle, middle)
            yield angle, mask, oriented_box(mask)


def sides_of(corners):
    sides = np.roll(corners, -1, axis=0) - corners
    return sides, np.linalg.norm(sides, axis=1)


def test_the_corners_are_a_rectangle_around_all_that_is_visible():
    beyond = 0
    for angle, mask, corners in bars(EDGES + CORNERS):
        sides, lengths = sides_of(corners)
        assert abs(sides[0] @ sides[1]) < 1e-6 * lengths[0] * lengths[1], angle
        centres = np.argwhere(mask)[:, ::-1] + 0.5
        for side, corner in zip(sides, corners, strict=True):
            offset = centres - corner
            assert (side[0] * offset[:, 1] - side[1] * offset[:, 0] > 0).all(), angle
        beyond += corners.min() < -1 or (corners > SIZE + 1).any()
    assert beyond > 100


def test_the_long_side_follows_the_product_without_jumps():
    for angle, mask, corners in bars(EDGES):
        if mask.sum() < 150:
            continue
        sides, lengths = sides_of(corners)
        x, y = sides[lengths.argmax()]
        off_deg = (np.degrees(np.arctan2(y, x)) - angle + 90) % 180 - 90
        assert abs(off_deg) <= 5, (angle, off_deg)


def test_every_line_is_one_that_ultralytics_accepts_and_only_large_boxes_are_clipped(tmp_path):
    """It rejects images with a label whose surrounding box has a side above 1.01 of the image."""
    masks = [bar(30, (6, 24)), bar(38, SIZE / 2, length=200, width=36)]
    images = [FakeImage("train", 0, [(0, (8, 8, 9, 9))]) for _ in masks]
    source = make_fake(tmp_path / "set", ["bar"], images)
    for row, mask in zip(source.rows(), masks, strict=True):
        Image.fromarray(mask.astype(np.uint16)).save(source.root / row.files["mask"].name)
    assert run(source, "yolo", tmp_path / "yolo", task="obb")["objects_clipped"] == 1
    small, large = (
        np.array(path.read_text().split()[1:], float).reshape(4, 2)
        for path in sorted((tmp_path / "yolo/labels/train").iterdir())
    )
    assert small.min() < 0 and small == pytest.approx(oriented_box(masks[0]) / SIZE, abs=1e-6)
    assert large.min() == 0 and large.max() == 1
    for low, high in ((corners.min(axis=0), corners.max(axis=0)) for corners in (small, large)):
        assert ((low + high) / 2 >= 0).all() and ((low + high) / 2 <= 1).all() and (high - low <= 1).all()
