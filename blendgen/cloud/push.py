"""Push: the data set in a folder, sent to an object store.

In: a folder with a data set of ours, and what the store has. Out: an index. Objects that are there with the
right checksum are not sent again. First the index says that something is being sent; then come the files,
dataset.json last; then all are compared with what the store says of them; then comes the whole index. Parts
of large files that killed runs have sent are removed before that: S3 does not list them as objects, and bills
them.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from blendgen.cloud.compared import has_content
from blendgen.cloud.index import Entry, Head, Index, joined, write_index
from blendgen.cloud.objects import ObjectFacts, ObjectStore
from blendgen.cloud.staging import finished_files
from blendgen.cloud.sums import FileSums, file_sums
from blendgen.dataset.layout import Layout
from blendgen.dataset.ownership import own_files
from blendgen.dataset.store import read_record
from blendgen.errors import BlendgenError, DiskUnavailable
from blendgen.files.disk import disk_error
from blendgen.system.progress import Progress

_log = logging.getLogger(__name__)


@dataclass
class Push:
    """prefix: of the data set in the store; before: its index there; copied: objects that are there already

    progress: gets the number of files
    """

    store: ObjectStore
    prefix: str
    layout: Layout
    progress: Progress
    before: Index | None = None
    copied: dict[str, Entry] = field(default_factory=dict)

    def run(self, head: Head) -> Index:
        """Raises BlendgenError; the store has no whole index then."""
        names = finished_files(self.layout)
        there = self.store.listing(self.prefix)
        sums = dict(self._sums(names))
        unsent = [name for name in self._last(names) if not self._is_there(name, sums[name], there)]
        if unsent and self.before is not None and self.before.head.is_whole:
            self._write(self._begun(self.before, head))
        if any(one.has_parts for one in sums.values()):
            self._end_open_uploads()
        self._send(unsent, sums)
        entries = self._verified(sums, unsent)
        index = Index(head.model_copy(update={"is_whole": True}), entries)
        self._write(index)
        if self.before is not None:
            gone = [name for name in self.before.entries if name not in entries]
            [*self.store.side_by_side(lambda name: self.store.remove(self._object(name)), gone)]
        return index

    def _begun(self, before: Index, head: Head) -> Index:
        """What is said as long as files are sent: how much was there before."""
        counts = {"images": before.head.images, "failed_per_reason": before.head.failed_per_reason}
        unfinished = {"is_whole": False, "is_complete": False}
        return Index(head.model_copy(update=counts | unfinished), before.entries)

    def _sums(self, names: Iterable[str]) -> Iterator[tuple[str, FileSums]]:
        for name in names:
            path = self.layout.root / name
            try:
                yield name, file_sums(path)
            except OSError as error:
                raise disk_error(path, error) from None

    def _last(self, names: Iterable[str]) -> list[str]:
        """The files that name others come after them."""
        own = own_files(self.layout, read_record(self.layout))
        last = [self.layout.name(path) for path in own]
        return sorted(names, key=lambda name: (name in last, name == self.layout.record.name, name))

    def _is_there(self, name: str, sums: FileSums, there: dict[str, ObjectFacts]) -> bool:
        facts = there.get(name)
        if facts is None or facts.size != sums.size:
            return False
        if sums.equal_md5(facts.md5):
            return True
        known = self.before.entries.get(name) if self.before is not None else None
        if facts.etag is not None:
            return known is not None and (known.etag, known.sha256) == (facts.etag, sums.sha256)
        return has_content(self.store, self._object(name), sums.size, sums.sha256)

    def _end_open_uploads(self) -> None:
        try:
            for name, upload in self.store.open_uploads(self.prefix):
                self.store.end_upload(joined(self.prefix, name), upload)
        except (BlendgenError, FileNotFoundError) as error:
            _log.warning(
                "note: %s: parts of large files that a killed run may have left cannot be removed (%s); "
                "a rule of the bucket that ends incomplete uploads does it",
                self.store.place(self.prefix),
                error,
            )

    def _send(self, names: list[str], sums: dict[str, FileSums]) -> None:
        self.progress.begin(len(names), "file")
        for _ in self.store.side_by_side(lambda name: self._send_file(name, sums[name]), names):
            self.progress.advance(1)

    def _send_file(self, name: str, sums: FileSums) -> None:
        self.store.send(self._object(name), self.layout.root / name, sums)

    def _verified(self, sums: dict[str, FileSums], sent: list[str]) -> dict[str, Entry]:
        """An entry for each object, once the store has all of them as they are here."""
        there, again = self.store.listing(self.prefix), set(sent)

        def entry(name: str) -> Entry:
            mine, facts = sums[name], there.get(name)
            if facts is None or facts.size != mine.size:
                raise self._is_other(name)
            is_proved = name not in again or mine.equal_md5(facts.md5)
            if not is_proved and not has_content(self.store, self._object(name), mine.size, mine.sha256):
                raise self._is_other(name)
            return Entry(name=name, size=mine.size, sha256=mine.sha256, etag=facts.etag)

        entries = {one.name: one for one in self.store.side_by_side(entry, sums)}
        for name in self.copied.keys() - entries.keys():
            facts = there.get(name)
            if facts is None or facts.size != self.copied[name].size:
                raise self._is_other(name)
            entries[name] = replace(self.copied[name], etag=facts.etag)
        return entries

    def _is_other(self, name: str) -> DiskUnavailable:
        return DiskUnavailable(
            f"{self.store.place(self._object(name))}: is not what was sent; if another machine works on the "
            "same data set, end one of them. Run the same command to send it again"
        )

    def _write(self, index: Index) -> None:
        write_index(self.store, self.prefix, index)

    def _object(self, name: str) -> str:
        return joined(self.prefix, name)
