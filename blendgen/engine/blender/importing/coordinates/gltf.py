"""glTF: moves the nodes of a document to the origin, in double precision. Does not load bpy.

Vertices are in single precision, but relative to nodes, whose transforms are numbers of any precision. Nodes
with a mesh and joints are moved exactly; a group far away from the moved meshes is put at the origin, so that
no transform is large.
source: Khronos, glTF 2.0, 3.5.3 (transformations)
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np

from blendgen.engine.blender.importing.coordinates.origin import (
    coordinate_fault,
    lost_precision,
    shift_to_origin,
)
from blendgen.engine.blender.importing.preflight import ImportRefused

# of a mesh that does not state its bounds, in metres: moving it to the origin never does harm
_UNKNOWN_LOW, _UNKNOWN_HIGH = (-1.0, -1.0, -1.0), (1.0, 1.0, 1.0)
_FULL_SCALE = {5120: 127, 5121: 255, 5122: 32767, 5123: 65535}  # of integers that represent fractions


@dataclass
class _Placed:
    """A node, the number of its parent, and its (4, 4) float64 transform to the world."""

    node: dict
    parent: int | None
    to_world: np.ndarray


def recentre(content: dict) -> np.ndarray:
    """Move the nodes of a glTF document in place, if it is far from the origin.

    returns: (3,) that was subtracted from the coordinates of the scene
    raises: ImportRefused if a transform is not finite, or if single precision has lost the shape
    """
    with np.errstate(over="ignore", invalid="ignore"):
        placed = _placed_nodes(content)
    fault = coordinate_fault(np.array([one.to_world for one in placed.values()]))
    if fault:
        raise ImportRefused(f"its nodes have {fault}")
    boxes = {i: _box(content, one.node) for i, one in placed.items() if "mesh" in one.node}
    corners = [_moved(placed[i].to_world, box) for i, box in boxes.items()]
    points = np.concatenate([np.empty((0, 3)), *corners])
    _refuse_coarse(placed, boxes, points)
    shift = shift_to_origin(points)
    if shift.any():
        _move(content, placed, shift)
    return shift


def _placed_nodes(content: dict) -> dict[int, _Placed]:
    nodes = content.get("nodes", [])
    parents = {child: i for i, node in enumerate(nodes) for child in node.get("children", ())}
    placed: dict[int, _Placed] = {}
    waiting = [i for i in range(len(nodes)) if i not in parents]
    while waiting:
        number = waiting.pop()
        parent = parents.get(number)
        above = np.eye(4) if parent is None else placed[parent].to_world
        placed[number] = _Placed(nodes[number], parent, above @ _local(nodes[number]))
        waiting += [i for i in nodes[number].get("children", ()) if i < len(nodes) and i not in placed]
    return placed


def _local(node: dict) -> np.ndarray:
    if "matrix" in node:
        return np.array(node["matrix"], dtype=np.float64).reshape(4, 4).T
    x, y, z, w = node.get("rotation", (0, 0, 0, 1))
    rotation = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )
    local = np.eye(4)
    local[:3, :3] = rotation * np.array(node.get("scale", (1, 1, 1)), dtype=np.float64)
    local[:3, 3] = node.get("translation", (0, 0, 0))
    return local


def _box(content: dict, node: dict) -> np.ndarray:
    """(8 n, 3) corners of the boxes that the accessors of a node's mesh state, in its own frame."""
    primitives = content["meshes"][node["mesh"]].get("primitives", ())
    numbers = [one["attributes"]["POSITION"] for one in primitives if "POSITION" in one["attributes"]]
    return np.concatenate([np.empty((0, 3)), *(_corners(content["accessors"][i]) for i in numbers)])


def _corners(accessor: dict) -> np.ndarray:
    low_high = np.array([accessor.get("min", ()), accessor.get("max", ())], dtype=np.float64)
    if low_high.shape != (2, 3) or not np.isfinite(low_high).all():  # the vertices are checked later
        low_high = np.array([_UNKNOWN_LOW, _UNKNOWN_HIGH])
    elif accessor.get("normalized"):
        low_high /= _FULL_SCALE[accessor["componentType"]]
    return np.array([low_high[choice, (0, 1, 2)] for choice in itertools.product((0, 1), repeat=3)])


def _moved(to_world: np.ndarray, points: np.ndarray) -> np.ndarray:
    return points @ to_world[:3, :3].T + to_world[:3, 3]


def _refuse_coarse(placed: dict[int, _Placed], boxes: dict[int, np.ndarray], points: np.ndarray) -> None:
    for number, box in boxes.items():
        relative = _moved(placed[number].to_world, box) - placed[number].to_world[:3, 3]
        fault = lost_precision(relative, points, "m")
        if fault:
            raise ImportRefused(fault)


def _move(content: dict, placed: dict[int, _Placed], shift: np.ndarray) -> None:
    joints = {joint for skin in content.get("skins", ()) for joint in skin.get("joints", ())}
    places: dict[int | None, np.ndarray] = {None: np.zeros(3)}
    for number, one in placed.items():  # parents are before their children
        place = one.to_world[:3, 3] - shift
        is_group = "mesh" not in one.node and number not in joints
        if is_group and np.abs(place).max() > np.abs(one.to_world[:3, 3]).max():
            place = np.zeros(3)
        places[number] = place
        above = np.eye(3) if one.parent is None else placed[one.parent].to_world[:3, :3]
        _set_translation(one.node, np.linalg.pinv(above) @ (place - places[one.parent]))


def _set_translation(node: dict[str, Any], translation: np.ndarray) -> None:
    if "matrix" in node:
        node["matrix"][12:15] = translation.tolist()
    else:
        node["translation"] = translation.tolist()
