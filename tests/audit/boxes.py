"""Small data sets of boxes, rendered by the flat engine, and their meshes for the ray cast."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace

import numpy as np

from blendgen.dataset.rows import row_from
from blendgen.geometry.mesh import Mesh
from blendgen.models.product import Catalog
from blendgen.verification.rays.findings import Findings
from blendgen.verification.rays.row_check import Checker, Geometry
from tests.conftest import make_class_table, make_product
from tests.exporters.conftest import make_dataset

# the corners of a unit box are numbered like the digits of x, y, z
_QUADS = [(0, 2, 6, 4), (1, 5, 7, 3), (0, 4, 5, 1), (2, 3, 7, 6), (0, 1, 3, 2), (4, 6, 7, 5)]
_TRIANGLES = np.array([(a, b, c) for a, b, c, _ in _QUADS] + [(a, c, d) for a, _, c, d in _QUADS], np.int32)
SIZES = {"brick": (0.1, 0.06, 0.03), "plate": (0.12, 0.08, 0.008), "cube": (0.05, 0.05, 0.05)}


def make_mesh(name: str, vertices, triangles, pose=None, see_through=()) -> Mesh:
    triangles = np.asarray(triangles, np.int32)
    to_world = np.eye(4) if pose is None else np.array(pose, float)
    slots = np.zeros(len(triangles), np.int32)
    return Mesh(name, np.asarray(vertices, float), triangles, slots, frozenset(see_through), to_world)


def box_mesh(product, pose=None, name=None) -> Mesh:
    """The box of a product, as the flat engine renders it."""
    x, y, z = product.size_m
    corners = itertools.product((-x / 2, x / 2), (-y / 2, y / 2), (0.0, z))
    return make_mesh(name or product.name, list(corners), _TRIANGLES, pose)


def ground() -> Mesh:
    corners = [(-9, -9, 0), (9, -9, 0), (9, 9, 0), (-9, 9, 0)]
    return make_mesh("ground", corners, [(0, 1, 2), (0, 2, 3)])


def boxes() -> Catalog:
    products = tuple(make_product(name, "box", size) for name, size in SIZES.items())
    hanging = make_product("occluder bar", "box", (1.2, 0.02, 0.02))
    return Catalog(products, occluders=(hanging,))


def geometry(catalog: Catalog) -> Geometry:
    """The geometry that the flat engine renders, as triangles."""

    def of_shot(shot):
        placed = [(f"product_{one.instance_id}", one) for one in shot.products]
        placed += [
            (f"thing_{number}", one) for number, one in enumerate((*shot.distractors, *shot.occluders))
        ]
        return [ground(), *(box_mesh(catalog.product(one.product), one.object_to_world, name)
                            for name, one in placed)]  # fmt: skip

    return Geometry(of_shot, box_mesh, lambda instance_id: f"product_{instance_id}")


def make_set(folder, count=8, **spec):
    """A data set of boxes; returns its Checker."""
    catalog = boxes()
    settings = {"resolution": [128, 96], "output": {"depth": True}, "exposures_per_shot": 1}
    root = make_dataset(
        folder, catalog, count, **{**settings, "products_per_image": {"integers": [2, 4]}, **spec}
    ).root
    only_products = replace(catalog, occluders=())
    return Checker(root, catalog, make_class_table(only_products), {}, geometry(catalog))


def rows_of(checker: Checker) -> list[dict]:
    """Rows as plain JSON, which tests may change."""
    return [json.loads(line) for line in (checker.root / "manifest.jsonl").read_text("utf-8").splitlines()]


def check(checker: Checker, row: dict) -> Findings:
    """Findings of a row that a test may have changed."""
    return checker.check(row_from(row))
