"""Near: moves the objects of the open scene to the origin before Blender combines their transforms.

For files whose own numbers are not changed before the import, such as .blend. Blender multiplies transforms
in single precision, so the parts of a group far from the origin would be displaced by its steps there.
"""

from __future__ import annotations

from collections.abc import Iterator

import bpy
import numpy as np

from blendgen.engine.blender.importing.coordinates.origin import lost_precision, shift_to_origin
from blendgen.engine.blender.importing.preflight import ImportRefused

_SOLID = {"MESH", "CURVE", "SURFACE", "FONT", "META"}
_Place = tuple[bpy.types.Object, np.ndarray, np.ndarray]


def move_near() -> np.ndarray:
    """Move the objects of the scene to the origin if they are far from it, compared with their size.

    returns: (3,) metres that were subtracted from their places; zeros if they are near
    raises: ImportRefused if single precision has lost the shape of the model
    """
    tops = [owner for owner in bpy.context.scene.objects if owner.parent is None]
    places = [place for top in tops for place in _places(top, np.eye(4))]
    boxes = [_box(owner, to_world) for owner, _, to_world in places if owner.type in _SOLID]
    points = np.concatenate([np.empty((0, 3)), *boxes])
    if not np.isfinite(points).all():  # the evaluated meshes are checked later
        return np.zeros(3)
    shift_m = shift_to_origin(points)
    if shift_m.any():
        _move_all(places, shift_m, points)
    return shift_m


def _places(owner: bpy.types.Object, above: np.ndarray) -> Iterator[_Place]:
    """An object and its descendants: the (4, 4) transform to the world of what is above it, and its own."""
    to_world = above @ np.array(owner.matrix_basis, dtype=np.float64)
    yield owner, above, to_world
    for child in owner.children:
        yield from _places(child, to_world @ np.array(child.matrix_parent_inverse, dtype=np.float64))


def _box(owner: bpy.types.Object, to_world: np.ndarray) -> np.ndarray:
    return np.array(owner.bound_box, dtype=np.float64) @ to_world[:3, :3].T + to_world[:3, 3]


def _move_all(places: list[_Place], shift_m: np.ndarray, points: np.ndarray) -> None:
    """Move objects, and so their descendants; of a group that is nearer to the origin move the children."""
    moved: dict[bpy.types.Object, np.ndarray] = {}
    for owner, above, to_world in places:
        relative = _box(owner, to_world) - to_world[:3, 3]
        if owner.type in _SOLID:
            _refuse(lost_precision(relative, points, "m"))
        is_far = np.abs(to_world[:3, 3]).max() >= np.abs(to_world[:3, 3] - shift_m).max()
        if (owner.type != "EMPTY" or is_far) and not _ancestors(owner) & moved.keys():
            moved[owner] = to_world[:3, 3]
            place = np.array(owner.location, dtype=np.float64) - np.linalg.pinv(above[:3, :3]) @ shift_m
            owner.location = place.tolist()
    apart = [place for owner, place in moved.items() if _has_surface(owner)]
    if len(apart) > 1:
        _refuse(lost_precision(np.array(apart), points, "m"))


def _has_surface(owner: bpy.types.Object) -> bool:
    return owner.type in _SOLID or any(child.type in _SOLID for child in owner.children_recursive)


def _ancestors(owner: bpy.types.Object) -> set[bpy.types.Object]:
    ancestors, above = set(), owner.parent
    while above is not None:
        ancestors.add(above)
        above = above.parent
    return ancestors


def _refuse(fault: str | None) -> None:
    if fault:
        raise ImportRefused(fault)
