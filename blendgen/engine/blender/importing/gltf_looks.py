"""glTF looks: reports what the materials of an imported glTF file lack."""

from __future__ import annotations

from pathlib import Path

import bpy

from blendgen.engine.blender.importing.findings import Findings
from blendgen.engine.blender.importing.gltf_extensions import lost_of_materials, unlit_materials
from blendgen.files.names import some_of
from blendgen.models.companions import Companions, gltf_json

_SINCE_5 = ("KHR_materials_dispersion", "KHR_materials_iridescence")


def complete_gltf(
    file: Path, companions: Companions, objects: list[bpy.types.Object], findings: Findings
) -> None:
    """Report what a glTF file or its copy lacks; its objects are complete."""
    content = gltf_json(companions.model)
    findings.lost += lost_of_materials(content, _SINCE_5 if bpy.app.version >= (5, 0, 0) else ())
    unlit = unlit_materials(content)
    if unlit:
        findings.notes.append(
            f"material {some_of(unlit)}: unlit in the file; the light of the scene falls on it"
        )
