"""Preflight: checks of a model file before Blender opens it. Does not load bpy.

Blender's importers accept garbage as an empty model and a truncated file as a complete one; here the headers
of the file are checked. A file that passes may still fail to import.
"""

from __future__ import annotations

import os
import re
import struct
from pathlib import Path

from blendgen.engine.blender.importing.ply_header import read_header
from blendgen.files.regular_file import MAX_MODEL_BYTES, open_regular
from blendgen.models.companions import OUTSIDE, Companions, gltf_json, gltf_uris, obj_libraries
from blendgen.models.scan import IGES_SUFFIXES, STEP_SUFFIXES, model_suffix

_MAGIC = {
    "fbx": (b"Kaydara FBX Binary", b";"),
    "usdc": (b"PXR-USDC",),
    "usda": (b"#usda",),
    "usd": (b"PXR-USDC", b"#usda", b"PK\x03\x04"),
    "usdz": (b"PK\x03\x04",),
    "blend": (b"BLENDER", b"\x28\xb5\x2f\xfd", b"\x1f\x8b"),
    "3mf": (b"PK\x03\x04",),
}
_ONLY_GLTF_2 = "only version 2 can be read; export it again"


class ImportRefused(Exception):
    """The model cannot be used; the text is the one line for Refusal.reason."""


def file_fault(companions: Companions, file: Path) -> str | None:
    """Why the file is not a complete model of its format, in one line; None if nothing is wrong.

    file: the model of the companions, or a copy of it as plain text
    raises: DamagedFile if a header cannot be understood
    """
    try:
        with open_regular(file, MAX_MODEL_BYTES) as opened:
            size, start = os.fstat(opened.fileno()).st_size, opened.read(1024)
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    if size == 0:
        return "the file is empty"
    return _fault_of_kind(companions, file, start, size)


def _fault_of_kind(companions: Companions, file: Path, start: bytes, size: int) -> str | None:
    suffix = model_suffix(companions.model)
    if suffix == "obj":
        return _obj_fault(companions, file, start)
    with_others = {"glb": _glb_fault, "gltf": _gltf_fault}
    if suffix in with_others:
        return with_others[suffix](companions, start, size)
    alone = {"stl": _stl_fault, "ply": _ply_fault, **_CAD_FAULTS, "dae": _dae_fault}
    if suffix in alone:
        return alone[suffix](file, start, size)
    return _magic_fault(suffix, start)


def _magic_fault(suffix: str, start: bytes) -> str | None:
    magics = _MAGIC.get(suffix, ())
    if not magics or start.lstrip().startswith(magics):
        return None
    return f"not a {suffix.upper() if suffix != 'blend' else '.blend'} file (its header is missing)"


def _glb_fault(companions: Companions, start: bytes, size: int) -> str | None:
    if start[:4] != b"glTF" or len(start) < 12:
        return "not a GLB file (its header is missing)"
    version, length = struct.unpack_from("<II", start, 4)
    if version != 2:
        return f"glTF version {version}; {_ONLY_GLTF_2}"
    if size < length:
        return f"truncated: {size} of {length} bytes"
    return _gltf_fault(companions, start, size)


def _gltf_fault(companions: Companions, start: bytes, size: int) -> str | None:
    content = gltf_json(companions.model)
    if not content:
        return "not a glTF file (its JSON cannot be read)"
    asset = content.get("asset")
    version = str(asset.get("version", "2.0")) if isinstance(asset, dict) else "2.0"
    if not version.startswith("2."):
        return f"glTF version {version[:8]}; {_ONLY_GLTF_2}"
    for uri in gltf_uris(content, "buffers"):
        file = companions.inside(uri)
        if file is None:
            return f"buffer {uri!r} is {OUTSIDE}"
        if not file.is_file():
            return f"buffer file {uri!r} is missing"
    if _has_cycle(content.get("nodes")):
        return "its nodes contain each other in a circle"
    return None if content.get("meshes") else "no geometry (the glTF file has no meshes)"


def _has_cycle(nodes) -> bool:
    """Whether a node is its own descendant."""
    if not isinstance(nodes, list):
        return False
    children = {i: set(node.get("children", ())) for i, node in enumerate(nodes) if isinstance(node, dict)}
    while leaves := [i for i, below in children.items() if not below & children.keys()]:
        for i in leaves:
            del children[i]
    return bool(children)


def _obj_fault(companions: Companions, file: Path, start: bytes) -> str | None:
    if b"\0" in start:
        return "not an OBJ file (binary data)"
    for name in obj_libraries(file):
        place, library = companions.folder / name, companions.inside(name)
        if library is None and place.exists():
            return f"material library {place.name!r} is {OUTSIDE}"
        if place.exists() and not place.is_file():
            return f"material library {place.name!r} is not a regular file"
    return None


def is_ascii_stl(start: bytes) -> bool:
    """Whether an STL file with these first 1024 bytes is text; binary ones may start with "solid" too."""
    return start.lstrip()[:5].lower() == b"solid" and (b"facet" in start or b"\0" not in start)


def _stl_fault(path: Path, start: bytes, size: int) -> str | None:
    if is_ascii_stl(start):
        return _ascii_stl_fault(path)
    if size < 84:
        return "not an STL file (shorter than its header)"
    triangles = struct.unpack_from("<I", start, 80)[0]
    expected = 84 + 50 * triangles
    if expected > 100 * size:
        return "not an STL file (its header is missing)"
    if size < expected:
        return f"truncated: {size} of {expected} bytes"
    return None


def _ascii_stl_fault(path: Path) -> str | None:
    text = path.read_bytes().lower()
    opened, closed = len(re.findall(rb"\bfacet\s+normal", text)), len(re.findall(rb"\bendfacet\b", text))
    if opened != closed:
        return f"truncated: facet {opened} is not complete"
    return None if opened else "no geometry (an STL file without facets)"


def _ply_fault(path: Path, start: bytes, size: int) -> str | None:
    if not start.lstrip().startswith(b"ply"):
        return "not a PLY file (its header is missing)"
    data = path.read_bytes()
    header = read_header(data)
    if header.is_ascii:
        needed = sum(element.count for element in header.elements)
        rows = sum(1 for row in data[header.start :].splitlines() if row.strip())
        return f"truncated: {rows} of {needed} rows" if rows < needed else None
    size -= header.start
    needed = sum(element.least_bytes for element in header.elements)
    return f"truncated: {size} of at least {needed} bytes" if size < needed else None


def _step_fault(path: Path, start: bytes, size: int) -> str | None:
    if b"ISO-10303-21" not in start:
        return "not a STEP file (its header is missing)"
    return None if b"END-ISO-10303-21" in _end(path) else "truncated: its last line is missing"


def _iges_fault(path: Path, start: bytes, size: int) -> str | None:
    """Of the lines of 80 columns, the 73rd column is the section: start, global, ..., terminate."""
    if start[72:73] != b"S" or b"\0" in start:
        return "not an IGES file (its start section is missing)"
    lines = _end(path).rstrip().splitlines()
    return None if lines[-1][72:73] == b"T" else "truncated: its last line is missing"


def _dae_fault(path: Path, start: bytes, size: int) -> str | None:
    text = start.replace(b"\0", b"")  # of UTF-16
    return (
        None if b"<COLLADA" in text or b":COLLADA" in text else "not a COLLADA file (its header is missing)"
    )


def _end(path: Path) -> bytes:
    with path.open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - 4096))
        return file.read()


_CAD_FAULTS = {**dict.fromkeys(STEP_SUFFIXES, _step_fault), **dict.fromkeys(IGES_SUFFIXES, _iges_fault)}
