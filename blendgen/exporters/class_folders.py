"""Class folders: the folder of each class in exports that name classes by folders.

In: the classes in the order of their numbers. Out: a folder for each, of the same name unless a loader would
misread it. Sorted by name, the folders are in the order of the classes, because loaders number them so.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence

from blendgen.exporters.destination import Destination

LIST = "classes.txt"
# Hugging Face datasets reads these words as a split, wherever they are between the separators in a path
# source: datasets.data_files, SPLIT_KEYWORDS and NON_WORDS_CHARS
_SPLIT_WORD = re.compile(
    r"(?:(?<=[-._ 0-9])|^)(?:train|training|validation|valid|dev|val|test|testing|eval|evaluation)"
    r"(?=[-._ 0-9]|$)"
)
_SKIPPED = re.compile(r"^(__|\.)")  # it skips folders whose names begin like this
_MARK = "+"  # not a separator, and valid in paths and addresses
_log = logging.getLogger(__name__)


def class_folders(classes: Sequence[str]) -> dict[str, str]:
    """Class -> name of its folder."""
    folders = [_readable(label) for label in classes]
    if folders != sorted({*folders}):
        digits = len(str(len(folders)))
        folders = [f"{number:0{digits}d}{_MARK}{folder}" for number, folder in enumerate(folders)]
    return dict(zip(classes, folders, strict=True))


def write_class_list(destination: Destination, folders: dict[str, str]) -> dict[str, dict[str, str]]:
    """Where folders differ from their classes: write the list of classes, warn, and return the difference."""
    renamed = {label: folder for label, folder in folders.items() if label != folder}
    if not renamed:
        return {}
    destination.write_text(LIST, "".join(f"{label}\n" for label in folders))
    misread = [repr(label) for label in folders if _readable(label) != label]
    more = f" and {len(misread) - 3} more" if len(misread) > 3 else ""
    _log.warning(
        "Hugging Face datasets would misread the folders of %s%s, so %d folders have other names than their "
        "classes; %s lists the classes in the order of the folders",
        ", ".join(misread[:3]), more, len(renamed), LIST,
    )  # fmt: skip
    return {"class_folders": renamed}


def _readable(label: str) -> str:
    """A name of which no part is read as a split, and that does not begin like those that are skipped."""
    name = _SPLIT_WORD.sub(rf"\g<0>{_MARK}", label)
    return _SKIPPED.sub(lambda begin: {"__": f"_{_MARK}_", ".": f"{_MARK}."}[begin[0]], name)
