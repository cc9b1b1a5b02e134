"""Converted: files of formats that Blender does not read in, a GLB in the axes and unit of the file out.

Does not load bpy.
"""

from __future__ import annotations

from pathlib import Path

from blendgen.engine.blender.importing.cad import cad_mesh, cad_metres_per_unit
from blendgen.engine.blender.importing.dae import dae_frame, dae_mesh
from blendgen.engine.blender.importing.glb_scene import Converted
from blendgen.engine.blender.importing.three_mf import three_mf_mesh, three_mf_metres_per_unit
from blendgen.models.companions import Companions
from blendgen.models.scan import CAD_SUFFIXES

_Z_UP = "z"


def converted(companions: Companions, suffix: str) -> Converted:
    """The triangles of a file; raises ImportRefused, without a library with the command that installs it."""
    if suffix in CAD_SUFFIXES:
        return cad_mesh(companions.model, suffix)
    return dae_mesh(companions) if suffix == "dae" else three_mf_mesh(companions.model)


def own_frame(path: Path, suffix: str) -> tuple[str, float]:
    """(up axis, metres per unit) of a file that can be converted; CAD files do not state the first."""
    if suffix in CAD_SUFFIXES:
        return _Z_UP, cad_metres_per_unit(path, suffix)
    return dae_frame(path) if suffix == "dae" else (_Z_UP, three_mf_metres_per_unit(path))
