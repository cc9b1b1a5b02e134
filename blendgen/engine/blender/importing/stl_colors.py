"""STL colours: the colour of each facet of a binary STL file, which Blender's importer leaves out.

There are two forms, both with 5 bits a channel in the attribute of a facet. With COLOR= in the header
(Materialise Magics) red has the lowest bits, and facets with the highest bit have the colour of the header.
Without it (VisCAM, SolidView) blue has the lowest bits, and facets without the highest bit have none.
source: Wikipedia, STL (file format), Color in binary STL
"""

from __future__ import annotations

import re
from pathlib import Path

import bpy
import numpy as np

from blendgen.engine.blender.importing.findings import Findings
from blendgen.engine.blender.importing.vertex_colors import add_colors
from blendgen.models.companions import Companions

_HEADER_BYTES = 84
_FACET = np.dtype([("normal", "<f4", 3), ("corners", "<f4", 9), ("attribute", "<u2")])
_MAGICS_COLOR = re.compile(rb"COLOR=(.{3})", re.S)
_HAS_OWN = 0x8000
_NO_COLOR = 0.8  # of a facet, display-encoded: about the grey of models without colours


def complete_stl(
    file: Path, companions: Companions, objects: list[bpy.types.Object], findings: Findings
) -> None:
    """Give the mesh of an STL file or its copy the colours of its facets; report them if they are lost."""
    colors = read_colors(file)
    if colors is None:
        return
    for mesh in [owner.data for owner in objects if owner.type == "MESH"]:
        if len(mesh.polygons) == len(colors):
            add_colors(mesh, "CORNER", np.repeat(colors, 3, axis=0), largest=1.0)
        else:  # Blender drops facets without area, and does not say which
            findings.lost.append("the colours of its facets: some have no area; remove these")


def read_colors(file: Path) -> np.ndarray | None:
    """(n, 3) display-encoded colours of all facets, 0 to 1; None if the file states none."""
    with file.open("rb") as opened:
        header = opened.read(_HEADER_BYTES)
    count = int(np.frombuffer(header, "<u4", 1, 80)[0]) if len(header) == _HEADER_BYTES else 0
    if count == 0 or file.stat().st_size < _HEADER_BYTES + count * _FACET.itemsize:
        return None  # text
    attributes = np.fromfile(file, _FACET, count, offset=_HEADER_BYTES)["attribute"]
    channels = np.stack([attributes & 31, attributes >> 5 & 31, attributes >> 10 & 31], axis=1) / 31
    is_marked = (attributes & _HAS_OWN) != 0
    magics = _MAGICS_COLOR.search(header[:80])
    if magics:
        return np.where(is_marked[:, None], np.frombuffer(magics[1], "u1") / 255, channels)
    return np.where(is_marked[:, None], channels[:, ::-1], _NO_COLOR) if is_marked.any() else None
