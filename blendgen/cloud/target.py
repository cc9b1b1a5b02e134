"""Target: the place of a run in an object store, and the folder of this machine in which its images are made.

In: a URL, a spec, a shard. Out: what the store has of these images, fetched before the run where this machine
has less; sent after it, also what is finished when the run stops early, so that another machine goes on. What
belongs to another spec, or to somebody else, is refused, as it is in a folder.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from blendgen.cloud.begun import begun_index, lacks_images
from blendgen.cloud.dataset_facts import record_of
from blendgen.cloud.index import Entry, Head, Index, joined, read_head, write_index
from blendgen.cloud.objects import SHARDS, ObjectStore
from blendgen.cloud.pull import Pull, is_here
from blendgen.cloud.push import Push
from blendgen.cloud.staging import (
    MADE,
    finished_files,
    refuse_other_files,
    remove_staging,
    staging_folder,
)
from blendgen.dataset.difference import difference
from blendgen.dataset.identity import values_digest
from blendgen.dataset.layout import PROBE_NAME, Layout
from blendgen.dataset.lock import FolderLock
from blendgen.dataset.manifest import read_lines
from blendgen.dataset.ownership import HARMLESS, NOT_MERGED
from blendgen.dataset.pack_plan import CONTAINER_KEY, IMAGES_KEY
from blendgen.dataset.store import read_record
from blendgen.errors import BlendgenError, DatasetError, Interrupted
from blendgen.farm.shards import Shard, named_shard, shard_place
from blendgen.files.folder import Folder
from blendgen.files.url import Url
from blendgen.spec.load import SpecFile
from blendgen.spec.model import Spec
from blendgen.system.progress import Progress
from blendgen.workers.generate import Run
from blendgen.workers.run import GenerateReport, make_all

_COMPARED = ("digest", "blender_version", CONTAINER_KEY, IMAGES_KEY)
_RECORD_KEYS = (*_COMPARED, "pixels_version")
_log = logging.getLogger(__name__)


@dataclass
class Target:
    """prefix: of the data set below the URL; layout: of its folder on this machine

    indices: the wanted images, None for all; wanted: how many
    before: what the store had of it; force: start again
    """

    store: ObjectStore
    prefix: str
    layout: Layout
    indices: Sequence[int] | None
    wanted: int
    spec_images: int
    spec_sha256: str
    before: Index | None
    progress: Progress
    force: bool = False
    keeps_staging: bool = False

    @property
    def place(self) -> str:
        return self.store.place(self.prefix)

    @property
    def is_finished(self) -> bool:
        """Whether the store has all images of this spec; its models are not looked at."""
        head = self.before.head if self.before is not None else Head()
        is_same = (head.spec_sha256, head.wanted) == (self.spec_sha256, self.wanted)
        return head.is_whole and head.is_complete and is_same and not self.force

    def report(self) -> GenerateReport:
        """Of a finished data set; raises DatasetError for one whose dataset.json is damaged.

        Removes what a run that was killed after it had sent everything has left on this machine.
        """
        index = self.before or Index(Head())
        record = record_of(self.store, self.prefix, index)
        left = finished_files(self.layout)
        if left and all(self._is_sent(index, name) for name in left):
            self.remove_staging()
        self.progress.note(f"{self.wanted} of {self.wanted} images are there already")
        return GenerateReport(
            folder=self.place,
            images=index.head.images,
            made=0,
            existing=index.head.images,
            failed=sum(index.head.failed_per_reason.values()),
            failed_per_reason=index.head.failed_per_reason,
            images_per_split=record["images_per_split"],
            classes=tuple(record["classes"]),
            exposures_per_shot=record.get("exposures_per_shot", 1),
            contact_sheet=self._sheet(index.entries),
        )

    def refuse_lack_of_rights(self) -> None:
        """Raises BlendgenError, before anything is rendered, where the store does not take objects."""
        name = joined(self.prefix, PROBE_NAME)
        self.store.write(name, b"")
        self.store.remove(name)

    def fetch_spec(self) -> None:
        """Fetch what states the samples of a begun data set, which a run would measure otherwise."""
        if self.force:
            return
        if self.before is not None and _has_images(self.before) and not self.layout.record.exists():
            names = (self.layout.spec.name, self.layout.record.name)
            with FolderLock(self.layout):
                self._refuse_other_files(self.before)
                Pull(self.store, self.prefix, self.layout, self.progress).run(self.before, names)

    def prepare(self, record: dict[str, Any]) -> None:
        """Fetch what this machine lacks, and say in the store that it is begun; raises BlendgenError.

        record: dataset.json as the run would write it
        """
        self.before = begun_index(self.store, self.prefix, self.force)  # measuring took a while
        if self.before is not None and not self.force:
            self._refuse_other(record)
            if self._is_behind(self.before):
                with FolderLock(self.layout):
                    self._take_over(self.before)
        write_index(self.store, self.prefix, self.before or Index(self._head(record)))

    def make(self, run: Run) -> GenerateReport:
        """Make the images of a run and send them; raises BlendgenError, Interrupted."""
        try:
            report = make_all(run)
        except (BlendgenError, Interrupted):
            self._send_what_is_finished()
            raise
        index = self._send(is_complete=True)
        return replace(report, folder=self.place, contact_sheet=self._sheet(index.entries))

    def remove_staging(self) -> None:
        """Once all is in the store; not where the user has chosen the folder."""
        if not self.keeps_staging:
            remove_staging(self.layout, finished_files(self.layout))

    def _is_sent(self, index: Index, name: str) -> bool:
        return name in index.entries and is_here(self.layout, index.entries[name])

    def _refuse_other(self, record: dict[str, Any]) -> None:
        known = self.before.head.record if self.before is not None else {}
        for key in _COMPARED:
            if known and known.get(key) != record.get(key):
                raise DatasetError(f"{self.place}: {difference(known, record, key)}")

    def _refuse_other_files(self, index: Index) -> None:
        if self.keeps_staging:
            refuse_other_files(self.layout, index)

    def _is_behind(self, index: Index) -> bool:
        """Whether the store has images, or rows, that are not here."""
        if not _has_images(index):
            return False
        names = set(finished_files(self.layout))
        return _row_count(self.layout) < index.head.images or lacks_images(self.layout, index, names)

    def _take_over(self, index: Index) -> None:
        """Replace what is here by what the store has, which would be removed from it else."""
        self._refuse_other_files(index)
        ours = finished_files(self.layout)
        Pull(self.store, self.prefix, self.layout, self.progress).run(index)
        folder = Folder(self.layout.root)
        for name in ours:
            if name not in index.entries:
                folder.remove(name)

    def _send_what_is_finished(self) -> None:
        if not _row_count(self.layout):
            return
        try:
            self._send(is_complete=False)
        except BlendgenError as error:
            _log.warning(
                "note: what is finished is in %s, on this machine alone: %s", self.layout.root, error
            )
        else:
            _log.warning("note: what is finished is in %s; any machine goes on with it", self.place)

    def _send(self, is_complete: bool) -> Index:
        head = self._head(read_record(self.layout))
        is_complete = is_complete and head.images + sum(head.failed_per_reason.values()) >= self.wanted
        push = Push(self.store, self.prefix, self.layout, self.progress, self.before)
        self.before = push.run(head.model_copy(update={"is_complete": is_complete}))
        return self.before

    def _head(self, record: dict[str, Any]) -> Head:
        return Head(
            spec_sha256=self.spec_sha256,
            wanted=self.wanted,
            spec_images=self.spec_images,
            images=record.get("images", 0),
            failed_per_reason=record.get("images_failed_per_reason", {}),
            record={key: record[key] for key in _RECORD_KEYS if key in record},
        )

    def _sheet(self, entries: dict[str, Entry]) -> str | None:
        name = self.layout.contact_sheet.name
        return self.store.place(joined(self.prefix, name)) if name in entries else None


def opened_target(
    url: Url, staging: Path | None, spec_file: SpecFile, shard: Shard | None, indices: Sequence[int] | None,
    force: bool, progress: Progress,
) -> Target:  # fmt: skip
    """raises: BlendgenError for a store that cannot be read, or has something else there"""
    spec, store = spec_file.spec, ObjectStore(url)
    prefix = f"{SHARDS}/{shard.name}" if shard is not None else ""
    before = begun_index(store, prefix, force)
    if before is None:
        _refuse_others(store, prefix, shard, force)
    elif shard is None and not before.head.is_whole and SHARDS in store.folders(""):
        raise DatasetError(f"{store.place('')}: {NOT_MERGED}")  # a merge that has not ended
    place, wanted = shard_place(spec, staging or _staging_in_cache(url, shard), shard, indices)
    count = spec.images if wanted is None else len(wanted)
    spec_sha256 = _run_sha256(spec, indices)
    return Target(
        store, prefix, Layout(place), wanted, count, spec.images, spec_sha256, before, progress, force,
        staging is not None,
    )  # fmt: skip


def _staging_in_cache(url: Url, shard: Shard | None) -> Path:
    """One for each number of shards: what a killed run of another number left there is in the way of none."""
    return staging_folder(url, MADE) / (f"of-{shard.count}" if shard is not None else "whole")


def _run_sha256(spec: Spec, indices: Sequence[int] | None) -> str:
    """Of the values of a spec, and of the indices where only these are wanted."""
    sha256 = values_digest(spec)
    return sha256 if indices is None else hashlib.sha256(f"{sha256} {indices!r}".encode()).hexdigest()


def _refuse_others(store: ObjectStore, prefix: str, shard: Shard | None, force: bool) -> None:
    """Raises DatasetError where a data set may not begin."""
    there = [name for name in store.folders(prefix) if name not in HARMLESS]
    if not prefix and SHARDS in there:
        raise DatasetError(f"{store.place('')}: {NOT_MERGED}")
    if there and not force:
        raise DatasetError(
            f"{store.place(prefix)}: has objects that do not belong to a data set of blendgen, such as "
            f"{there[0]!r}; choose another URL"
        )
    if shard is None:
        return
    if read_head(store, "") is not None:
        raise DatasetError(
            f"{store.place('')}: is a data set already, and a shard of it cannot be made; leave out the "
            "shard to make the images that are missing"
        )
    for other in filter(None, map(named_shard, store.folders(SHARDS))):
        if other.count != shard.count:
            raise DatasetError(
                f"{store.place(joined(SHARDS, other.name))}: is one of {other.count} shards, not of "
                f"{shard.count}; make shards of {other.count}, or choose another URL"
            )


def _has_images(index: Index) -> bool:
    """Whether it describes a data set, also one whose images cannot be made."""
    return bool(index.head.images or index.head.failed_per_reason)


def _row_count(layout: Layout) -> int:
    try:
        return sum(1 for _ in read_lines(layout.manifest)) if layout.manifest.exists() else 0
    except DatasetError:
        return 0
