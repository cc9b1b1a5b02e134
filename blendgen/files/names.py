"""Names: which strings can name a class, a split or a path of a data set, and how strings are displayed.

In: strings of specs, models, sidecars and manifests. Nothing here touches a disk.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

MAX_NAME_BYTES = 255  # of one folder or file on the usual file systems
MAX_PATH_BYTES = 1024  # of a path below a data set
# bidirectional marks, embeddings, overrides and isolates: they make a string look like another one
_BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_LINE_ENDS = "\u2028\u2029"
_NOT_XML = "\ufffe\uffff"
# most names and paths, which cannot be at fault if they are short; a manifest has millions
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_+-][A-Za-z0-9_.+ -]*")
_PLAIN_PATH = re.compile(rf"{_PLAIN_NAME.pattern}(?:/{_PLAIN_NAME.pattern})*")


def name_fault(name: object) -> str | None:
    """Why a value cannot name a class, a split, a colourway or a single folder; None if it can."""
    if not isinstance(name, str):
        return "is not a string"
    if len(name) <= MAX_NAME_BYTES and _PLAIN_NAME.fullmatch(name):
        return None
    if not name.strip():
        return "is empty"
    if name in (".", ".."):
        return "refers to the folder itself or to the one above"
    if "/" in name or "\\" in name:
        return "contains / or \\; a name is not a path"
    plain = name.isascii() and name.isprintable()
    hidden = None if plain else next((letter for letter in name if is_hidden(letter)), None)
    if hidden is not None:
        return f"contains an invisible control character (U+{ord(hidden):04X})"
    if len(name.encode()) > MAX_NAME_BYTES:
        return f"is longer than {MAX_NAME_BYTES} bytes"
    return None


def checked_name(name: str) -> str:
    """The name itself; raises ValueError if it is not valid (a schema adds the field)."""
    fault = name_fault(name)
    if fault:
        raise ValueError(f"the name {name!r} {fault}")
    return name


def nfc(name: str) -> str:
    """The name in Unicode's composed form, in which names are compared and stored."""
    return unicodedata.normalize("NFC", name)


def path_fault(path: object) -> str | None:
    """Why a value cannot be the path of a file below a data set, with "/" between its parts; None if it can.

    Links are not checked here.
    """
    if not isinstance(path, str):
        return "is not a string"
    if len(path) <= MAX_NAME_BYTES and _PLAIN_PATH.fullmatch(path):
        return None
    if path.startswith("/"):
        return "is an absolute path"
    parts = path.split("/")
    if ":" in parts[0]:
        return "starts with a drive or a scheme"
    for part in parts:
        fault = "has an empty part" if not part.strip() else name_fault(part)
        if fault:
            return fault
    return f"is longer than {MAX_PATH_BYTES} bytes" if len(path.encode()) > MAX_PATH_BYTES else None


def is_hidden(letter: str) -> bool:
    """Whether a character is invisible and controls a terminal or the direction of text.

    These are C0 and C1 controls, DEL, line separators, bidirectional controls, lone surrogates, and
    characters that XML cannot contain.
    """
    return unicodedata.category(letter) in ("Cc", "Cs") or letter in _BIDI + _LINE_ENDS + _NOT_XML


def printable(text: str) -> str:
    """The text, safe for a terminal: hidden characters other than line breaks and tabs become escapes."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        _escaped(letter) if is_hidden(letter) and letter not in "\n\t" else letter for letter in text
    )


def some_of(names: Sequence[str], most: int = 3) -> str:
    """The first names, and how many more there are, for a message."""
    more = len(names) - most
    return ", ".join(map(printable, names[:most])) + (f" and {more} more" if more > 0 else "")


def _escaped(letter: str) -> str:
    return (
        letter.encode("unicode_escape", "surrogatepass").decode()
        if ord(letter) > 0xFF
        else f"\\x{ord(letter):02x}"
    )
