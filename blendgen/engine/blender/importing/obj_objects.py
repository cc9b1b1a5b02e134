"""OBJ objects: imports an OBJ file, as separate objects if some of them are not part of the product."""

from __future__ import annotations

import mmap
import re
from pathlib import Path

import bpy

from blendgen.engine.blender.importing.join import vertex_box
from blendgen.engine.blender.importing.left_out import Candidate, Choice, looks_left_out, reasons_left_out

_NAME = re.compile(rb"^[ \t]*([og])[ \t]+([^\r\n]+)", re.M)
_IMPORTED = ("objects", "meshes", "materials", "images")


def import_obj(file: Path, choice: Choice, **axes) -> None:
    """Import the file as one object, whose shading goes on over its groups, or as several if it must be.

    axes: of bpy.ops.wm.obj_import
    """
    split = _split(file, choice)
    if any(split.values()):
        bpy.ops.wm.obj_import(filepath=str(file), **split, **axes)
        if any(reasons_left_out([_candidate(o) for o in bpy.data.objects if o.type == "MESH"], choice)):
            return
        bpy.data.batch_remove([block for kind in _IMPORTED for block in getattr(bpy.data, kind)])
    bpy.ops.wm.obj_import(filepath=str(file), use_split_objects=False, **axes)


def _split(file: Path, choice: Choice) -> dict[str, bool]:
    """Options that split the file by objects, groups or both: those whose names say what to leave out."""
    if file.stat().st_size == 0:
        return {}
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as data:
        named = {(match[1], match[2].decode("utf-8", "replace").strip()) for match in _NAME.finditer(data)}
    kinds = {kind for kind, name in named if choice.hide or choice.show or looks_left_out(name)}
    return {"use_split_objects": b"o" in kinds, "use_split_groups": b"g" in kinds}


def _candidate(owner: bpy.types.Object) -> Candidate:
    return Candidate((owner.name,), vertex_box(owner.data), not any(owner.data.materials))
