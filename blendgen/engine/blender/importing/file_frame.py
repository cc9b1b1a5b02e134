"""File frame: the axes and the unit of the coordinates in a model file.

In: a model file that was just imported, and the unit and up axis of its options. Out: the matrix from its own
coordinates to metres with Z up, as the importers apply it. It converts points given in the file's coordinates
or as Blender shows them: its importers rotate and scale by their own rules if no options are given.
"""

from __future__ import annotations

import re
from pathlib import Path

import bpy
import numpy as np

from blendgen.engine.blender.importing.axes import DEFAULT_UP, GLTF_TO_WORLD, axes_to_world
from blendgen.engine.blender.importing.converted import own_frame
from blendgen.engine.blender.importing.coordinates.text import is_plain, plain_bytes
from blendgen.engine.blender.importing.fbx_bytes import stored_number, text_length, text_value
from blendgen.engine.blender.importing.importers import fbx_centimetres_per_unit
from blendgen.models.scan import CONVERTED_SUFFIXES, UNITLESS_SUFFIXES, UPLESS_SUFFIXES, model_suffix
from blendgen.scene.vocabulary import METRES_PER_UNIT

_AXES = np.eye(3)


def file_to_world(path: Path, suffix: str, unit: str | None, up: str | None) -> np.ndarray | None:
    """(3, 3) from the file's own axes and unit to metres, Z up; None if it is unknown.

    Call it after import_model, with the same unit and up: for a .blend the open scene states them.
    """
    own = _FRAMES[suffix](path, up)
    if own is None:
        return None
    rotation, metres_per_unit = own
    return rotation * (METRES_PER_UNIT[unit] if unit else metres_per_unit)


def shown_to_world(path: Path, suffix: str, unit: str | None, up: str | None) -> np.ndarray | None:
    """As file_to_world, from the coordinates that Blender shows after an import with default settings."""
    to_world, own = file_to_world(path, suffix, unit, up), _FRAMES[suffix](path, None)
    if to_world is None or own is None:
        return None
    rotation, metres_per_unit = own
    scale = 1.0 if suffix == "blend" else metres_per_unit  # Blender shows a .blend in its own numbers
    return to_world @ np.linalg.inv(rotation * scale)


def _gltf(path: Path, up: str | None) -> tuple[np.ndarray, float]:
    return GLTF_TO_WORLD, 1.0


def _unitless(path: Path, up: str | None) -> tuple[np.ndarray, float]:
    return axes_to_world(up or DEFAULT_UP[model_suffix(path)]), 1.0


def _converted(path: Path, up: str | None) -> tuple[np.ndarray, float]:
    suffix = model_suffix(path)
    own_up, metres_per_unit = own_frame(path, suffix)
    return axes_to_world((up if suffix in UPLESS_SUFFIXES else None) or own_up), metres_per_unit


def _blend(path: Path, up: str | None) -> tuple[np.ndarray, float]:
    unit = bpy.context.scene.unit_settings
    return _AXES, unit.scale_length if unit.system != "NONE" else 1.0


def _usd(path: Path, up: str | None) -> tuple[np.ndarray, float] | None:
    """From the root layer; no other layer is opened."""
    bpy.utils.expose_bundled_modules()
    try:
        from pxr import Sdf
    except ImportError:  # a Blender without USD's Python modules
        return None
    if is_plain(path):
        layer = Sdf.Layer.OpenAsAnonymous(str(path), metadataOnly=True)
    else:
        layer = Sdf.Layer.CreateAnonymous(".usda")
        layer.ImportFromString(plain_bytes(path).decode())
    stated = {key: layer.pseudoRoot.GetInfo(key) for key in ("upAxis", "metersPerUnit")
              if layer.pseudoRoot.HasInfo(key)}  # fmt: skip
    rotation = _AXES if stated.get("upAxis", "Y") == "Z" else GLTF_TO_WORLD
    return rotation, stated.get("metersPerUnit", 0.01)


def _fbx(path: Path, up: str | None) -> tuple[np.ndarray, float]:
    """Right, up and front of the file's global settings become +X, +Z and -Y."""
    data = plain_bytes(path)
    right, top, front = (_fbx_axis(data, *axis) for axis in (("Coord", 0), ("Up", 1), ("Front", 2)))
    rotation = np.stack([right, -front, top])
    if abs(np.linalg.det(rotation)) != 1:  # the importer ignores axes that are not three different ones
        rotation = _AXES
    return rotation, 0.01 * fbx_centimetres_per_unit(data)


def _fbx_axis(data: bytes, name: str, default: int) -> np.ndarray:
    axis, sign = _fbx_integer(data, f"{name}Axis", default), _fbx_integer(data, f"{name}AxisSign", 1)
    return _AXES[axis % 3] * (1 if sign >= 0 else -1)


def _fbx_integer(data: bytes, name: str, default: int) -> int:
    """A number of the global settings of an FBX file, binary or text."""
    key = name.encode()
    binary = re.search(
        rb"S" + re.escape(text_length(data, len(key))) + key + rb"(?:S.{4}[\w ]*?){3}I(.{4})", data, re.S
    )
    if binary:
        return int(stored_number(data, "i", binary[1]))
    text = re.match(rb"-?\d+", text_value(data, name, b""))
    return int(text[0]) if text else default


_FRAMES = {
    **dict.fromkeys(("glb", "gltf"), _gltf),
    **dict.fromkeys(UNITLESS_SUFFIXES, _unitless),
    **dict.fromkeys(CONVERTED_SUFFIXES, _converted),
    **dict.fromkeys(("usd", "usda", "usdc", "usdz"), _usd),
    "fbx": _fbx,
    "blend": _blend,
}
