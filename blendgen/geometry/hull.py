"""Hull: convex hull and centre of mass of a point cloud; float64, any unit.

Flat clouds are not a special case for the caller: a sheet or a rod has a hull too, without volume.
SciPy is loaded on first use, so that the command line starts without it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from blendgen.geometry.arrays import Array3, FloatArray, IntegersN, PointsN3, TrianglesM3

# a cloud is flat if its thickness, divided by its largest extent, is at most this
FLATNESS = 1e-5
# of the largest extent: half a pixel of a product that is 2,000 long; a ball then has some 12,000 vertices
COARSE = 2e-4


def convex_hull(vertices_m: ArrayLike, most: int | None = None) -> PointsN3:
    """The vertices of the convex hull, sorted by x, y and z, without duplicates.

    vertices_m: (n, 3), n >= 1, finite
    most: a hull with more vertices, as a finely meshed ball has, leaves out some: each is outside of it by at
        most COARSE of the largest extent
    returns: (k, 3) float64
    """
    vertices = np.unique(np.asarray(vertices_m, dtype=np.float64), axis=0)
    scale = np.ptp(vertices, axis=0).max()
    if len(vertices) < 3 or scale == 0:
        return vertices
    centred = (vertices - vertices.mean(axis=0)) / scale
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    dimensions = int((np.ptp(centred @ axes.T, axis=0) > FLATNESS).sum())
    points = (centred @ axes.T)[:, :dimensions]
    on_hull = _hull_indices(points)
    if most is not None and len(on_hull) > most:
        on_hull = on_hull[_hull_indices(points[on_hull], f"Qt W{COARSE}")]
    return vertices[on_hull]


def _hull_indices(points: FloatArray, qhull_options: str | None = None) -> IntegersN:
    from scipy.spatial import ConvexHull

    if points.shape[1] == 1:
        return np.unique([np.argmin(points), np.argmax(points)])
    return np.sort(ConvexHull(points, qhull_options=qhull_options).vertices)


def is_flat(vertices_m: ArrayLike) -> bool:
    """Whether the vertices lie in one plane (or on one line)."""
    vertices = np.asarray(vertices_m, dtype=np.float64)
    return bool(_thickness(vertices) <= FLATNESS * np.ptp(vertices, axis=0).max())


def plane_normal(vertices_m: ArrayLike) -> Array3:
    """(3,) unit normal of the plane that fits the vertices best; its largest component is positive."""
    vertices = np.asarray(vertices_m, dtype=np.float64)
    padded = np.vstack([vertices - vertices.mean(axis=0), np.zeros((3, 3))])
    normal = np.linalg.svd(padded, full_matrices=False)[2][2]
    return normal * np.sign(normal[np.argmax(np.abs(normal))])


def _thickness(vertices: PointsN3) -> float:
    return float(np.ptp(vertices @ plane_normal(vertices)))


def hull_triangles(vertices: PointsN3) -> tuple[TrianglesM3, TrianglesM3, PointsN3]:
    """Facets of the convex hull of a cloud that is not flat.

    returns: triangles (t, 3): indices into vertices, counter-clockwise seen from outside;
        neighbours (t, 3): the triangle across the edge opposite to corner k; normals (t, 3): outward
    """
    from scipy.spatial import ConvexHull

    hull = ConvexHull(vertices)
    triangles, neighbours = hull.simplices.copy(), hull.neighbors.copy()
    normals = hull.equations[:, :3]
    a, b, c = (vertices[triangles[:, k]] for k in range(3))
    clockwise = np.einsum("ij,ij->i", np.cross(b - a, c - a), normals) < 0
    triangles[clockwise] = triangles[clockwise][:, [0, 2, 1]]
    neighbours[clockwise] = neighbours[clockwise][:, [0, 2, 1]]
    return triangles, neighbours, normals


def center_of_mass(vertices_m: ArrayLike, triangles: ArrayLike) -> Array3:
    """(3,) centre of mass of the solid of uniform density inside a closed surface."""
    corners = np.asarray(vertices_m, dtype=np.float64)[np.asarray(triangles)]
    origin = corners.reshape(-1, 3).mean(axis=0)
    a, b, c = np.moveaxis(corners - origin, 1, 0)
    volumes = np.einsum("ij,ij->i", a, np.cross(b, c)) / 6
    return origin + volumes @ (a + b + c) / 4 / volumes.sum()


def is_watertight(vertices_m: ArrayLike, triangles: ArrayLike) -> bool:
    """Whether two triangles share each edge in opposite directions, after equal vertices are merged."""
    _, welded = np.unique(np.asarray(vertices_m), axis=0, return_inverse=True)
    corners = welded.reshape(-1)[np.asarray(triangles)]
    proper = (corners != np.roll(corners, 1, axis=1)).all(axis=1)
    edges = np.concatenate([corners[proper][:, [k, (k + 1) % 3]] for k in range(3)]).astype(np.int64)
    forward = np.sort(edges[:, 0] * len(welded) + edges[:, 1])
    backward = np.sort(edges[:, 1] * len(welded) + edges[:, 0])
    return len(edges) > 0 and bool((np.diff(forward) > 0).all()) and np.array_equal(forward, backward)
