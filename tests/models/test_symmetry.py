"""Stated rotations are completed to a group; a shape that does not have them is detected."""

from __future__ import annotations

import numpy as np
import pytest

from blendgen.models.symmetry import Turn, misfit_m, symmetries
from tests.conftest import box_hull, sphere_hull

MIDDLE = np.array([0.0, 0.0, 0.05])
X, Y, Z = np.eye(3)


def turn(axis, fold=None, through=MIDDLE) -> Turn:
    return Turn(np.asarray(axis), np.asarray(through), fold)


@pytest.mark.parametrize(
    ("turns", "count"),
    [
        ([], 0),
        ([turn(Z, 2)], 1),
        ([turn(Z, 6)], 5),
        ([turn(Z, 2), turn(X, 2)], 3),
        ([turn(Z, 4), turn(X, 2)], 7),
        ([turn(Z, 4), turn(X, 4)], 23),
        ([turn(Z, 36), turn(X, 2)], 71),
        ([turn(Z, 2), turn(Z, 2)], 1),
    ],
)
def test_the_stated_turns_make_a_whole_group(turns, count):
    matrices = [np.array(m) for m in symmetries(turns).discrete]
    assert len(matrices) == count
    for one in matrices:
        assert np.allclose(one[:3, :3] @ one[:3, :3].T, np.eye(3)) and np.linalg.det(one[:3, :3]) > 0
        np.testing.assert_allclose(one @ [*MIDDLE, 1], [*MIDDLE, 1], atol=1e-9)
        every = np.stack([np.eye(4), *matrices])
        for other in matrices:
            assert np.abs(every - one @ other).max(axis=(1, 2)).min() < 1e-9


def test_axes_that_do_not_fit_together_are_refused():
    with pytest.raises(ValueError, match="infinitely many"):
        symmetries([turn(Z, 4), turn([0, np.sin(0.3), np.cos(0.3)], 3)])
    with pytest.raises(ValueError, match="infinitely many"):
        symmetries([turn(Z, 2), turn(Z, 2, (0.01, 0, 0))])


def test_continuous_symmetries_are_kept_as_axis_and_point():
    assert symmetries([turn(Y)]).continuous == (((0, 1, 0), (0, 0, 0.05)),)


@pytest.mark.parametrize(
    ("hull", "stated", "off_mm"),
    [
        (box_hull((0.1, 0.1, 0.1)), turn(X, 4), 0),
        (box_hull((0.1, 0.06, 0.1)), turn(Z, 2), 0),
        (box_hull((0.1, 0.06, 0.1)), turn(Z, 4), 20),
        (sphere_hull(0.1), turn(X), 0),
        (sphere_hull(0.1), turn(Z, 2, (0.01, 0, 0)), 20),
        (box_hull((0.1, 0.06, 0.0)), turn(Z, 2), 0),
    ],
)
def test_the_misfit_is_how_far_the_turned_shape_lies_off(hull, stated, off_mm):
    assert 1000 * misfit_m(hull, stated) == pytest.approx(off_mm, abs=0.4)
