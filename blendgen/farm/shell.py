"""Shell: words of any content as text of a bash script.

In: words and paths. Out: ASCII text that bash reads as the same bytes, whatever the encoding of a terminal,
so that no newline, quote or $ of a file name becomes part of the script.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable


def quoted(word: str | os.PathLike[str]) -> str:
    """One word. What is not printable ASCII becomes $'...' with the bytes of the file name."""
    text = os.fspath(word)
    if text.isascii() and text.isprintable():
        return shlex.quote(text)
    return f"$'{''.join(map(_escaped, os.fsencode(text)))}'"


def command_line(words: Iterable[str | os.PathLike[str]]) -> str:
    return " ".join(map(quoted, words))


def _escaped(byte: int) -> str:
    letter = chr(byte)
    return letter if letter.isascii() and (letter.isalnum() or letter in " ./,:=_-") else f"\\x{byte:02x}"
