"""Products of one image never intersect: real meshes, compared triangle by triangle."""

from pathlib import Path

import numpy as np
import pytest

from blendgen.draw.shot import draw_shot
from blendgen.geometry.projection import transform_points
from blendgen.models.inventory import load_inventory
from blendgen.spec.load import load_spec

bpy = pytest.importorskip("bpy")

SPEC = """
blendgen: 1
name: apart
seed: 3
products: [{catalog: phones, models: [iphone_8, iphone_11_pro, iphone_13_mini, iphone_16]}]
products_per_image: {integers: [2, 5]}
placement: {arrangement: ARRANGEMENT, gap_m: {uniform: [0, 0.01]}, spread: {uniform: [0, 0.8]}}
sensor: ideal
render: smoke
"""


@pytest.fixture(scope="module")
def meshes():
    """product name -> (vertices (n, 3), triangles (m, 3)) of its cached asset."""
    from blendgen.engine.blender.session.models import _append

    loaded = {}

    def mesh_of(product):
        if product.name not in loaded:
            mesh, *_ = _append(product)
            mesh.calc_loop_triangles()
            vertices = np.empty(len(mesh.vertices) * 3, np.float32)
            triangles = np.empty(len(mesh.loop_triangles) * 3, np.int32)
            mesh.vertices.foreach_get("co", vertices)
            mesh.loop_triangles.foreach_get("vertices", triangles)
            loaded[product.name] = vertices.reshape(-1, 3).astype(float), triangles.reshape(-1, 3)
        return loaded[product.name]

    return mesh_of


@pytest.fixture
def inventory_of(tmp_path):
    from blendgen.engine.blender.importing.measurer import BlenderMeasurer

    def load(arrangement):
        file = Path(tmp_path / "spec.yaml")
        file.write_text(SPEC.replace("ARRANGEMENT", arrangement))
        spec_file = load_spec(file)
        return spec_file.spec, load_inventory(spec_file, BlenderMeasurer())

    return load


def near(points, other, margin_m=0.002) -> bool:
    """Whether the bounding boxes of two clouds overlap."""
    return bool(
        np.all(points.min(axis=0) - margin_m <= other.max(axis=0))
        and np.all(other.min(axis=0) - margin_m <= points.max(axis=0))
    )


def cut(one, other) -> bool:
    """Whether a triangle of one mesh intersects one of the other; each (vertices, triangles) in one frame.

    Only triangles within the other's box can, which leaves few of them.
    """
    from mathutils.bvhtree import BVHTree

    trees = []
    for (vertices, triangles), (points, _) in ((one, other), (other, one)):
        corners = vertices[triangles]
        low, high = points.min(axis=0), points.max(axis=0)
        close = np.all((corners.max(axis=1) >= low) & (corners.min(axis=1) <= high), axis=1)
        if not close.any():
            return False
        used, places = np.unique(triangles[close], return_inverse=True)
        trees.append(BVHTree.FromPolygons(vertices[used].tolist(), places.reshape(-1, 3).tolist()))
    return bool(trees[0].overlap(trees[1]))


def placed_meshes(shot, catalog, meshes):
    for placed in shot.products:
        vertices, triangles = meshes(catalog.product(placed.product))
        yield transform_points(placed.object_to_world, vertices), triangles


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("arrangement", "images"), [("apart", 60), ("pile", 30)])
def test_no_meshes_intersect_in_images_of_several_products(inventory_of, meshes, arrangement, images):
    spec, inventory = inventory_of(arrangement)
    pairs = 0
    for index in range(images):
        shot = draw_shot(spec, inventory.catalog, inventory.class_table, index)
        lying = list(placed_meshes(shot, inventory.catalog, meshes))
        for number, one in enumerate(lying):
            for other in lying[:number]:
                if near(one[0], other[0]):
                    pairs += 1
                    assert not cut(one, other), f"shot {index}"
    assert pairs > 40  # overlapping boxes are common; the meshes in them do not intersect


@pytest.mark.slow
def test_intersecting_meshes_are_detected(inventory_of, meshes):
    """So the test above can fail."""
    _, inventory = inventory_of("apart")
    vertices, triangles = meshes(inventory.catalog.products[0])
    assert cut((vertices, triangles), (vertices + (0.01, 0.02, 0.001), triangles))
    assert not cut((vertices, triangles), (vertices + (0, 0, np.ptp(vertices[:, 2]) + 0.0001), triangles))
