"""Copies: data sets of an object store, fetched to this machine to be read, checked or repaired.

In: a URL. Out: a folder with the data set, or with its shards. Messages about it name the URL instead.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

from blendgen.cloud.index import Head, Index, joined, read_index
from blendgen.cloud.objects import SHARDS, ObjectStore
from blendgen.cloud.pull import Pull
from blendgen.cloud.push import Push
from blendgen.cloud.staging import READ, finished_files, refuse_other_files, staging_folder
from blendgen.cloud.sums import file_sums
from blendgen.dataset.layout import Layout
from blendgen.dataset.lock import FolderLock
from blendgen.dataset.ownership import NOT_MERGED, own_files
from blendgen.dataset.store import read_record
from blendgen.errors import DatasetError
from blendgen.farm.checked import checked, repaired
from blendgen.farm.shards import named_shard
from blendgen.files.folder import Folder
from blendgen.files.scratch import scratch_folder
from blendgen.files.url import Url
from blendgen.system.progress import Progress
from blendgen.verification.dataset import Fault
from blendgen.verification.repair import Repair
from blendgen.workers.run import sheet_bytes

_log = logging.getLogger(__name__)
_UNFINISHED = "is being sent, or that was interrupted; its own command finishes it"


def local_copy(url: Url, staging: Path | None, progress: Progress) -> Path:
    """The folder of this machine with the data set of a URL; only what it lacks is fetched.

    raises: DatasetError where there is none, or where it is not whole
    """
    store, layout = ObjectStore(url), Layout(staging or staging_folder(url, READ))
    index = read_index(store, "")
    if index is None and store.folders(SHARDS):
        raise DatasetError(f"{url}: {NOT_MERGED}")
    if index is None:
        raise DatasetError(f"{url}: does not contain a data set of blendgen")
    if not index.head.is_whole:
        raise DatasetError(f"{url}: {_UNFINISHED}")
    with FolderLock(layout) if staging else nullcontext():
        if staging:
            refuse_other_files(layout, index)
        before = finished_files(layout)
        Pull(store, "", layout, progress).run(index)
        for name in before:
            if name not in index.entries:
                Folder(layout.root).remove(name)
    return layout.root


@dataclass(frozen=True)
class _Part:
    """A data set in the store, with its folder on this machine and what differs from its index."""

    prefix: str
    index: Index
    layout: Layout
    damaged: list[str]


def checked_url(
    url: Url, ray_check: int | None, rerender: int | None, workers: int | None,
    on_fault: Callable[[Fault], None], progress: Progress,
) -> list[Fault]:  # fmt: skip
    """As farm.checked.checked: all is fetched and compared with the index, and checked as a folder is."""
    with scratch_folder("verify") as scratch, named_by(url, scratch):
        faults = [fault for part in _parts(ObjectStore(url), scratch, progress) for fault in _faults(part)]
        for fault in faults:
            on_fault(fault)
        return faults + checked(local_place(scratch, url), ray_check, rerender, workers, on_fault, progress)


def repaired_url(
    url: Url, ray_check: int | None, rerender: int | None, workers: int | None,
    on_fault: Callable[[Fault], None], progress: Progress,
) -> Repair:  # fmt: skip
    """As farm.checked.repaired; what was made again is sent, unless something is left."""
    with scratch_folder("verify") as scratch, named_by(url, scratch):
        store = ObjectStore(url)
        parts = _parts(store, scratch, progress)
        faults = [fault for part in parts for fault in _faults(part)]
        for fault in faults:
            on_fault(fault)
        result = repaired(local_place(scratch, url), ray_check, rerender, workers, on_fault, progress)
        left = [*result.left]
        if not left:
            left = [fault for part in parts for fault in _restored(part, is_other=bool(result.faults))]
        for part in parts:
            if read_record(part.layout) and not left:
                Push(store, part.prefix, part.layout, progress, part.index).run(_head_after_repair(part))
        if left:
            _log.warning("note: nothing was sent to %s, because faults are left", url)
        return replace(result, faults=(*faults, *result.faults), left=tuple(left))


def _restored(part: _Part, is_other: bool) -> Iterator[Fault]:
    """Restore what no row states, if it is damaged; the faults that are left. is_other: rows had faults"""
    layout, folder = part.layout, Folder(part.layout.root, part.layout.temporary.name)
    changes = {layout.record.name, layout.manifest.name, layout.failures.name} if is_other else set()
    for name in _damaged_own(part) if part.index.head.is_whole else ():
        if name == layout.contact_sheet.name and read_record(layout).get("images"):
            folder.write(name, sheet_bytes(layout.root))
        elif name == layout.log.name:
            folder.remove(name)  # nothing can make it again, and a data set needs none
        elif name not in changes and not _is_sent(part, name):
            what = "is missing or is not what was sent, and cannot be made again; restore it"
            yield Fault(joined(part.prefix, name), what)


def _is_sent(part: _Part, name: str) -> bool:
    """Whether a file of this machine is what was sent."""
    entry, path = part.index.entries[name], part.layout.root / name
    return path.exists() and file_sums(path).sha256 == entry.sha256


def _head_after_repair(part: _Part) -> Head:
    """What was not complete in the store does not become so by a repair."""
    record, head = read_record(part.layout), part.index.head
    images, failed = record.get("images", 0), record.get("images_failed_per_reason", {})
    is_complete = head.is_whole and head.is_complete and images + sum(failed.values()) >= head.wanted
    return head.model_copy(update={"images": images, "failed_per_reason": failed, "is_complete": is_complete})


def _parts(store: ObjectStore, scratch: Path, progress: Progress) -> list[_Part]:
    """The data set of a URL, or its shards, in a folder of the same name; raises DatasetError."""
    folder, index = local_place(scratch, store.url), read_index(store, "")
    indexes = {} if index is None else {"": index}
    if index is None or not index.head.is_whole:
        for name in filter(named_shard, store.folders(SHARDS)):
            shard = read_index(store, joined(SHARDS, name))
            if shard is not None:
                indexes.pop("", None)  # a merge that has not ended
                indexes[joined(SHARDS, name)] = shard
    if not indexes:
        raise DatasetError(f"{store.url}: contains neither a data set of blendgen nor shards of one")
    parts = []
    for prefix, one in indexes.items():
        layout = Layout(folder / prefix if prefix else folder)
        damaged = Pull(store, prefix, layout, progress, keep_damaged=True).run(one)
        parts.append(_Part(prefix, one, layout, damaged))
    return parts


def _faults(part: _Part) -> Iterator[Fault]:
    """What only the index knows: `verify` of a folder compares the other files with their rows."""
    if not part.index.head.is_whole:
        yield Fault(part.prefix or ".", _UNFINISHED)
    for name in _damaged_own(part):
        yield Fault(joined(part.prefix, name), "is missing or is not what was sent")


def _damaged_own(part: _Part) -> list[str]:
    own = {part.layout.name(path) for path in own_files(part.layout, read_record(part.layout))}
    return [name for name in part.damaged if name in own]


def local_place(scratch: Path, url: Url) -> Path:
    """The folder of a data set; that of a shard has the name by which it is known as one."""
    parent, name = Path(str(url)).parts[-2:]
    return scratch / SHARDS / name if parent == SHARDS and named_shard(name) else scratch / "data"


@contextmanager
def named_by(url: Url, scratch: Path) -> Iterator[None]:
    """Messages of errors about a temporary folder name the URL instead."""
    try:
        yield
    except DatasetError as error:
        text = str(error).replace(str(local_place(scratch, url)), str(url))
        raise type(error)(text) from None
