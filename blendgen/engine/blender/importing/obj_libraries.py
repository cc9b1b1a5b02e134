"""OBJ libraries: which materials an OBJ file uses, and what its material libraries say of them. No bpy.

Blender's importer reads one library per mtllib line, under its exact name, and knows some of the keywords in
their exact letter case. Here the libraries are found as other programs find them, and their text is written
with Blender's keywords.
source: Wavefront, MTL material format
"""

from __future__ import annotations

import mmap
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from blendgen.engine.blender.importing.coordinates.text import plain_blocks
from blendgen.files.regular_file import MAX_MODEL_BYTES, open_regular
from blendgen.models.companions import Companions
from blendgen.models.lookup import Lookup

_STATEMENT = re.compile(rb"^[ \t]*(mtllib|usemtl)(?:[ \t]|\\\r?\n)+([^\r\n]*)", re.M)
_SEVERAL = re.compile(r'"([^"]+)"|(\S.*?\.mtl)(?=\s|$)|(\S+)', re.I)
_NO_MATERIAL = ("", "none", "null", "(null)")  # what exporters write for it
_MAPS = (
    "map_Kd", "map_Ks", "map_Ke", "map_Ns", "map_d", "map_bump", "map_Bump", "bump", "map_refl", "refl",
    "map_Pr", "map_Pm", "map_Ps",
)  # fmt: skip
_KNOWN = (*_MAPS, "newmtl", "Kd", "Ks", "Ke", "Ns", "Ni", "d", "illum", "Pr", "Pm", "Ps", "Pc", "Pcr")
_KEYWORDS = {name.lower(): name for name in _KNOWN}
# Blender's importer takes map_Bump as a normal map
_KEYWORDS |= dict.fromkeys(("norm", "map_norm", "map_kn"), "map_Bump")
_AMBIENT = "map_ka"
_TRANSPARENCY = "tr"
_UNUSED = re.compile(r"map_\w+|disp|decal", re.I)
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?"
_OPTIONS = re.compile(
    rf"(?:-(?:(?:mm|o|s|t)(?:\s+{_NUMBER}){{1,3}}"
    r"|(?:blendu|blendv|bm|boost|cc|clamp|imfchan|texres|type)\s+\S+)\s+)*",
    re.I,
)


@dataclass
class Library:
    """One name of an mtllib statement, and its file; None if it is missing.

    by_blender: Blender's importer opens the same file
    """

    name: str
    file: Path | None
    by_blender: bool


@dataclass
class MtlMaterial:
    """A material of a library.

    lines: its statements with Blender's keywords and, for files next to the library, absolute paths
    changed: Blender reads something else from the file
    ambient: value of map_Ka; path tracing has no ambient light, so it only counts as base colour
    transparency: value of Tr, which Blender does not know; d counts where both are stated, because some
        exporters write Tr 1 for an opaque material
    unused: statements of textures that Blender does not know, as in the file
    """

    name: str
    changed: bool = False
    lines: list[str] = field(default_factory=list)
    ambient: str = ""
    transparency: float | None = None
    unused: list[str] = field(default_factory=list)

    def add(self, keyword: str, value: str, folder: Path) -> None:
        """Add a statement of a library in a folder."""
        known = keyword if keyword in _KNOWN else _KEYWORDS.get(keyword.lower(), "")
        if known in _MAPS:
            texture = _with_path(value, folder)
            self.changed |= known != keyword or '"' in value
            self.lines.append(f"{known} {texture}")
        elif keyword.lower() == _AMBIENT:
            self.ambient = _with_path(value, folder)
        elif keyword.lower() == _TRANSPARENCY and re.fullmatch(_NUMBER, value, re.I):
            self.transparency = min(max(float(value), 0.0), 1.0)
        elif _UNUSED.fullmatch(keyword):
            self.unused.append(f"{keyword} {value}")
        else:
            self.changed |= bool(known) and known != keyword
            self.lines.append(f"{known or keyword} {value}")

    def complete(self) -> None:
        if self.ambient and not any(line.startswith("map_Kd ") for line in self.lines):
            self.lines.append(f"map_Kd {self.ambient}")
            self.changed = True
        if self.transparency and not any(line.startswith("d ") for line in self.lines):
            self.lines.append(f"d {1 - self.transparency:.6g}")
            self.changed = True


@dataclass
class ObjStatements:
    """The libraries, and the names of used materials in the order of Blender's material slots."""

    libraries: list[Library]
    used: list[str]


def read_statements(file: Path, companions: Companions) -> ObjStatements:
    """The mtllib and usemtl statements of an OBJ file, or of a copy of it; companions: of the original."""
    lookup = Lookup(companions)
    libraries: dict[str, Library] = {}
    used: dict[str, None] = {}
    for keyword, rest in _statements(file):
        if keyword == b"usemtl":
            used[rest] = None
            continue
        for library in _libraries(rest, companions, lookup):
            libraries.setdefault(library.name, library)
    own = companions.inside(f"{companions.model.stem}.mtl")
    if own is not None and own.is_file() and all(library.file != own for library in libraries.values()):
        libraries[own.name] = Library(own.name, own, by_blender=True)
    return ObjStatements(list(libraries.values()), list(used))


def _statements(obj: Path) -> Iterator[tuple[bytes, str]]:
    with open_regular(obj, MAX_MODEL_BYTES) as file:
        if os.fstat(file.fileno()).st_size == 0:
            return
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            for match in _STATEMENT.finditer(data):
                yield match[1], match[2].decode("utf-8", "surrogateescape").strip()


def _libraries(rest: str, companions: Companions, lookup: Lookup) -> Iterator[Library]:
    """The libraries of one mtllib statement: one whose name may contain spaces, or several."""
    whole = _unquoted(rest)
    exact = companions.inside(whole)
    if exact is not None and exact.is_file():
        yield Library(whole, exact, by_blender=rest in (whole, f'"{whole}"'))
        return
    several = ["".join(groups) for groups in _SEVERAL.findall(rest)]
    file = lookup.library(whole)
    if file is not None or len(several) < 2:
        yield Library(whole, file, by_blender=False)
        return
    for name in several:
        yield Library(name, lookup.library(name), by_blender=False)


def _unquoted(name: str) -> str:
    return name[1:-1] if len(name) > 2 and name[0] == name[-1] and name[0] in "\"'" else name


def means_none(name: str) -> bool:
    return name.casefold() in _NO_MATERIAL


def read_materials(library: Path) -> list[MtlMaterial]:
    """The materials of a library; statements before the first are left out."""
    materials: list[MtlMaterial] = []
    text = b"".join(plain_blocks(library)).decode("utf-8", "surrogateescape")
    for line in text.splitlines():
        keyword, _, value = line.strip().replace("\t", " ").partition(" ")
        if keyword.lower() == "newmtl":
            materials.append(MtlMaterial(value.strip(), changed=keyword != "newmtl"))
        elif materials and keyword and not keyword.startswith("#"):
            materials[-1].add(keyword, value.strip(), library.parent)
    for material in materials:
        material.complete()
    return materials


def _with_path(value: str, folder: Path) -> str:
    """The value of a texture statement, its file with an absolute path if it is next to the library."""
    start = _OPTIONS.match(value)
    options = start[0] if start else ""
    name = _unquoted(value[len(options) :].strip())
    try:
        file = folder / name.replace("\\", "/")
        return f"{options}{file}" if file.is_file() else f"{options}{name}"
    except (OSError, ValueError):  # not a valid path
        return f"{options}{name}"
