"""USD shown: what a render shows of a USD file, and how Blender's importer has to read it for that.

A render shows visible prims of the purposes default and render. Blender joins a prim with its only child and
keeps one of the two names, so it has to keep both where names matter.
source: OpenUSD, UsdGeomImageable (purpose, visibility)
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

from blendgen.engine.blender.importing.findings import Findings, left_out_note
from blendgen.engine.blender.importing.left_out import Choice, looks_left_out
from blendgen.engine.blender.importing.usd_stage import all_prims

_SHOWN = ("default", "render")
_EVERYTHING = {"import_guide": True, "import_proxy": True, "import_visible_only": False}


def usd_options(file: Path, choice: Choice, findings: Findings) -> dict[str, bool]:
    """Options of bpy.ops.wm.usd_import.

    findings: gets the names of what is not shown
    """
    from pxr import Usd, UsdGeom

    stage = Usd.Stage.Open(str(file))
    unshown, shapes = defaultdict(list), 0
    are_names_kept = bool(choice.hide or choice.show)
    for prim in all_prims(stage):
        are_names_kept = are_names_kept or looks_left_out(prim.GetName())
        if prim.IsA(UsdGeom.Gprim):
            shapes += 1
            if reason := _why_unshown(UsdGeom.Imageable(prim)):
                unshown[reason].append(prim.GetName())
    options = {"merge_parent_xform": not are_names_kept}
    if shapes and shapes == sum(map(len, unshown.values())):
        findings.notes.append("the file hides all of its objects; all are shown")
        return options | _EVERYTHING
    findings.notes += [left_out_note(names, reason) for reason, names in unshown.items()]
    return options


def _why_unshown(shape: Any) -> str:
    purpose = shape.ComputePurpose()
    if purpose not in _SHOWN:
        return f"purpose {purpose}"
    return "invisible" if shape.ComputeVisibility() == "invisible" else ""
