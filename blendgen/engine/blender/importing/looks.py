"""Looks: completes what an importer of Blender leaves out of a model's look, and reports what is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import bpy

from blendgen.engine.blender.importing.fbx_looks import complete_fbx
from blendgen.engine.blender.importing.findings import Findings
from blendgen.engine.blender.importing.gltf_looks import complete_gltf
from blendgen.engine.blender.importing.obj_materials import complete_obj_materials
from blendgen.engine.blender.importing.ply_looks import complete_ply
from blendgen.engine.blender.importing.stl_colors import complete_stl
from blendgen.engine.blender.importing.usd_looks import complete_usd
from blendgen.engine.blender.importing.vertex_colors import complete_obj_colors
from blendgen.models.companions import Companions

_Objects = list[bpy.types.Object]


def complete_look(
    suffix: str, file: Path, companions: Companions, objects: _Objects, findings: Findings
) -> None:
    """Complete the objects of a model.

    file: that was imported, the model itself or a copy of it
    findings: gets what is lost, and what was assumed
    """
    if suffix in _COMPLETE:  # a .blend is complete
        _COMPLETE[suffix](file, companions, objects, findings)
        findings.lost += _textured_without_coordinates(objects)


def _textured_without_coordinates(objects: _Objects) -> Iterator[str]:
    for owner in objects:
        if owner.type == "MESH" and len(owner.data.polygons) and not owner.data.uv_layers:
            for material in filter(None, owner.data.materials):
                nodes = material.node_tree.nodes if material.node_tree else ()
                if any(node.type == "TEX_IMAGE" and node.image for node in nodes):
                    yield f"material {material.name!r}: mesh {owner.name!r} has no texture coordinates for it"


def _complete_obj(file: Path, companions: Companions, objects: _Objects, findings: Findings) -> None:
    complete_obj_materials(file, companions, objects, findings)
    complete_obj_colors(objects)


_COMPLETE: dict[str, Callable[[Path, Companions, _Objects, Findings], None]] = {
    "fbx": complete_fbx,
    **dict.fromkeys(("gltf", "glb"), complete_gltf),
    "obj": _complete_obj,
    "ply": complete_ply,
    "stl": complete_stl,
    **dict.fromkeys(("usd", "usda", "usdc", "usdz"), complete_usd),
}
