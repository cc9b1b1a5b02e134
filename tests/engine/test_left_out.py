"""Levels of detail, hulls and floors are left out; what may be the product never is."""

from __future__ import annotations

import numpy as np
import pytest

from blendgen.engine.blender.importing.left_out import Candidate, Choice, reasons_left_out

UNIT = ((0, 0, 0), (1, 1, 1))
LARGE_FLOOR = ((-5, -5, 0), (5, 5, 0))


def left_out(*objects, hide=(), show=()) -> list[str]:
    """The names of what is left out; objects: "name", "outer/name", or (name, box, more of Candidate)"""
    candidates = []
    for one in objects:
        name, box_m, *more = (one, UNIT) if isinstance(one, str) else one
        path = tuple(reversed(name.split("/")))
        candidates.append(Candidate(path, np.array(box_m, float), **(more[0] if more else {})))
    reasons = reasons_left_out(candidates, Choice(hide, show))
    return [one.names[0] for one, reason in zip(candidates, reasons, strict=True) if reason]


@pytest.mark.parametrize(
    "names",
    [
        ("mug_LOD0", "mug_LOD1", "mug_LOD2"),
        ("mug.lod0", "Mug.LOD1", "MUG_Lod_2.001"),
        ("LOD 0", "LOD 1", "LOD 2"),
        ("lod_0", "lod_1"),
        ("LOD0_mug", "LOD1_mug"),
        ("mugLOD0", "mugLOD1"),
        ("杯子LOD0", "杯子LOD1"),
        ("mug", "mug_LOD1", "mug_LOD2"),
        ("mug_LOD1", "mug_LOD2"),
        ("mug_LOD00", "mug_LOD01"),
        ("mug_LOD0_body", "mug_LOD1_body"),
        ("LOD0/body", "LOD1/everything", "LOD2/body.001"),
        ("mug/LOD0/body", "mug/LOD1/body.001"),
    ],
)
def test_the_best_level_of_detail_stays(names):
    assert left_out(*names) == [name.split("/")[-1] for name in names[1:]]


@pytest.mark.parametrize(
    "names",
    [
        ("LOD1",),
        ("mug_LOD1",),
        ("mug_LOD2", "handle"),
        ("body_LOD0", "handle_LOD1"),
        ("explod1", "explod2"),
        ("wall LOD 300", "wall LOD 350"),  # level of development, as in building models
        ("melody_1", "melody_2"),
        ("body_LOD0", "handle_LOD0"),
        ("cup/LOD0", "mug/LOD1"),
    ],
)
def test_without_a_better_level_of_the_same_object_all_stay(names):
    assert left_out(*names) == []


BARE = {"is_bare": True}


@pytest.mark.parametrize(
    "hull",
    ["UCX_mug", "ucx_mug_01", "UBX_mug", "UBX_anything", "USP_mug_00", "UCP_mug", "mug_collision",
     "Mug-colonly", "MugCollider", "mug_col", "mug_col.001", "Collisions/part", "UCX_mug/Object_3",
     ("USP_x", UNIT, BARE), ("x_col", UNIT, BARE)],
)  # fmt: skip
def test_a_hull_is_left_out(hull):
    assert len(left_out("mug", hull)) == 1


@pytest.mark.parametrize(
    "objects",
    [
        ["UCX_mug"],
        ["UCX_a", "mug_collision"],
        ["mug", "column", "protocol", "collar", "color"],
        ["magazine", "USP_slide", "wine_col"],
        ["cable", ("anti collision", ((0, 0, 0), (9, 9, 9)))],
        ["mug", "cup_col"],
    ],
)
def test_what_may_be_the_product_is_not_taken_for_a_hull(objects):
    remaining = len(objects) - len(left_out(*objects))
    assert remaining == len(objects)


@pytest.mark.parametrize(
    "name",
    ["Floor", "ground_plane", "GroundPlane", "shadow.001", "Plane", "Plane.003", "Boden", "Ebene",
     "地面", "пол", "Ground/Object_4"],
)  # fmt: skip
def test_a_flat_and_far_larger_floor_is_left_out(name):
    assert left_out("mug", (name, LARGE_FLOOR)) == [name.split("/")[-1]]


@pytest.mark.parametrize(
    "objects",
    [
        [("Plane", LARGE_FLOOR)],
        [("Plane", LARGE_FLOOR), ("floor", LARGE_FLOOR)],
        ["mug", ("Plane", ((-1, -1, 0), (1, 1, 0)))],
        ["mug", ("sheet", LARGE_FLOOR)],
        ["mug", ("floor", ((-5, -5, -1), (5, 5, 0)))],
        ["mug", ("floor", ((-5, -5, 0.5), (5, 5, 0.5)))],
        ["mug", ("floor", ((-5, 0, 0), (5, 1, 0)))],
        ["airplane", ("explanation", LARGE_FLOOR)],
        [("decal", ((0, 0, 0), (1, 1, 0))), ("Plane", LARGE_FLOOR)],
    ],
)
def test_what_may_be_the_product_is_not_taken_for_a_floor(objects):
    assert left_out(*objects) == []


def test_what_the_camera_does_not_see_is_left_out():
    assert left_out("mug", ("catcher", LARGE_FLOOR, {"unseen": "shadow catcher"})) == ["catcher"]


def test_patterns_decide_otherwise():
    floor, card = ("floor", LARGE_FLOOR), ("card", UNIT, {"unseen": "holdout"})
    objects = ["set/mug", "set/mug_LOD1", "UCX_mug", floor, card]
    assert left_out(*objects) == ["mug_LOD1", "UCX_mug", "floor", "card"]
    assert left_out(*objects, show=("*",)) == []
    assert left_out(*objects, show=("*lod*", "FLOOR", "card")) == ["UCX_mug"]
    assert left_out("mug", "stand/leg", hide=("stand",)) == ["leg"]
    assert left_out("mug", "leg", hide=("leg",), show=("leg",)) == ["leg"]
