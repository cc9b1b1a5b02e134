"""Folder names: the folder of a class, of the same name unless a loader would misread it, and those in it.

Loaders read splits from words in paths, and number the folders of classes in the order of their names.
Folders of a hundred thousand files are slow in many file systems and sync tools: from number 10,000 on, files
are in a folder of their thousand.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

FULL = 10_000  # files in a folder
_THOUSAND = 1000
MARK = "+"  # not a separator, and valid in paths and addresses
# Hugging Face datasets reads these words as a split, wherever they are between the separators in a path
# source: datasets.data_files, SPLIT_KEYWORDS and NON_WORDS_CHARS
_SPLIT_WORD = re.compile(
    r"(?:(?<=[-._ 0-9])|^)(?:train|training|validation|valid|dev|val|test|testing|eval|evaluation)"
    r"(?=[-._ 0-9]|$)"
)
_SKIPPED = re.compile(r"^(__|\.)")  # it skips folders whose names begin like this


@lru_cache(maxsize=4096)
def folder_name(label: str) -> str:
    """A name of which no part is read as a split, and that does not begin like those that are skipped."""
    name = _SPLIT_WORD.sub(rf"\g<0>{MARK}", label)
    return _SKIPPED.sub(lambda begin: {"__": f"_{MARK}_", ".": f"{MARK}."}[begin[0]], name)


def image_place(label: str, index: int) -> str:
    """Where the files of an image of a class are, without suffix: mug/000042, mug/0012/012345.

    It does not depend on the number of images, so that a data set can grow.
    """
    return f"{folder_name(label)}/{numbered(index)}"


def numbered(index: int) -> str:
    """Where the files of an image are in the folder of their class, without suffix."""
    return f"{thousand(index)}{index:06d}"


def thousand(number: int) -> str:
    """The folder of a file of this number, with "/"; empty for the first 10,000."""
    return f"{number // _THOUSAND:04d}/" if number >= FULL else ""


def order_fault(classes: Sequence[str]) -> str | None:
    """Why loaders would number the folders of sorted classes in another order; None where they do not."""
    for one, other in pairwise(classes):
        if folder_name(one) >= folder_name(other):
            return (
                f"the folders of the classes {one!r} and {other!r}, {folder_name(one)!r} and "
                f"{folder_name(other)!r}, are in another order than the classes"
            )
    return None
