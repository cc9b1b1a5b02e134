"""Convex parts: hollow models lie in piles as they are, real meshes compared triangle by triangle."""

from __future__ import annotations

import os

import numpy as np
import pytest

from blendgen.draw import polytope
from blendgen.draw.physics import Body, settle
from blendgen.engine.blender.importing.measurer import BlenderMeasurer
from blendgen.geometry.cavities import heights_above_hull, surface_points
from blendgen.geometry.hull import convex_hull, is_watertight
from blendgen.geometry.projection import transform_points
from blendgen.models.load import load_catalog
from blendgen.models.measuring.cache import AssetCache
from blendgen.models.source import Source
from tests.hollow_models import box, cup, obj, peg, ring, sheet_box, triangles

pytest.importorskip("bpy")
from mathutils.bvhtree import BVHTree

from blendgen.engine.blender.importing import decomposition, solid
from blendgen.engine.blender.importing.convex_parts import convex_parts
from blendgen.engine.blender.importing.findings import Findings

HANDLE = (ring(0.02, 0.008)[0][:, [0, 2, 1]] + [0.045, 0.004, 0.05], ring()[1])
IN_THE_MUG = (-0.0145, 0.0)  # the middle of its cavity; that of its bounding box is nearer to the handle
MESHES = {
    "box": (box(),),
    "mug": (cup(), HANDLE),
    "peg": (peg(),),
    "ring": (ring(),),
    "sheet_box": (sheet_box(),),
    "sealed": (box((0.1, 0.1, 0.1)), (ring()[0] + [0, 0, 0.05], ring()[1])),
}


def parts_of(mesh, findings=None):
    corners, faces = mesh[0], triangles(mesh)
    return convex_parts(corners, faces, convex_hull(corners), findings or Findings())


def test_a_convex_mesh_has_no_parts_and_is_not_decomposed(monkeypatch):
    monkeypatch.setattr(decomposition, "decomposed", None)
    assert parts_of(box()) == ()


def test_a_crash_of_the_decomposition_costs_the_parts_alone(monkeypatch):
    monkeypatch.setattr(decomposition, "_decomposed", lambda *_: os._exit(11))
    findings = Findings()
    assert parts_of(ring(), findings) == ()
    assert findings.notes == ["its cavities count as filled in piles: it has no convex decomposition"]


def test_a_decomposition_that_does_not_end_is_given_up(monkeypatch):
    monkeypatch.setattr(decomposition, "_LONGEST_S", 0.2)
    monkeypatch.setattr(decomposition, "_decomposed", lambda *_: os.read(os.pipe()[0], 1))
    assert parts_of(ring()) == ()


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """name -> Product, measured by the confined process."""
    folder = tmp_path_factory.mktemp("models")
    sources = []
    for name, meshes in MESHES.items():
        path = folder / f"{name}.obj"
        path.write_text(obj(*meshes))
        options = {"path": str(path), "unit": "m", "up": "z", "convex_parts": True}
        sources.append(Source(name, "", "mesh", options, name))
    cache = AssetCache(tmp_path_factory.mktemp("cache"))
    return {product.name: product for product in load_catalog(sources, BlenderMeasurer(), cache).products}


def mesh_of(name):
    corners = np.concatenate([mesh[0] for mesh in MESHES[name]])
    starts = np.cumsum([0, *(len(mesh[0]) for mesh in MESHES[name])])
    faces = np.concatenate([triangles(mesh) + at for mesh, at in zip(MESHES[name], starts, strict=False)])
    low, high = corners.min(axis=0), corners.max(axis=0)
    return corners - [*(low + high)[:2] / 2, low[2]], faces


@pytest.mark.slow
def test_the_parts_enclose_the_surface_and_leave_the_cavity_free(measured):
    convex = {name for name, product in measured.items() if not product.measured.convex_parts_m}
    assert convex == {"box", "sealed"}
    for name in ("mug", "peg", "ring", "sheet_box"):
        parts = measured[name].measured.convex_parts_m
        points = surface_points(*mesh_of(name), 3000)[0]
        outside = np.min([heights_above_hull(points, part) for part in parts], axis=0)
        assert outside.max() < 0.002 * max(measured[name].size_m), name
    for name, place in {"mug": (*IN_THE_MUG, 0.05), "ring": (0, 0, 0.006), "sheet_box": (0, 0, 0.05)}.items():
        parts = measured[name].measured.convex_parts_m
        assert min(heights_above_hull(np.array([place]), part)[0] for part in parts) > 0.01


LEVEL = np.eye(3)
TIPPED = np.array([[1, 0, 0], [0, 0.28, -0.96], [0, 0.96, 0.28]])
# what falls, how, and above which place; between which heights all but the first have their lowest points
PILES = {
    "rings on a peg": (
        [("peg", LEVEL, (0, 0)), ("ring", LEVEL, (0, 0)), ("ring", LEVEL, (0, 0))],
        (0.01, 0.03),
    ),
    "in a box": (
        [("sheet_box", LEVEL, (0, 0)), ("box", LEVEL, (0, 0)), ("mug", TIPPED, (0, 0))],
        (0.0, 0.02),
    ),
    "in a mug": ([("mug", LEVEL, (0, 0)), ("box", TIPPED, IN_THE_MUG)], (0.004, 0.02)),
    "mugs on their sides": ([("mug", TIPPED, (0, 0)), ("mug", TIPPED, (0.05, 0))], (0.0, 0.05)),
}


@pytest.mark.slow
@pytest.mark.parametrize("pile", PILES)
def test_things_settle_within_others_and_no_two_meshes_meet(measured, pile):
    things, (low, high) = PILES[pile]
    bodies = [
        Body(polytope.of_product(measured[name]), turn, np.array(place, float))
        for name, turn, place in things
    ]
    meshes = [mesh_of(name) for name, *_ in things]
    poses = settle(bodies, [], 0.0)
    placed = [transform_points(pose, corners) for pose, (corners, _) in zip(poses, meshes, strict=True)]
    trees = [
        BVHTree.FromPolygons(corners.tolist(), faces.tolist())
        for corners, (_, faces) in zip(placed, meshes, strict=True)
    ]
    assert not any(one.overlap(other) for i, one in enumerate(trees) for other in trees[:i])
    assert all(low - 0.001 < corners[:, 2].min() < high for corners in placed[1:])


def test_a_mesh_of_many_triangles_is_coarse_before_it_is_closed(monkeypatch):
    monkeypatch.setattr(solid, "_MANY_TRIANGLES", 40)
    corners, faces = np.round(ring()[0] / np.ptp(ring()[0]) / 0.004) * 0.004, triangles(ring())
    doubled = np.concatenate([corners, corners + 1e-5]), np.concatenate([faces, faces + len(corners)])
    coarse = solid._on_grid(*doubled)
    assert len(coarse[1]) == len(faces)
    closed = solid.solid(*doubled)
    assert is_watertight(*closed) and 40 < len(closed[1]) <= 700
    assert np.abs(np.ptp(closed[0], axis=0) - np.ptp(corners, axis=0)).max() < 0.02
