"""USD shown: what a render shows of a USD file, and how Blender's importer has to read it for that.

A render shows visible prims of the purposes default and render. Blender joins a prim with its only child and
keeps one of the two names, so it has to keep both where names matter.
source: OpenUSD, UsdGeomImageable (purpose, visibility)
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

from blendgen.engine.blender.importing.findings import ALL_HIDDEN, Findings, left_out_note
from blendgen.engine.blender.importing.left_out import Choice, looks_left_out
from blendgen.engine.blender.importing.usd_stage import all_prims

_SHOWN = ("default", "render")
_EVERYTHING = {"import_guide": True, "import_proxy": True, "import_visible_only": False}


def usd_shown(file: Path, folder: Path, choice: Choice, findings: Findings) -> tuple[Path, dict[str, bool]]:
    """The file, or a layer over it in `folder`; and options of bpy.ops.wm.usd_import.

    choice: prims that are shown although the file hides them
    findings: gets the names of what is not shown
    """
    from pxr import Usd, UsdGeom

    if choice.show:
        file = _layer_that_shows(file, folder, choice)
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
        findings.notes.append(ALL_HIDDEN)
        return file, options | _EVERYTHING
    findings.notes += [left_out_note(names, reason) for reason, names in unshown.items()]
    return file, options


def _layer_that_shows(file: Path, folder: Path, choice: Choice) -> Path:
    """A layer over the file, in which the hidden prims that the choice shows are visible."""
    from pxr import Sdf, Usd, UsdGeom, UsdUtils

    layer = Sdf.Layer.CreateNew(str(folder / f"shown_{file.stem}.usda"))
    UsdUtils.CopyLayerMetadata(Sdf.Layer.FindOrOpen(str(file)), layer, skipSublayers=True)
    layer.subLayerPaths.append(str(file))
    stage = Usd.Stage.Open(layer)
    prims = [prim for prim in all_prims(stage) if not prim.IsInstanceProxy()]  # those cannot be changed
    shapes = [UsdGeom.Imageable(prim) for prim in prims if prim.IsA(UsdGeom.Gprim)]
    hidden = [shape for shape in shapes if _why_unshown(shape) and choice.shows(_names(shape.GetPrim()))]
    for shape in hidden:
        shape.MakeVisible()
        around = [shape.GetPrim().GetPrimAtPath(path) for path in shape.GetPath().GetAncestorsRange()]
        for prim in around:  # Blender does not look into a prim of another purpose
            if prim.IsA(UsdGeom.Imageable) and UsdGeom.Imageable(prim).ComputePurpose() not in _SHOWN:
                UsdGeom.Imageable(prim).CreatePurposeAttr().Set("default")
    layer.Save()
    return Path(layer.realPath)


def _names(prim: Any) -> list[str]:
    """Its name and those of what it is in."""
    return str(prim.GetPath()).strip("/").split("/")[::-1]


def _why_unshown(shape: Any) -> str:
    purpose = shape.ComputePurpose()
    if purpose not in _SHOWN:
        return f"purpose {purpose}"
    return "invisible" if shape.ComputeVisibility() == "invisible" else ""
