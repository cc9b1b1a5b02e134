"""Split names: which name of a split loaders know, and which they read as something else.

In: names of splits, from a spec, a data set or folders of photos. Out: the name in exports: `train`, `val` or
`test` for the names that loaders use for these, and any other name unchanged.
"""

from __future__ import annotations

from collections.abc import Iterable

# what loaders read as one of the three usual splits
# source: datasets.data_files, SPLIT_KEYWORDS
SPLIT_ALIASES = {"training": "train", "validation": "val", "valid": "val", "dev": "val", "testing": "test",
                 "eval": "test", "evaluation": "test"}  # fmt: skip
USUAL_SPLITS = ("train", "val", "test")
_RESERVED = {
    "all": "Hugging Face datasets reads it as all splits together",
    "images": "ultralytics looks for the labels of images/images in labels",
    "labels": "ultralytics reads a folder of this name as label files",
}


def usual_split(name: str) -> str:
    """The name of a split in exports."""
    return SPLIT_ALIASES.get(name.casefold(), name.casefold() if name.casefold() in USUAL_SPLITS else name)


def hub_split(name: str) -> str:
    """The name of a split on the Hugging Face hub."""
    return {"val": "validation"}.get(usual_split(name), usual_split(name))


def split_name_fault(name: str) -> str | None:
    """Why a loader would misread a split of this name; None if none does."""
    meaning = _RESERVED.get(name.casefold())
    return None if meaning is None else f"cannot be the name of a split: {meaning}"


def same_split_fault(names: Iterable[str]) -> str | None:
    """Which two splits loaders would read as one; None if all differ."""
    first: dict[str, str] = {}
    for name in names:
        other = first.setdefault(usual_split(name), name)
        if other != name:
            return f"{other!r} and {name!r} are both read as {usual_split(name)!r} by loaders"
    return None
