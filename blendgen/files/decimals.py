"""Decimals: numbers that are written as text in files of others.

Python's `float` and `int` also read 1_000 and the digits of all scripts, which no format means.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_OTHER = re.compile(r"[^-+.\s0-9A-Za-z]", re.ASCII)


def decimal(text: str) -> float:
    """The number of a text, with spaces around it or not; NaN and infinity too.

    raises: ValueError
    """
    return decimals([text])[0]


def decimals(texts: Iterable[str]) -> list[float]:
    """As `decimal`, of many texts."""
    return [float(text) for text in _plain(texts)]


def whole_numbers(texts: Iterable[str]) -> list[int]:
    """As `decimals`, of integers."""
    return [int(text) for text in _plain(texts)]


def _plain(texts: Iterable[str]) -> list[str]:
    texts = list(texts)
    if other := _OTHER.search(" ".join(texts)):
        raise ValueError(f"{other[0]!r} in a number")
    return texts
