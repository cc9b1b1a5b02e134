"""Text: model files in UTF-16 or with a byte order mark, as the plain UTF-8 that Blender's importers expect.

Blender's importers drop the line behind a mark, and read UTF-16 as garbage. Lines that end with a carriage
return alone count as one. Does not load bpy.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from pathlib import Path

from blendgen.files.regular_file import MAX_MODEL_BYTES, open_regular

_BLOCK_BYTES = 2**24
# the mark of UTF-32 starts with that of UTF-16
_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}


def is_plain(path: Path) -> bool:
    """Whether a text file has no byte order mark, and lines that end as usual."""
    with open_regular(path, MAX_MODEL_BYTES) as file:
        start = file.read(2**16)
    return not start.startswith(tuple(_MARKS)) and (b"\r" not in start or b"\n" in start or b"\0" in start)


def plain_blocks(path: Path) -> Iterator[bytes]:
    """The content of a text file as UTF-8 without a mark; raises UnicodeDecodeError if it is damaged."""
    with open_regular(path, MAX_MODEL_BYTES) as file:
        start = file.read(4)
        mark = next((mark for mark in _MARKS if start.startswith(mark)), b"")
        file.seek(len(mark))
        decoder = codecs.getincrementaldecoder(_MARKS.get(mark, "latin-1"))()
        encoding = "utf-8" if mark else "latin-1"  # without a mark bytes stay as they are
        while block := file.read(_BLOCK_BYTES):
            yield _line_ends(decoder.decode(block)).encode(encoding, "surrogatepass")
        yield decoder.decode(b"", final=True).encode(encoding)


def plain_bytes(path: Path) -> bytes:
    """The content of a file: as it is if it is plain, else as UTF-8."""
    return path.read_bytes() if is_plain(path) else b"".join(plain_blocks(path))


def _line_ends(text: str) -> str:
    return text if "\n" in text else text.replace("\r", "\n")


def whole_lines(path: Path) -> Iterator[bytes]:
    """Blocks of a text file that end where a line ends, unless a backslash continues that line."""
    rest = b""
    with open_regular(path, MAX_MODEL_BYTES) as file:
        while block := file.read(_BLOCK_BYTES):
            block = rest + block
            end = len(block)
            while (end := block.rfind(b"\n", 0, end)) > 0 and block[:end].rstrip(b"\r")[-1:] == b"\\":
                pass
            yield block[: end + 1]
            rest = block[end + 1 :]
    if rest:
        yield rest
