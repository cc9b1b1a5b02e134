"""PLY header: the elements of a PLY file, and the textures that its comments name. Does not load bpy.

source: Turk, The PLY Polygon File Format, 1998; TextureFile comments: VCGlib
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import numpy as np

from blendgen.engine.blender.importing.damaged import DamagedFile

_KINDS = {
    **dict.fromkeys(("char", "int8"), "i1"),
    **dict.fromkeys(("uchar", "uint8"), "u1"),
    **dict.fromkeys(("short", "int16"), "i2"),
    **dict.fromkeys(("ushort", "uint16"), "u2"),
    **dict.fromkeys(("int", "int32"), "i4"),
    **dict.fromkeys(("uint", "uint32"), "u4"),
    **dict.fromkeys(("float", "float32"), "f4"),
    **dict.fromkeys(("double", "float64"), "f8"),
}
CORNERS = ("vertex_indices", "vertex_index")  # names of the list of a face's vertices
_HEADER_END = re.compile(rb"[\r\n]end_header[ \t]*(?:\r\n|\r|\n)")
_TEXTURE = re.compile(r"\s*(?:comment|obj_info)\s+texture[_ ]?file\b[\s:=]*(.*\S)", re.I)


@dataclass
class Element:
    """Names and NumPy's kinds of the properties of an element; of a list, those of its length and items."""

    name: str
    count: int
    properties: list[tuple[str, str, str | None]] = field(default_factory=list)

    @property
    def has_lists(self) -> bool:
        return any(items for _, _, items in self.properties)

    @property
    def least_bytes(self) -> int:
        """In a binary file, where all faces are at least triangles; other lists may be empty."""
        return self.count * sum(
            np.dtype(kind).itemsize + (3 * np.dtype(items).itemsize if items and name in CORNERS else 0)
            for name, kind, items in self.properties
        )

    def row(self, order: str) -> np.dtype:
        """Of an element without lists, which may have several properties of one name."""
        kinds = [order + kind for _, kind, _ in self.properties]
        return np.dtype([(f"{i}", kind) for i, kind in enumerate(kinds)])


@dataclass(frozen=True)
class PlyHeader:
    """order: the byte order of a binary body, "<" or ">"; start: of the body; textures: file names"""

    is_ascii: bool
    order: str
    elements: list[Element]
    textures: list[str]
    start: int


def read_header(data: bytes | bytearray) -> PlyHeader:
    """The header of a PLY file; raises DamagedFile if it cannot be understood."""
    end = _HEADER_END.search(data)
    if end is None:
        raise DamagedFile("truncated: its header does not end")
    header = data[: end.start()]
    lines = [line.split() for line in header.decode("latin-1").splitlines()]
    formats = [line[1] for line in lines if line[:1] == ["format"] and len(line) > 1]
    comments = map(_TEXTURE.match, header.decode("utf-8", "surrogateescape").splitlines())
    return PlyHeader(
        is_ascii=formats[:1] == ["ascii"],
        order=">" if formats[:1] == ["binary_big_endian"] else "<",
        elements=_elements(lines),
        textures=[comment[1].strip("\"'") for comment in comments if comment],
        start=end.end(),
    )


def _elements(lines: list[list[str]]) -> list[Element]:
    elements: list[Element] = []
    for line in lines:
        match line:
            case ["element", name, count]:
                elements.append(Element(name, _count(name, count)))
            case ["property", "list", length, item, name] if elements:
                elements[-1].properties.append((name, _kind(length), _kind(item)))
            case ["property", kind, name] if elements:
                elements[-1].properties.append((name, _kind(kind), None))
    return elements


def _count(name: str, count: str) -> int:
    if not (count.isascii() and count.isdigit()):
        raise DamagedFile(f"its header is damaged: the number of its elements {name!r} is {count!r}")
    return int(count)


def _kind(name: str) -> str:
    if name not in _KINDS:
        raise DamagedFile(f"its header has a property of the unknown type {name!r}")
    return _KINDS[name]
