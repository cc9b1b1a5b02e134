"""What may be wrong with a model, in words."""

from __future__ import annotations

import numpy as np
import pytest

from blendgen.geometry.projection import rotation_about
from blendgen.models.doubts import doubts
from blendgen.models.product import Soundness, StablePose
from blendgen.models.source import Source
from tests.conftest import make_product, with_measured

SIZE_M = (0.1, 0.06, 0.03)


def doubted(path="a.stl", size_m=SIZE_M, unit=None, **measured):
    source = Source("a", "", "mesh", {"path": path, "unit": unit}, path)
    return list(doubts(source, with_measured(make_product("a", "box", size_m), **measured)))


def pose(about_x_deg, probability=1.0):
    rows = rotation_about([about_x_deg, 0, 0])
    return StablePose(tuple(tuple(row) for row in rows.tolist()), probability)


def test_a_sound_model_raises_no_doubt():
    assert doubted() == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"size_m": (3, 1, 1), "path": "a.glb"}, "3000 mm: wrong unit?"),
        ({"size_m": (300, 10, 10)}, "is it in mm? (unit: mm)"),
        ({"size_m": (3, 1, 1), "unit": "m"}, "3000 mm: wrong unit?"),
        ({"soundness": Soundness(bulk_m=0.01)}, "100 mm, without them 10 mm"),
        ({"soundness": Soundness(inside_share=0.2)}, "through holes, in 20% of the views"),
        ({"size_m": (0.2, 0.3, 0.0001)}, "hardly any thickness"),
        ({"triangles": 1_234_567}, "1,234,567 triangles"),
        ({"stable_poses": (pose(90, 0.6), pose(120, 0.4))}, "does y point up in its file? (up: y)"),
    ],
)
def test_what_is_unusual_is_said_once(changes, expected):
    (line,) = doubted(**changes)
    assert expected in line


@pytest.mark.parametrize(
    "changes",
    [
        {"soundness": Soundness(inside_share=0.01)},  # cracks
        {"soundness": Soundness(inside_share=0.5)},  # a sheet, which has two backs
        {"soundness": Soundness(has_colors=False)},
        {"size_m": (0.2, 0.3, 0.0009)},
        {"stable_poses": (pose(90, 0.9), pose(4, 0.1))},  # it can stand
        {"stable_poses": (pose(40, 0.5), pose(130, 0.5))},  # nor with another axis
        {"stable_poses": (pose(90),), "path": "a.glb"},  # its format states what is up
    ],
)
def test_what_is_usual_is_not(changes):
    assert doubted(**changes) == []


def test_a_unit_is_not_doubted_where_parts_are_far_away():
    (line,) = doubted(size_m=(50, 1, 1), soundness=Soundness(bulk_m=0.1))
    assert "far away" in line


def test_built_in_models_are_not_doubted():
    product = with_measured(make_product("a", "box", (9, 9, 9)), triangles=10**7)
    assert list(doubts(Source("a", "", "shape", {}, "a"), product)) == []


def test_the_file_names_its_own_axes():
    to_product = np.eye(4)
    to_product[:3, :3] = [[1, 0, 0], [0, 0, -1], [0, 1, 0]]  # y up in the file, as in most obj
    poses = (pose(90, 0.5), pose(-90, 0.5))
    (line,) = doubted("a.obj", stable_poses=poses, file_to_product=tuple(map(tuple, to_product.tolist())))
    assert "(up: z)" in line
