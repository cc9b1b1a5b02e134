"""Folder names: the folder of a class, of the same name unless a loader would misread it.

Loaders read splits from words in paths, and number the folders of classes in the order of their names.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

MARK = "+"  # not a separator, and valid in paths and addresses
# Hugging Face datasets reads these words as a split, wherever they are between the separators in a path
# source: datasets.data_files, SPLIT_KEYWORDS and NON_WORDS_CHARS
_SPLIT_WORD = re.compile(
    r"(?:(?<=[-._ 0-9])|^)(?:train|training|validation|valid|dev|val|test|testing|eval|evaluation)"
    r"(?=[-._ 0-9]|$)"
)
_SKIPPED = re.compile(r"^(__|\.)")  # it skips folders whose names begin like this


def folder_name(label: str) -> str:
    """A name of which no part is read as a split, and that does not begin like those that are skipped."""
    name = _SPLIT_WORD.sub(rf"\g<0>{MARK}", label)
    return _SKIPPED.sub(lambda begin: {"__": f"_{MARK}_", ".": f"{MARK}."}[begin[0]], name)


def order_fault(classes: Sequence[str]) -> str | None:
    """Why loaders would number the folders of sorted classes in another order; None where they do not."""
    for one, other in pairwise(classes):
        if folder_name(one) >= folder_name(other):
            return (
                f"the folders of the classes {one!r} and {other!r}, {folder_name(one)!r} and "
                f"{folder_name(other)!r}, are in another order than the classes"
            )
    return None
