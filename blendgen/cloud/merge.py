"""Merge in an object store: one data set of the shards below a URL, whose images never leave the store.

In: URL/shards/*, each complete. Out: the same bytes in URL as if one run had made them. The manifests are
fetched and merged on this machine; the store copies the images itself. Before that each image is compared:
its row with the index of its shard, and the index with what the store says now; where it says nothing, the
image is read. The index of the result comes last.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from blendgen.cloud.compared import is_entry
from blendgen.cloud.copies import local_place, named_by
from blendgen.cloud.index import Entry, Head, Index, joined, read_index, write_index
from blendgen.cloud.merged_before import counts_before, refuse_damaged
from blendgen.cloud.objects import SHARDS, ObjectFacts, ObjectStore
from blendgen.cloud.pull import Pull
from blendgen.cloud.push import Push
from blendgen.dataset.layout import OBJECTS_NAME, Layout
from blendgen.dataset.manifest import spread_rows
from blendgen.dataset.ownership import HARMLESS
from blendgen.dataset.pack_plan import CONTAINER_KEY
from blendgen.errors import DatasetError
from blendgen.farm.merge import MergeOptions, merge
from blendgen.farm.merge_input import MergeInput
from blendgen.farm.placement import refuse_other_image
from blendgen.farm.shards import named_shard
from blendgen.files.scratch import scratch_folder
from blendgen.files.url import Url
from blendgen.scene.row import RowFile, RowHead
from blendgen.system.progress import Progress

_BATCH = 512
_SHEET_IMAGES = 60  # as report.contact_sheet


def merge_url(url: Url, options: MergeOptions, progress: Progress) -> dict[str, Any]:
    """As farm.merge.merge; options.link does not matter. Raises BlendgenError."""
    store = ObjectStore(url)
    shards = _complete_shards(store)
    before = read_index(store, "")
    _refuse_other(store, before, shards)
    counts = counts_before(store, before, shards, options.allow_gaps)
    if counts is None:
        counts = _merged(store, before, shards, options, progress)
    if shards and (options.remove_shards or options.link == "move"):
        refuse_damaged(store)
        _remove_shards(store, shards)
    return counts


def _complete_shards(store: ObjectStore) -> dict[str, Index]:
    """The index of each shard, by its name; raises DatasetError for one that is not complete."""
    shards = {}
    for name in store.folders(SHARDS):
        place, index = store.place(joined(SHARDS, name)), read_index(store, joined(SHARDS, name))
        if named_shard(name) is None:
            raise DatasetError(f"{place}: is not named as a shard is; move it away")
        if index is None or not (index.head.is_whole and index.head.is_complete):
            raise DatasetError(f"{place}: is not complete; its own `blendgen generate --shard` finishes it")
        shards[name] = index
    return shards


def _refuse_other(store: ObjectStore, before: Index | None, shards: dict[str, Index]) -> None:
    """Raises DatasetError where the merged data set may not be written."""
    others = [name for name in store.folders("") if name not in (SHARDS, *HARMLESS)]
    if before is None and others:
        raise DatasetError(
            f"{store.url}: has objects that do not belong to a data set of blendgen, such as {others[0]!r}; "
            "choose another URL"
        )
    if before is None and not shards:
        raise DatasetError(f"{store.url}: has no shards; make them with `blendgen generate --shard`")
    digests = {index.head.record.get("digest") for index in shards.values()}
    if before is not None and before.head.record and digests - {before.head.record.get("digest")}:
        raise DatasetError(f"{store.url}: contains another data set; choose another URL")


def _merged(
    store: ObjectStore, before: Index | None, shards: dict[str, Index], options: MergeOptions,
    progress: Progress,
) -> dict[str, Any]:  # fmt: skip
    first = next(iter(shards.values()), None)
    if first is None:
        raise DatasetError(f"{store.url}: is not whole, and has no shards to merge again")
    # packs that two shards share are written again, so these come to this machine
    are_packed = any(CONTAINER_KEY in index.head.record for index in shards.values())
    with scratch_folder("merge") as scratch, named_by(store.url, scratch):
        layout = Layout(local_place(scratch, store.url))
        for name, index in shards.items():
            shard = Layout(layout.shards / name)
            own = None if are_packed else [shard.name(path) for path in shard.own_files]
            Pull(store, joined(SHARDS, name), shard, progress).run(index, own)
        local = replace(options, link="hard", remove_shards=False, check_files=False)
        placement = _StorePlacement(store, shards, before, layout, progress)
        counts = merge(layout.root, [], local, progress, None if are_packed else placement)
        if are_packed:
            placement.begin()
        images, failed = counts["images"], counts["images_failed_per_reason"]
        is_complete = images + sum(failed.values()) >= first.head.spec_images
        head = first.head.model_copy(update={
            "is_complete": is_complete, "images": images, "failed_per_reason": failed,
            "wanted": first.head.spec_images,
        })  # fmt: skip
        Push(store, "", layout, progress, placement.before, placement.copied).run(head)
    return counts


@dataclass
class _StorePlacement:
    """Copies the objects of images inside of the store, many at a time."""

    store: ObjectStore
    shards: dict[str, Index]
    before: Index | None
    layout: Layout
    progress: Progress
    copied: dict[str, Entry] = field(default_factory=dict)
    _waiting: list[tuple[str, Entry]] = field(default_factory=list)
    _there: dict[str, ObjectFacts] | None = None

    def __post_init__(self) -> None:
        self._facts = lru_cache(maxsize=2)(self._listing)  # of the shards that are merged now

    def place(self, source: MergeInput, row: RowHead, index: int) -> None:
        name = source.root.name
        for file in row.files.values():
            refuse_other_image(self.store.place(joined(SHARDS, name)), row, file, index)
            self._waiting.append((name, self._entry(name, file)))
        if len(self._waiting) >= _BATCH:
            self._copy()

    def finish(self) -> None:
        """Also fetches the images of the contact sheet."""
        self._copy()
        rows = spread_rows(self.layout.manifest, _SHEET_IMAGES)
        pull = Pull(self.store, "", self.layout, self.progress)
        pull.run(Index(Head(), self.copied), [row.image.name for row in rows])

    def _listing(self, shard: str) -> dict[str, ObjectFacts]:
        return self.store.listing(joined(SHARDS, shard))

    def _entry(self, shard: str, file: RowFile) -> Entry:
        """What the index of a shard says of a file; raises DatasetError unless its row says the same."""
        entry = self.shards[shard].entries.get(file.name)
        if entry is None or (entry.size, entry.sha256) != (file.size_bytes, file.sha256):
            raise self._damaged(shard, file.name)
        return entry

    def begin(self) -> None:
        """Say that the merged data set is not whole."""
        head = Head(record=next(iter(self.shards.values())).head.record)
        self.before = Index(head, self.before.entries if self.before is not None else {})
        write_index(self.store, "", self.before)

    def _copy(self) -> None:
        if self._there is None:
            self._there = self.store.listing("")
            self.begin()
        for entry in self.store.side_by_side(self._copied, self._waiting):
            self.copied[entry.name] = entry
        self._waiting = []

    def _copied(self, item: tuple[str, Entry]) -> Entry:
        shard, entry = item
        source = joined(joined(SHARDS, shard), entry.name)
        if not is_entry(self.store, source, self._facts(shard).get(entry.name), entry):
            raise self._damaged(shard, entry.name)
        if not is_entry(self.store, entry.name, (self._there or {}).get(entry.name), entry):
            self.store.copy(source, entry.name)
        return entry

    def _damaged(self, shard: str, name: str) -> DatasetError:
        place = self.store.place(joined(SHARDS, shard))
        return DatasetError(
            f"{place}: {name} is missing or is not what was sent; `blendgen verify {place} --repair` makes "
            "it again"
        )


def _remove_shards(store: ObjectStore, shards: dict[str, Index]) -> None:
    """Only what their indexes name; the index goes last."""
    for name, index in shards.items():
        objects = [joined(joined(SHARDS, name), entry) for entry in index.entries]
        [*store.side_by_side(store.remove, objects)]
        store.remove(joined(joined(SHARDS, name), OBJECTS_NAME))
