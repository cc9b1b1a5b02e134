"""USD: a composed stage at rest, with finite coordinates near the origin. Needs Blender's pxr.

A file that is animated, far from the origin or not in plain UTF-8 is flattened: one layer with the values of
all layers. An animated value at rest is its default, or without one that of the first frame.
source: OpenUSD, Stage and Attribute Value Resolution
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from blendgen.engine.blender.importing.coordinates.mirror import Mirror
from blendgen.engine.blender.importing.coordinates.origin import shift_to_origin
from blendgen.engine.blender.importing.coordinates.usd_places import (
    is_coarse,
    move_prims,
    placed_prims,
    refuse_coarse,
    world_points,
)
from blendgen.engine.blender.importing.outside import usd_textures_outside
from blendgen.engine.blender.importing.usd_stage import all_prims
from blendgen.files.regular_file import MAX_MODEL_BYTES, read_bounded
from blendgen.models.companions import Companions

_TEXT = b"#usda"
_POINTS = re.compile(r"\bpoint3f\[\]\s+points\b")


@dataclass(frozen=True)
class UsdCopy:
    """file: the model or a flattened copy; shift: (3,) that was subtracted; is_animated: before the copy."""

    file: Path
    shift: np.ndarray
    is_animated: bool


def open_layer(file: Path, place: Path, in_double: bool = False) -> Any:
    """The root layer of a model, whose relative references lead to files next to `place`.

    file: the model, or a copy of it as plain text; in_double: read the digits of points in text as doubles
    """
    from pxr import Sdf

    if file == place and not in_double:
        return Sdf.Layer.FindOrOpen(str(file.absolute()))
    text = read_bounded(file, MAX_MODEL_BYTES).decode()
    text = _POINTS.sub("point3d[] points", text) if in_double else text
    identifier = str(place.absolute().with_name(f"{place.name}{'.double' if in_double else ''}.usda"))
    layer = Sdf.Layer.Find(identifier) or Sdf.Layer.New(Sdf.FileFormat.FindByExtension("usda"), identifier)
    layer.ImportFromString(text)
    return layer


def usd_at_origin(file: Path, companions: Companions, mirror: Mirror) -> UsdCopy:
    """A USD model as Blender can read it.

    file: the model of the companions, or a copy of it as plain text
    raises: ImportRefused if its coordinates cannot be used, or if it is composed of files outside
    """
    place = companions.model
    stage, is_animated = _at_rest(_open_stage(open_layer(file, place), companions))
    placed = placed_prims(stage)
    points = world_points(placed)
    if is_coarse(placed, points) and read_bounded(file, MAX_MODEL_BYTES).startswith(_TEXT):
        stage, _ = _at_rest(_open_stage(open_layer(file, place, in_double=True), companions))
        placed = placed_prims(stage)
        points = world_points(placed)
    refuse_coarse(placed, points)
    shift = shift_to_origin(points)
    is_double = any(one.is_double for one in placed)
    if file == place and not (is_animated or is_double or shift.any()):
        return UsdCopy(file, shift, is_animated)
    flat = stage if is_animated else _flattened(stage)
    move_prims(placed_prims(flat), shift)
    copy = mirror.place(place.with_suffix(".usdc"))
    flat.GetRootLayer().Export(str(copy))
    return UsdCopy(copy, shift, is_animated)


def _open_stage(layer: Any, companions: Companions) -> Any:
    """The stage of a root layer, which has to be open while its references are looked at."""
    from pxr import Usd

    usd_textures_outside(companions, layer.identifier)
    return Usd.Stage.Open(layer)


def _at_rest(stage: Any) -> tuple[Any, bool]:
    """The stage, flattened with all values at rest if it is animated; and whether it is."""
    if not _is_animated(stage):
        return stage, False
    flat = _flattened(stage)
    for prim in flat.TraverseAll():
        for attribute in prim.GetAttributes():
            _stop(attribute, flat)
    return flat, True


def _flattened(stage: Any) -> Any:
    from pxr import Usd

    stage.SetEditTarget(stage.GetSessionLayer())
    # Those in an instance are found only once it is not one any more. Instances in classes would leave a
    # prototype in the flattened file, which Blender imports.
    while instances := [prim for prim in stage.TraverseAll() if prim.IsInstanceable()]:
        for prim in instances:
            prim.SetInstanceable(False)
    return Usd.Stage.Open(stage.Flatten())


def _is_animated(stage: Any) -> bool:
    if all(len(layer.ListAllTimeSamples()) < 2 for layer in stage.GetUsedLayers()):
        return False
    return any(_varies(attribute) for prim in all_prims(stage) for attribute in prim.GetAttributes())


def _varies(attribute: Any) -> bool:
    return attribute.GetNumTimeSamples() > 1


def _stop(attribute: Any, stage: Any) -> None:
    """Replace the samples of an attribute by its value at rest."""
    from pxr import Usd

    if not _varies(attribute):
        return
    default = attribute.GetResolveInfo(Usd.TimeCode.Default()).GetSource() == Usd.ResolveInfoSourceDefault
    start = stage.GetStartTimeCode() if stage.HasAuthoredTimeCodeRange() else attribute.GetTimeSamples()[0]
    value = attribute.Get() if default else attribute.Get(start)
    attribute.Clear()
    attribute.Set(value)
