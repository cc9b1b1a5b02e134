"""Begun: what a store has of a data set that a run goes on with, as far as it can be fetched.

In: the index of a data set. Out: the same, or one that says that no image is there: sending was cut off
after files were replaced that the index still describes as they were. They cannot be fetched, so the images
are made again; objects that have their content already are not sent again.
"""

from __future__ import annotations

from pathlib import PurePosixPath

from blendgen.cloud.compared import has_content
from blendgen.cloud.dataset_facts import record_of
from blendgen.cloud.index import Entry, Index, joined, read_index
from blendgen.cloud.objects import ObjectStore
from blendgen.dataset.layout import RECORD_NAME, Layout
from blendgen.errors import DatasetError


def begun_index(store: ObjectStore, prefix: str, force: bool) -> Index | None:
    """None where nothing is there; raises BlendgenError, unless it is to be replaced (force)."""
    try:
        index = read_index(store, prefix)
    except DatasetError:
        if force:
            return None
        raise
    if index is None or force or index.head.is_whole:
        return index
    changing = [entry for name, entry in index.entries.items() if not _is_image(name)]

    def is_as_stated(entry: Entry) -> bool:
        return has_content(store, joined(prefix, entry.name), entry.size, entry.sha256)

    if all(store.side_by_side(is_as_stated, changing)) and _is_of_head(store, prefix, index):
        return index
    return Index(index.head.model_copy(update={"images": 0, "failed_per_reason": {}}), index.entries)


def _is_of_head(store: ObjectStore, prefix: str, index: Index) -> bool:
    """Whether what is described is of the run that was cut off, and not what force (--force) replaces."""
    if RECORD_NAME not in index.entries:
        return True
    return record_of(store, prefix, index).get("digest") == index.head.record.get("digest")


def lacks_images(layout: Layout, index: Index, names: set[str]) -> bool:
    """Whether files with images of an index are not among those with these names."""
    card = layout.name(layout.packs_card)
    packs = f"{layout.name(layout.packs)}/"
    return any(
        name not in names and name != card and (_is_image(name) or name.startswith(packs))
        for name in index.entries
    )


def _is_image(name: str) -> bool:
    """Whether it is of one image alone, as images/train/a/000042.png; others change as images are added."""
    return PurePosixPath(name).stem.isdecimal()
