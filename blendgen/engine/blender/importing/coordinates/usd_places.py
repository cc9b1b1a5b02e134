"""USD places: where the prims of a stage and their points are, in double precision. Needs Blender's pxr.

Points are single precision by their schema, transforms are double. Gf matrices act on rows; here they act on
columns, as in all of blendgen.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from blendgen.engine.blender.importing.coordinates.origin import (
    coordinate_fault,
    lost_precision,
    shift_to_origin,
)
from blendgen.engine.blender.importing.preflight import ImportRefused

_UNKNOWN = np.array([(-1.0, -1.0, -1.0), (1.0, 1.0, 1.0)])  # of shapes without points, or with other types


@dataclass
class PlacedPrim:
    """A prim with a transform.

    to_world: (4, 4); resets: it does not inherit the transform of its parent
    points: (n, 3) in its own frame, None for a group; is_double: they are stored in double precision
    """

    prim: Any
    to_world: np.ndarray
    resets: bool
    points: np.ndarray | None
    is_double: bool


def placed_prims(stage: Any) -> list[PlacedPrim]:
    """All active prims with a transform, parents first; raises ImportRefused if one is not finite."""
    from pxr import Usd, UsdGeom

    transforms = UsdGeom.XformCache(Usd.TimeCode.EarliestTime())
    prims = [
        p
        for p in Usd.PrimRange(stage.GetPseudoRoot(), Usd.TraverseInstanceProxies())
        if p.IsA(UsdGeom.Xformable)
    ]
    return [_placed(prim, transforms) for prim in prims]


def _placed(prim: Any, transforms: Any) -> PlacedPrim:
    from pxr import Usd, UsdGeom, Vt

    to_world = np.array(transforms.GetLocalToWorldTransform(prim)).T
    resets = UsdGeom.Xformable(prim).GetResetXformStack()
    points, is_double = None, False
    if prim.IsA(UsdGeom.Boundable):
        stored = (
            prim.GetAttribute("points").Get(Usd.TimeCode.EarliestTime())
            if prim.IsA(UsdGeom.PointBased)
            else None
        )
        is_double = isinstance(stored, Vt.Vec3dArray)
        is_points = isinstance(stored, (Vt.Vec3fArray, Vt.Vec3dArray, Vt.Vec3hArray))
        points = np.array(stored, dtype=np.float64).reshape(-1, 3) if is_points else _UNKNOWN
    for values in (to_world, points if points is not None else _UNKNOWN):
        fault = coordinate_fault(values)
        if fault:
            raise ImportRefused(fault)
    return PlacedPrim(prim, to_world, resets, points, is_double)


def world_points(placed: list[PlacedPrim]) -> np.ndarray:
    """(n, 3) points of all prims in the world."""
    moved = [
        one.points @ one.to_world[:3, :3].T + one.to_world[:3, 3] for one in placed if one.points is not None
    ]
    return np.concatenate([np.empty((0, 3)), *moved])


def is_coarse(placed: list[PlacedPrim], points: np.ndarray) -> bool:
    return next(_faults(placed, points), None) is not None


def refuse_coarse(placed: list[PlacedPrim], points: np.ndarray) -> None:
    """Raise ImportRefused if single precision has lost the shape of a prim; points: of all, in the world."""
    fault = next(_faults(placed, points), None)
    if fault:
        raise ImportRefused(fault)


def _faults(placed: list[PlacedPrim], points: np.ndarray) -> Iterator[str]:
    for one in placed:
        if one.points is not None and not one.is_double:
            fault = lost_precision(one.points @ one.to_world[:3, :3].T, points, "units")
            if fault:
                yield fault


def move_prims(placed: list[PlacedPrim], shift: np.ndarray) -> None:
    """Subtract the shift from the places of all prims, and store points in single precision.

    A group far away from the moved points is put at the origin, so that no transform is large.
    """
    linear = {None: np.eye(3)} | {one.prim.GetPath(): one.to_world[:3, :3] for one in placed}
    places = {None: np.zeros(3)}
    for one in placed:
        center = np.zeros(3)
        if one.is_double and one.points is not None:
            center = _store_points(one.prim, one.points)
        place = one.to_world[:3, 3] + one.to_world[:3, :3] @ center - shift
        if one.points is None and np.abs(place).max() > np.abs(one.to_world[:3, 3]).max():
            place = np.zeros(3)
        places[one.prim.GetPath()] = place
        if shift.any() or center.any():
            above = _parent(one, places)
            inverse = np.linalg.pinv(linear[above])
            _set_local(one, inverse @ one.to_world[:3, :3], inverse @ (place - places[above]))


def _parent(one: PlacedPrim, places: dict[Any, np.ndarray]) -> Any:
    """The path of the nearest prim above with a transform, None at the top."""
    path = one.prim.GetPath().GetParentPath()
    while path.IsPrimPath() and path not in places:
        path = path.GetParentPath()
    return path if path.IsPrimPath() and not one.resets else None


def _set_local(one: PlacedPrim, linear: np.ndarray, translation: np.ndarray) -> None:
    from pxr import Gf, UsdGeom

    local = np.eye(4)
    local[:3, :3], local[:3, 3] = linear, translation
    transformable = UsdGeom.Xformable(one.prim)
    transformable.ClearXformOpOrder()
    transformable.AddTransformOp(opSuffix="placed").Set(Gf.Matrix4d(local.T.tolist()))
    transformable.SetResetXformStack(one.resets)


def _store_points(prim: Any, points: np.ndarray) -> np.ndarray:
    """Store points near the origin of their prim in single precision; returns what was subtracted, (3,)."""
    from pxr import Sdf, Vt

    center = shift_to_origin(points)
    spec = prim.GetStage().GetRootLayer().GetPrimAtPath(prim.GetPath())
    for name in ("points", "extent"):
        if name in spec.properties:
            spec.RemoveProperty(spec.properties[name])
    near = Vt.Vec3fArray.FromNumpy((points - center).astype(np.float32))
    Sdf.AttributeSpec(spec, "points", Sdf.ValueTypeNames.Point3fArray).default = near
    return center
