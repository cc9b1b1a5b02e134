"""Parts of a mesh that are far away from the rest."""

from __future__ import annotations

import numpy as np
import pytest

from blendgen.geometry.far_parts import without_far_parts
from tests.hollow_models import box, triangles


def placed(*boxes):
    """Boxes (size, corner) as one mesh."""
    vertices, faces, count = [], [], 0
    for size, corner in boxes:
        own, of_box = box(size)[0], triangles(box(size))
        vertices.append(own - own.min(axis=0) + corner)
        faces.append(of_box + count)
        count += len(own)
    return np.concatenate(vertices), np.concatenate(faces)


BODY = ((0.1, 0.06, 0.03), (0, 0, 0))
CRUMB = (0.002, 0.002, 0.002)


def largest(*boxes):
    return float(np.ptp(without_far_parts(*placed(*boxes)), axis=0).max())


@pytest.mark.parametrize(
    "others",
    [
        [(CRUMB, (5, 0, 0))],
        [(CRUMB, (0, -7, 0)), (CRUMB, (0, 0, 90))],
        [(CRUMB, (9, 9, 9)), (CRUMB, (0, 8, 8))],
    ],
)
def test_crumbs_far_away_do_not_count(others):
    assert largest(BODY, *others) == pytest.approx(0.1)


@pytest.mark.parametrize(
    "other",
    [
        (CRUMB, (0.19, 0, 0)),  # nearer than the body is long
        ((0.1, 0.06, 0.03), (5, 0, 0)),  # as large as the body
        ((9, 0.0005, 0.0005), (0.1, 0, 0)),  # an antenna
    ],
)
def test_what_is_near_or_large_counts(other):
    every = placed(BODY, other)[0]
    assert largest(BODY, other) == pytest.approx(np.ptp(every, axis=0).max())


def test_a_single_triangle_is_the_whole():
    box_of = without_far_parts(np.eye(3), [(0, 1, 2)])
    assert np.array_equal(box_of, [[0, 0, 0], [1, 1, 1]])
