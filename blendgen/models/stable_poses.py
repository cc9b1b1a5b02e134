"""Stable poses: the ways in which a product rests on a level surface, and how probable each is.

Quasi-static tumbling of the convex hull (Goldberg et al. 1999, "Part pose statistics"): the
product is dropped in a random orientation, meets the surface with some facet of its hull and topples from
facet to facet until its centre of mass is above the facet that it stands on. There are no dynamics: bouncing
over a shallow edge is not modelled.
"""

from __future__ import annotations

import numpy as np

from blendgen.geometry.cavities import SHALLOW, looks_convex, openness, surface_center
from blendgen.geometry.hull import (
    center_of_mass,
    convex_hull,
    hull_triangles,
    is_flat,
    is_watertight,
    plane_normal,
)
from blendgen.models.product import StablePose

MIN_PROBABILITY = 0.02
MERGE_DEG = 5.0
# Round sides have many neighbouring poses, each improbable: they are judged together.
FAMILY_DEG = 15.0
MAX_POSES = 128
_COPLANAR_RAD = 1e-4
_TOLERANCE = 1e-7
# openness: more than the cracks between the faces of a solid have, and less than a bowl (0.5), a cube without
# a lid (0.2) or a can without one of up to 4.5 radii; of taller cans the centre is too low by 5 to 8 % of
# their height
_CRACKS = 0.1


def stable_poses(vertices_m, triangles=None, hull_m=None) -> tuple[StablePose, ...]:
    """The stable poses of a solid, most probable first; there is always at least one.

    vertices_m: (n, 3) finite, not all in one place
    triangles: (t, 3) indices; the centre of mass is that of the solid that they bound, of their surface if it
        is open, or of the hull if they cover it
    hull_m: (k, 3) the vertices of the convex hull, where they are known
    """
    hull_m = convex_hull(vertices_m) if hull_m is None else hull_m
    if is_flat(hull_m):
        normal = plane_normal(hull_m)
        return _poses(np.stack([-normal, normal]), np.array([0.5, 0.5]))
    middle, scale = hull_m.mean(axis=0), np.ptp(hull_m, axis=0).max()
    hull = (hull_m - middle) / scale
    center = (_solid_center(vertices_m, triangles, hull_m) - middle) / scale
    down, probability = _stable_facets(hull, center)
    return _poses(*_probable(*_merged(down, probability)))


def _solid_center(vertices_m, triangles, hull_m: np.ndarray) -> np.ndarray:
    facets, _, normals = hull_triangles(hull_m)
    if triangles is not None:
        center = _own_center(vertices_m, triangles, hull_m)
        heights = np.einsum("ij,ij->i", normals, hull_m[facets[:, 0]] - center)
        if np.isfinite(center).all() and heights.min() > 0:
            return center
    return center_of_mass(hull_m, facets)


def _own_center(vertices_m, triangles, hull_m: np.ndarray) -> np.ndarray:
    """(3,) centre of mass of the solid inside a mesh, or of an open surface; NaN: that of the hull."""
    vertices = np.asarray(vertices_m, dtype=np.float64)
    closed = is_watertight(vertices, triangles)
    if not closed and looks_convex(vertices, triangles, hull_m, SHALLOW):
        return np.full(3, np.nan)
    if not closed and openness(vertices, triangles) > _CRACKS:
        return surface_center(vertices, triangles)
    with np.errstate(divide="ignore", invalid="ignore"):
        return center_of_mass(vertices, triangles)


def _stable_facets(hull: np.ndarray, center: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Outward normals (k, 3) of the facets on which the hull rests, and their probabilities (k,)."""
    triangles, neighbours, normals = hull_triangles(hull)
    facet = _coplanar_groups(neighbours, normals)
    count = facet.max() + 1
    first = np.unique(facet, return_index=True)[1]
    landing = np.bincount(facet, _solid_angles(hull[triangles] - center), count) / (4 * np.pi)
    resting = _toppled(hull, center, triangles, neighbours, normals, facet)
    probability = np.bincount(resting, landing, count)
    stable = np.flatnonzero(probability)
    return normals[first[stable]], probability[stable] / probability.sum()


def _coplanar_groups(neighbours: np.ndarray, normals: np.ndarray) -> np.ndarray:
    """(t,) number of the facet that each hull triangle belongs to."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    count = len(normals)
    here, there = np.repeat(np.arange(count), 3), neighbours.ravel()
    coplanar = np.linalg.norm(normals[here] - normals[there], axis=1) < _COPLANAR_RAD
    links = coo_matrix((np.ones(coplanar.sum()), (here[coplanar], there[coplanar])), shape=(count, count))
    return connected_components(links, directed=False)[1]


def _solid_angles(corners: np.ndarray) -> np.ndarray:
    """(t,) steradians under which (t, 3, 3) triangles are seen from the origin.

    source: Van Oosterom and Strackee 1983
    """
    a, b, c = np.moveaxis(corners, 1, 0)
    la, lb, lc = (np.linalg.norm(v, axis=1) for v in (a, b, c))
    dot_ab, dot_bc, dot_ca = (np.einsum("ij,ij->i", u, v) for u, v in ((a, b), (b, c), (c, a)))
    volume = np.abs(np.einsum("ij,ij->i", a, np.cross(b, c)))
    return 2 * np.arctan2(volume, la * lb * lc + dot_ab * lc + dot_bc * la + dot_ca * lb)


def _toppled(hull, center, triangles, neighbours, normals, facet) -> np.ndarray:
    """(f,) facet on which the hull comes to rest after it meets the surface with each facet."""
    start, end = hull[np.roll(triangles, -1, axis=1)], hull[np.roll(triangles, -2, axis=1)]
    outward = np.cross(end - start, normals[:, None, :])
    outward /= np.linalg.norm(outward, axis=2, keepdims=True)
    overhang = np.einsum("tki,tki->tk", center - start, outward)
    height = np.einsum("ij,ij->i", normals, hull[triangles[:, 0]] - center)
    lower = height[neighbours] < height[:, None]
    leaves = lower & (facet[neighbours] != facet[:, None]) & (overhang > _TOLERANCE)
    next_facet = np.arange(facet.max() + 1)
    tri, corner = np.nonzero(leaves)
    order = np.argsort(overhang[tri, corner], kind="stable")
    next_facet[facet[tri[order]]] = facet[neighbours[tri, corner]][order]  # the largest overhang wins
    for _ in range(len(next_facet).bit_length()):
        next_facet = next_facet[next_facet]
    return next_facet


def _merged(down: np.ndarray, probability: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """At most MAX_POSES poses, neighbours merged into the most probable one; and the angle used, degrees."""
    angle_deg = MERGE_DEG
    while True:
        chosen, total = _join_neighbours(down, probability, angle_deg)
        if len(chosen) <= MAX_POSES:
            return down[chosen], total, angle_deg
        angle_deg *= 1.5


def _join_neighbours(down, probability, angle_deg: float) -> tuple[list[int], np.ndarray]:
    left = np.ones(len(down), dtype=bool)
    chosen, total = [], []
    for i in _by_probability(down, probability):
        if left[i]:
            near = left & (down @ down[i] >= np.cos(np.radians(angle_deg)))
            chosen.append(i)
            total.append(probability[near].sum())
            left &= ~near
    return chosen, np.array(total)


def _by_probability(down: np.ndarray, probability: np.ndarray) -> np.ndarray:
    """Order: most probable first; ties by direction, rounded so that tiny errors do not matter."""
    keys = np.round(np.column_stack([down, -probability]), 9)
    return np.lexsort(keys.T)


def _probable(down, probability, merge_deg: float) -> tuple[np.ndarray, np.ndarray]:
    """The poses whose family (neighbours of neighbours) is probable enough; their probabilities sum to 1."""
    from scipy.sparse.csgraph import connected_components

    near = down @ down.T >= np.cos(np.radians(max(FAMILY_DEG, 2 * merge_deg)))
    family = connected_components(near, directed=False)[1]
    share = np.bincount(family, probability)[family]
    likely = share >= min(MIN_PROBABILITY, share.max())
    return down[likely], probability[likely] / probability[likely].sum()


def _poses(down: np.ndarray, probability: np.ndarray) -> tuple[StablePose, ...]:
    return tuple(
        StablePose(tuple(map(tuple, rotation_to_down(down[i]).tolist())), float(probability[i]))
        for i in _by_probability(down, probability)
    )


def rotation_to_down(direction) -> np.ndarray:
    """(3, 3) rotation of least angle that turns a unit direction to (0, 0, -1); upside down about X."""
    x, y, z = np.asarray(direction, dtype=np.float64)
    if z > 1 - 1e-12:
        return np.diag([1.0, -1.0, -1.0])
    axis = np.array([-y, x, 0.0])  # direction x (0, 0, -1), whose length is the sine
    cross = np.array([[0, 0, axis[1]], [0, 0, -axis[0]], [-axis[1], axis[0], 0]])
    rotation = np.eye(3) + cross + cross @ cross / (1 - z)
    return np.round(rotation, 12) + 0.0
