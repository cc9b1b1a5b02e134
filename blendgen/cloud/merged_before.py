"""Merged before: what a merge in an object store finds in the place of its result.

In: the index that is there, and those of the shards. Out: the counts of a result that has all images of the
shards, so that these may be removed; or nothing, and the shards are merged again. Where that would lose
images, it is an error. A result is never trusted by the number of its images alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from blendgen.cloud.compared import is_entry
from blendgen.cloud.dataset_facts import record_of
from blendgen.cloud.index import Entry, Index, read_index
from blendgen.cloud.objects import ObjectStore
from blendgen.dataset.layout import OBJECTS_NAME
from blendgen.dataset.pack_plan import CONTAINER_KEY
from blendgen.dataset.store import COUNT_KEYS
from blendgen.errors import DatasetError
from blendgen.files.url import Url


def counts_before(
    store: ObjectStore, before: Index | None, shards: Mapping[str, Index], allow_gaps: bool
) -> dict[str, Any] | None:
    """The counts of a data set that has all of its shards already; raises DatasetError."""
    if before is None or not before.head.is_whole:
        return None
    is_full = _is_full(before, shards)
    if (is_full or allow_gaps) and _has_all(before, shards, is_full):
        record = record_of(store, "", before)
        return {"shards": len(shards), **{key: record.get(key) for key in COUNT_KEYS}}
    _refuse_loss(store.url, before, shards, allow_gaps)
    return None


def refuse_damaged(store: ObjectStore) -> None:
    """Raises DatasetError unless the result is what its index says: its shards are removed then."""
    index, there = read_index(store, ""), store.listing("")
    if index is None or not index.head.is_whole:
        raise DatasetError(
            f"{store.place(OBJECTS_NAME)}: was changed by another machine; its shards are kept"
        )

    def compared(entry: Entry) -> tuple[str, bool]:
        return entry.name, is_entry(store, entry.name, there.get(entry.name), entry)

    for name, is_right in store.side_by_side(compared, index.entries.values()):
        if not is_right:
            raise DatasetError(
                f"{store.place(name)}: is missing or is not what was sent; the shards are kept. `blendgen "
                f"verify {store.url} --repair` makes it again"
            )


def _is_full(before: Index, shards: Mapping[str, Index]) -> bool:
    """Whether the result has all images of the spec of the shards; runs with --index want fewer."""
    head = before.head
    is_of_all = head.is_complete and head.wanted == head.spec_images
    return is_of_all and all(one.head.spec_images <= head.spec_images for one in shards.values())


def _has_all(before: Index, shards: Mapping[str, Index], is_full: bool) -> bool:
    """Whether the result has what the shards have. Names of large files do not say which images they hold."""
    if not is_full and _count(before) < sum(map(_count, shards.values())):
        return False
    if _are_packed(shards):
        return is_full and before.head.images >= _images(shards)
    return all(
        _content(before.entries.get(name)) == _content(entry)
        for one in shards.values()
        for name, entry in one.entries.items()
        if _is_of_image(name)
    )


def _refuse_loss(url: Url, before: Index, shards: Mapping[str, Index], allow_gaps: bool) -> None:
    """Raises DatasetError where a merge of these shards might lose images of the result."""
    if not shards:
        raise DatasetError(
            f"{url}: has {before.head.images} of {before.head.spec_images} images, and no shards; make the "
            "shards that are missing, or set allow_gaps (--allow-gaps)"
        )
    either = f"remove {url}/shards to keep the data set, or its other objects to merge the shards again"
    if any(before.head.spec_images > one.head.spec_images for one in shards.values()):
        raise DatasetError(f"{url}: was made with more images (-n) than its shards; {either}")
    if _are_packed(shards):
        if before.head.images > _images(shards) or allow_gaps:
            raise DatasetError(f"{url}: may have images that its shards lack; {either}")
        return
    known = set().union(*(one.entries for one in shards.values()))
    more = next((name for name in before.entries if _is_of_image(name) and name not in known), None)
    if more is not None:
        raise DatasetError(f"{url}: has images that its shards lack, such as {more}; {either}")


def _is_of_image(name: str) -> bool:
    """Whether a file belongs to one image; lists of images and cards are in the same folders."""
    folder, _, leaf = name.rpartition("/")
    return bool(folder) and leaf not in ("README.md", "metadata.jsonl")


def _are_packed(shards: Mapping[str, Index]) -> bool:
    return any(CONTAINER_KEY in one.head.record for one in shards.values())


def _images(shards: Mapping[str, Index]) -> int:
    return sum(one.head.images for one in shards.values())


def _count(index: Index) -> int:
    return index.head.images + sum(index.head.failed_per_reason.values())


def _content(entry: Entry | None) -> tuple[int, str] | None:
    return None if entry is None else (entry.size, entry.sha256)
