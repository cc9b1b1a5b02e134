"""CAD: a STEP or IGES file in, a GLB out, which then takes the ordinary path. Does not load bpy.

cascadio (Open CASCADE) turns surfaces into triangles with the normals of the surfaces, finer for a smaller
model. A part is named after its solid, because CAD files rarely name materials; colours are matte. The axes
stay those of the file.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from itertools import islice, product
from pathlib import Path
from typing import Any

import numpy as np

from blendgen.engine.blender.importing.glb import Glb
from blendgen.engine.blender.importing.glb_scene import Converted
from blendgen.engine.blender.importing.preflight import ImportRefused
from blendgen.files.names import some_of
from blendgen.geometry.color import PLAIN_GREY_LINEAR
from blendgen.models.scan import IGES_SUFFIXES

INSTALL = "pip install 'blendgen[cad]'"
# of the largest side: less than a pixel of an image with 2000
_DEVIATION = 1 / 2000
# between neighbouring sides of a round: 18 for a full turn, however small it is
_ANGLE_RAD = 0.35
_ROUGH = {"tol_linear": 0.5, "tol_relative": True, "tol_angular": 1.0}
_TRIANGLES = 4
# what Open CASCADE and its users call a shape that has no name
_NO_NAME = re.compile(r"(|NAUO|=>.*|COMPOUND|COMPSOLID|SOLID|SHELL|FACE|Open CASCADE.*|Unnamed)[ _\d]*", re.I)
_MATTE = {"metallicFactor": 0.0, "roughnessFactor": 0.5}

_NOT_IN_IGES = "colours, which are not read from IGES files; export a STEP file"
# the file of a part of an assembly that was saved in several
_OTHER_FILE = re.compile(rb"DOCUMENT_FILE\s*\(\s*'([^']*\.(?:stp|step|stpz|igs|iges))'", re.I)
_IGES_START_BYTES = 100_000
# prefixes and names of units in STEP, names and flags of units in IGES
_SI_PREFIX = {
    b"": 1.0,
    b"KILO": 1e3,
    b"DECI": 0.1,
    b"CENTI": 0.01,
    b"MILLI": 1e-3,
    b"MICRO": 1e-6,
    b"NANO": 1e-9,
}
_NAMED_UNIT = {b"INCH": 0.0254, b"FOOT": 0.3048, b"YARD": 0.9144, b"MILE": 1609.344, b"MIL": 2.54e-5}
_IGES_NAMED_UNIT = {
    b"IN": 0.0254,
    b"INCH": 0.0254,
    b"MM": 0.001,
    b"FT": 0.3048,
    b"MI": 1609.344,
    b"M": 1.0,
    b"KM": 1000.0,
    b"MIL": 2.54e-5,
    b"UM": 1e-6,
    b"CM": 0.01,
    b"UIN": 2.54e-8,
}
_IGES_FLAGS = {1: b"IN", 2: b"MM", 4: b"FT", 5: b"MI", 6: b"M", 7: b"KM", 8: b"MIL", 9: b"UM", 10: b"CM",
               11: b"UIN"}  # fmt: skip


def cad_mesh(path: Path, suffix: str) -> Converted:
    """The triangles of a CAD file; raises ImportRefused, which without the extra names it."""
    kind = "iges" if suffix in IGES_SUFFIXES else "step"
    data = _plain(path.read_bytes())
    scale = _iges_metres_per_glb_unit(data) if kind == "iges" else 1.0
    size_mm = 1000 * scale * _largest_side(_converted(data, kind, **_ROUGH).content)
    glb = _converted(data, kind, tol_linear=size_mm * _DEVIATION, tol_angular=_ANGLE_RAD)
    curves = _drop_curves(glb.content)
    _name_materials(glb.content)
    _scale(glb.content, scale / cad_metres_per_unit(path, suffix))
    return Converted(glb, tuple(_lost(data, kind)), tuple(_notes(data, kind, curves)))


def _plain(data: bytes) -> bytes:
    """UTF-8 without a byte order mark; programs also write names in the encoding of Western Windows."""
    data = data.removeprefix(codecs.BOM_UTF8)
    try:
        data.decode()
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace").encode()
    return data


def _notes(data: bytes, kind: str, curves: int) -> Iterator[str]:
    if curves:
        yield f"left out: {curves} curves or points, which have no surface"
    if kind == "iges" and _iges_unit_name(data).strip().upper() not in _IGES_NAMED_UNIT:
        yield f"its unit {_iges_unit_name(data).decode('latin-1')!r} is not known: taken as millimetres"


def _lost(data: bytes, kind: str) -> Iterator[str]:
    if kind == "iges" and _is_colored_iges(data):
        yield _NOT_IN_IGES
    files = dict.fromkeys(match[1].decode("utf-8", "replace") for match in _OTHER_FILE.finditer(data))
    if files:
        yield f"parts in other files, which are not read ({some_of([*files])}); save the assembly as one file"


def cad_metres_per_unit(path: Path, suffix: str) -> float:
    """The unit of the coordinates in a CAD file; millimetres if it does not state one that is known."""
    data = path.read_bytes()
    return _iges_unit(data) if suffix in IGES_SUFFIXES else _step_unit(data)


def _step_unit(data: bytes) -> float:
    """An inch is stated as a multiple of a millimetre: units with a name count first."""
    metric = []
    for match in re.finditer(rb"LENGTH_UNIT\s*\(\s*\)", data):
        entity = data[data.rfind(b"=", 0, match.start()) : data.find(b";", match.end())]
        named = re.search(rb"CONVERSION_BASED_UNIT\s*\(\s*'([^']*)'", entity)
        if named and named[1].upper() in _NAMED_UNIT:
            return _NAMED_UNIT[named[1].upper()]
        metric += re.findall(rb"SI_UNIT\s*\(\s*(?:\$|\.([A-Z]+)\.)\s*,\s*\.METRE\.", entity)
    return _SI_PREFIX.get(metric[0], 0.001) if metric else 0.001


def _iges_unit(data: bytes) -> float:
    return _IGES_NAMED_UNIT.get(_iges_unit_name(data).strip().upper(), 0.001)


def _iges_unit_name(data: bytes) -> bytes:
    """By the flag in the 14th field of the global section, or else the name after it, as in Open CASCADE."""
    lines = data[:_IGES_START_BYTES].splitlines()
    text = b"".join(line[:72] for line in lines if line[72:73] == b"G")
    flag, name = [*islice(_iges_fields(text), 13, 15), b"", b""][:2]
    number = int(flag) if re.fullmatch(rb"\s*\+?\d+\s*", flag) else 0
    return _IGES_FLAGS.get(number, name if name.strip() else _IGES_FLAGS[1])


def _iges_metres_per_glb_unit(data: bytes) -> float:
    """cascadio writes millimetres as if they were metres; Open CASCADE takes other names for millimetres."""
    return 0.001 if _iges_unit_name(data) in _IGES_NAMED_UNIT else _iges_unit(data)


def _is_colored_iges(data: bytes) -> bool:
    """Whether an entity has a colour, in columns 17 to 24 of the second line of its directory entry."""
    directory = [line for line in data.splitlines() if line[72:73] == b"D"]
    return any(line[16:24].strip(b" 0") for line in directory[1::2])


def _iges_fields(text: bytes) -> Iterator[bytes]:
    """Fields end with a comma; a text states its length, as in 4HINCH, and may have commas."""
    start = 0
    while start < len(text):
        length = re.compile(rb"\s*(\d{1,5})H").match(text, start)
        if length:
            end = length.end() + int(length[1])
            yield text[length.end() : end]
        else:
            end = next((i for i in range(start, len(text)) if text[i : i + 1] in b",;"), len(text))
            yield text[start:end]
        start = end + 1


def _converted(data: bytes, kind: str, **tolerances: Any) -> Glb:
    try:
        import cascadio
    except ImportError as error:
        raise ImportRefused(f"{kind.upper()} files need the extra: {INSTALL}") from error
    try:
        glb = cascadio.load(data, kind, use_parallel=False, **tolerances)  # type: ignore[arg-type]
    except RuntimeError as error:
        raise ImportRefused(f"Open CASCADE cannot convert it ({error})") from error
    if not glb:
        raise ImportRefused(f"not a {kind.upper()} file that Open CASCADE can read")
    return Glb.unpacked(glb)


def _placed(content: dict) -> Iterator[tuple[np.ndarray, list[str], dict]]:
    """(4, 4) matrix to the root, names from the mesh to the root, and mesh of each node that has one."""
    nodes = content.get("nodes", [])
    waiting = [(i, np.eye(4), [""]) for scene in content.get("scenes", []) for i in scene.get("nodes", [])]
    while waiting:
        index, above, names = waiting.pop()
        node = nodes[index]
        matrix = above @ np.array(node["matrix"]).reshape(4, 4).T if "matrix" in node else above
        names = [node.get("name", ""), *names]
        if "mesh" in node:
            mesh = content["meshes"][node["mesh"]]
            yield matrix, [mesh.get("name", ""), *names], mesh
        waiting += [(child, matrix, names) for child in node.get("children", [])]


def _largest_side(content: dict) -> float:
    """Of the box of all triangles, in the unit of the GLB."""
    corners = [
        _corners(content["accessors"][primitive["attributes"]["POSITION"]]) @ matrix[:3, :3].T + matrix[:3, 3]
        for matrix, _, mesh in _placed(content)
        for primitive in mesh["primitives"]
        if primitive.get("mode", _TRIANGLES) == _TRIANGLES
    ]
    if not corners:
        raise ImportRefused("no geometry: neither solids nor surfaces")
    return float(np.ptp(np.concatenate(corners), axis=0).max())


def _corners(box: dict) -> np.ndarray:
    return np.array(list(product(*zip(box["min"], box["max"], strict=True))))


def _drop_curves(content: dict) -> int:
    """Remove lines and points; returns how many there were."""
    count = 0
    for mesh in content["meshes"]:
        surfaces = [one for one in mesh["primitives"] if one.get("mode", _TRIANGLES) == _TRIANGLES]
        count += len(mesh["primitives"]) - len(surfaces)
        mesh["primitives"] = surfaces
    empty = {number for number, mesh in enumerate(content["meshes"]) if not mesh["primitives"]}
    for node in content["nodes"]:
        if node.get("mesh") in empty:
            del node["mesh"]
    return count


def _name_materials(content: dict) -> None:
    """A matte material for each part name and colour; parts with neither have none."""
    old = content.get("materials", [])
    new: dict[tuple[str, str], dict] = {}
    number: dict[tuple[str, str], int] = {}
    named: set[int] = set()
    for _, names, mesh in _placed(content):
        if id(mesh) in named:  # a part that is placed again
            continue
        named.add(id(mesh))
        part = next((name for name in names if not _NO_NAME.fullmatch(name)), "")
        for primitive in mesh["primitives"]:
            look = old[primitive["material"]] if "material" in primitive else {}
            key = (part, json.dumps(look, sort_keys=True))
            if part or look:
                new.setdefault(key, _matte(part or "part", look))
                primitive["material"] = number.setdefault(key, len(number))
    content["materials"] = list(new.values())


def _matte(name: str, look: dict) -> dict:
    color = look.get("pbrMetallicRoughness", {}).get("baseColorFactor", (*PLAIN_GREY_LINEAR, 1.0))
    return {**look, "name": name, "pbrMetallicRoughness": {"baseColorFactor": color, **_MATTE}}


def _scale(content: dict, factor: float) -> None:
    if factor == 1.0:
        return
    for scene in content["scenes"]:
        content["nodes"].append({"children": scene["nodes"], "scale": [factor] * 3})
        scene["nodes"] = [len(content["nodes"]) - 1]
