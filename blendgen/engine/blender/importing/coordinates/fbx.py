"""FBX: moves the models of a binary FBX file to the origin, in double precision. Needs a module of Blender.

Vertices and translations are doubles in the file; Blender makes both single precision. A null far away from
the moved models is put at the origin, so that no transform is large.
source: Autodesk, FBX SDK, Computing transformation matrices (T Roff Rp Rpre R Rpost^-1 Rp^-1 Soff Sp S Sp^-1)
"""

from __future__ import annotations

import struct
import zlib
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from blendgen.engine.blender.importing.coordinates.origin import lost_precision, shift_to_origin
from blendgen.engine.blender.importing.preflight import ImportRefused

_ORDERS = ("XYZ", "XZY", "YZX", "YXZ", "ZXY", "ZYX")
_DAMAGED = (LookupError, TypeError, ValueError, StopIteration, OSError, struct.error, zlib.error)
_PROPERTIES = b"Properties70"
_FIRST_VERSION = 7000  # older files name their objects instead of numbering them
_ADDERS = {
    "B": "bool",
    "C": "char",
    "Z": "int8",
    "Y": "int16",
    "I": "int32",
    "L": "int64",
    "F": "float32",
    "D": "float64",
    "R": "bytes",
    "S": "string",
    "i": "int32_array",
    "l": "int64_array",
    "f": "float32_array",
    "d": "float64_array",
    "b": "bool_array",
    "c": "byte_array",
}


@dataclass
class _Model:
    """A model of the file; world: (4, 4) to the world; shape: (4, 4) from its geometry to itself."""

    element: Any
    parent: int
    world: np.ndarray
    shape: np.ndarray
    geometries: list[Any] = field(default_factory=list)


def move_fbx(file: Path, copy: Path) -> np.ndarray:
    """Write a copy of an FBX file at the origin, if its models are far from it.

    returns: (3,) that was subtracted from their coordinates; zeros if there is no copy
    raises: ImportRefused if single precision has lost the shape
    """
    from io_scene_fbx import encode_bin, parse_fbx

    try:
        root, version = parse_fbx.parse(str(file))
        models = _models(root) if version >= _FIRST_VERSION else {}
        points = _world_points(models.values())
    except _DAMAGED:  # left to Blender, which reads the file or names the reason
        return np.zeros(3)
    shift = shift_to_origin(points)
    if shift.any():
        _refuse_coarse(models.values(), points)
        _move(root, models, shift)
        encode_bin.write(str(copy), _encoded(root, encode_bin.FBXElem), version)
    return shift


def _models(root: Any) -> dict[int, _Model]:
    """By their ids, parents before children."""
    objects = {e.props[0]: e for e in _child(root, b"Objects").elems if e.props}
    links = [(c.props[1], c.props[2]) for c in _child(root, b"Connections").elems if c.props[0] == b"OO"]
    children: dict[int, list[int]] = {}
    for child, parent in links:
        children.setdefault(parent, []).append(child)
    models: dict[int, _Model] = {}
    waiting = [(0, child) for child in children.get(0, ())]
    while waiting:
        parent, number = waiting.pop()
        element = objects.get(number)
        if element is not None and element.id == b"Model" and number not in models:
            above = models[parent].world if parent else np.eye(4)
            models[number] = _Model(element, parent, above @ _local(element), _geometric(element))
            below = children.get(number, ())
            models[number].geometries = [objects[i] for i in below if _has_vertices(objects.get(i))]
            waiting += [(number, child) for child in below]
    return models


def _child(element: Any, name: bytes) -> Any:
    return next(one for one in element.elems if one.id == name)


def _has_vertices(element: Any) -> bool:
    return element is not None and element.id == b"Geometry" and element.props[-1] == b"Mesh" and any(
        one.id == b"Vertices" and len(one.props[0]) > 2 for one in element.elems
    )  # fmt: skip


def _properties(element: Any) -> dict[bytes, Any]:
    listed = next((one.elems for one in element.elems if one.id == _PROPERTIES), ())
    return {one.props[0]: one for one in listed}


def _vector(properties: dict[bytes, Any], name: bytes, default: float = 0.0) -> np.ndarray:
    return np.array(properties[name].props[4:7] if name in properties else (default,) * 3, dtype=np.float64)


def _local(element: Any) -> np.ndarray:
    properties = _properties(element)
    order = properties[b"RotationOrder"].props[4] if b"RotationOrder" in properties else 0
    pivot, scale_pivot = _vector(properties, b"RotationPivot"), _vector(properties, b"ScalingPivot")
    return (
        _translation(_vector(properties, b"Lcl Translation") + _vector(properties, b"RotationOffset") + pivot)
        @ _rotation(_vector(properties, b"PreRotation"))
        @ _rotation(_vector(properties, b"Lcl Rotation"), _ORDERS[order % len(_ORDERS)])
        @ _rotation(_vector(properties, b"PostRotation")).T
        @ _translation(-pivot + _vector(properties, b"ScalingOffset") + scale_pivot)
        @ np.diag([*_vector(properties, b"Lcl Scaling", 1.0), 1.0])
        @ _translation(-scale_pivot)
    )


def _geometric(element: Any) -> np.ndarray:
    properties = _properties(element)
    return (
        _translation(_vector(properties, b"GeometricTranslation"))
        @ _rotation(_vector(properties, b"GeometricRotation"))
        @ np.diag([*_vector(properties, b"GeometricScaling", 1.0), 1.0])
    )


def _translation(vector: np.ndarray) -> np.ndarray:
    matrix = np.eye(4)
    matrix[:3, 3] = vector
    return matrix


def _rotation(angles_deg: np.ndarray, order: str = "XYZ") -> np.ndarray:
    """(4, 4) rotation about the axes of the order, the first one first."""
    matrix = np.eye(4)
    for axis in map("XYZ".index, order):
        one, (i, j) = np.eye(4), [k for k in range(3) if k != axis]
        cos, sin = np.cos(np.radians(angles_deg[axis])), np.sin(np.radians(angles_deg[axis]))
        sign = -1 if axis == 1 else 1
        one[i, i], one[i, j], one[j, i], one[j, j] = cos, -sign * sin, sign * sin, cos
        matrix = one @ matrix
    return matrix


def _vertices(geometry: Any) -> np.ndarray:
    return np.array(_child(geometry, b"Vertices").props[0], dtype=np.float64).reshape(-1, 3)


def _relative(model: _Model) -> Iterator[np.ndarray]:
    """The points of a model in the axes and unit of the world, from where its geometry has its origin."""
    linear = (model.world @ model.shape)[:3, :3]
    yield from (_vertices(geometry) @ linear.T for geometry in model.geometries)


def _world_points(models: Iterable[_Model]) -> np.ndarray:
    points = [some + (m.world @ m.shape)[:3, 3] for m in models for some in _relative(m)]
    return np.concatenate([np.empty((0, 3)), *points])


def _refuse_coarse(models: Iterable[_Model], points: np.ndarray) -> None:
    for model in models:
        is_single = any(_child(g, b"Vertices").props_type == b"f" for g in model.geometries)
        for some in _relative(model) if is_single else ():
            fault = lost_precision(some, points, "units")
            if fault:
                raise ImportRefused(fault)


def _move(root: Any, models: dict[int, _Model], shift: np.ndarray) -> None:
    objects = _child(root, b"Objects").elems
    is_skinned = any(one.id == b"Deformer" for one in objects)
    geometries = {} if is_skinned else {g.props[0]: g for model in models.values() for g in model.geometries}
    centers = {number: _center(geometry) for number, geometry in geometries.items()}
    deltas = {0: np.zeros(3)}
    for number, model in models.items():
        place = model.world[:3, 3]
        is_group = not model.geometries and model.element.props[-1] == b"Null"
        delta = -place if is_group and np.abs(place).max() < np.abs(place - shift).max() else -shift
        for geometry in model.geometries[:1]:
            delta = delta + (model.world @ model.shape)[:3, :3] @ centers.get(geometry.props[0], np.zeros(3))
        deltas[number] = delta
        above = models[model.parent].world[:3, :3] if model.parent else np.eye(3)
        _translate(model.element, np.linalg.pinv(above) @ (delta - deltas[model.parent]))
    for element in objects:
        _move_bind_pose(element, shift)


def _center(geometry: Any) -> np.ndarray:
    """Move the vertices of a geometry to its origin if they are far; returns what was subtracted."""
    vertices, stored = _vertices(geometry), _child(geometry, b"Vertices").props
    center = shift_to_origin(vertices)
    stored[0] = array(stored[0].typecode, (vertices - center).ravel().tolist())
    return center


def _translate(model: Any, delta: np.ndarray) -> None:
    properties = _properties(model)
    if b"Lcl Translation" not in properties:
        if not any(one.id == _PROPERTIES for one in model.elems):
            model.elems.append(type(model)(_PROPERTIES, [], bytearray(), []))
        kinds = bytearray(b"SSSSDDD")
        row = [b"Lcl Translation", b"Lcl Translation", b"", b"A", 0.0, 0.0, 0.0]
        _child(model, _PROPERTIES).elems.append(type(model)(b"P", row, kinds, []))
        properties = _properties(model)
    properties[b"Lcl Translation"].props[4:7] = (_vector(properties, b"Lcl Translation") + delta).tolist()


def _move_bind_pose(element: Any, shift: np.ndarray) -> None:
    """Move the matrices to the world of a skin's bones, and of a pose."""
    parts = element.elems if element.id == b"Pose" else [element] if element.id == b"Deformer" else ()
    for part in parts:
        for matrix in [one for one in part.elems if one.id in (b"Matrix", b"TransformLink")]:
            values = matrix.props[0]
            values[12:15] = array(values.typecode, [values[12 + axis] - shift[axis] for axis in range(3)])


def _encoded(element: Any, made_by: Any) -> Any:
    """The parsed element as the encoder takes it."""
    encoded = made_by(element.id)
    for value, kind in zip(element.props, element.props_type, strict=True):
        getattr(encoded, f"add_{_ADDERS[chr(kind)]}")(value)
    encoded.elems += [_encoded(child, made_by) for child in element.elems]
    return encoded
