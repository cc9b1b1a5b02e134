"""Markdown: strings of a data set, which a stranger may have written, as text of a page."""

from __future__ import annotations

import re

_MARKUP = re.compile(r"([\\`*_\[\]<>|!&~])")


def plain(text: str) -> str:
    """One line that is displayed as it is, also in a cell of a table."""
    return _MARKUP.sub(r"\\\1", " ".join(text.split()))


def code(text: str) -> str:
    """A code span; one that contains ` has more of them around it.

    source: CommonMark 0.31, 6.1 Code spans
    """
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence, space = "`" * (longest + 1), " " if longest else ""
    return f"{fence}{space}{text}{space}{fence}"
