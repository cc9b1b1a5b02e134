"""Merge removal: the shards of a merged data set, once all that they have is in it.

In: merge inputs. Out: nothing; their files are removed, and only theirs. A shard that has changed since it
was merged stays, as do the files of somebody else.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import suppress

from blendgen.dataset.layout import Layout
from blendgen.dataset.lock import FolderLock
from blendgen.dataset.manifest import read_heads
from blendgen.dataset.ownership import is_ours, is_temporary, own_files
from blendgen.dataset.report_files import report_files
from blendgen.errors import DatasetError
from blendgen.farm.merge_input import MergeInput
from blendgen.farm.merge_places import REMOVING, is_empty, removal_has_begun
from blendgen.files.folder import Folder

_log = logging.getLogger(__name__)


def note_removal(output: Layout, inputs: Sequence[MergeInput], is_due: bool) -> None:
    """Mark, until they are gone, that shards next to the output will be removed; or that they stay."""
    if is_due and any(one.root.resolve().parent == output.shards.resolve() for one in inputs):
        Folder(output.shards).append(REMOVING, b"")
    elif removal_has_begun(output):
        Folder(output.shards).remove(REMOVING)


def remove_inputs(output: Layout, inputs: Sequence[MergeInput]) -> None:
    """Remove shards; raises DatasetError for one that has changed since it was read."""
    for one in inputs:
        with FolderLock(one.layout):
            if one.has_changed:
                raise DatasetError(f"{one.root}: has changed while it was merged; run the same command again")
            _remove(one)
        _remove_empty(one.layout)
        if one.root.exists():
            _log.warning("note: %s has files that are not part of the shard; they stay", one.root)
    for path in [*output.shards.iterdir()] if output.shards.is_dir() else ():
        if is_empty(path):
            _remove_empty(Layout(path))
    with suppress(OSError):  # not there, or not empty
        Folder(output.shards).remove(REMOVING)
        output.shards.rmdir()


def _remove_empty(layout: Layout) -> None:
    """Remove a folder without files, unless another process begins to write to it."""
    with suppress(OSError, DatasetError):
        with FolderLock(layout):
            Folder(layout.root).remove_empty_folders()
        layout.root.rmdir()


def _remove(one: MergeInput) -> None:
    """dataset.json goes last: until then the folder is known as a shard, and the same command continues."""
    layout, folder = one.layout, Folder(one.root, one.layout.temporary.name)
    packs = set[str]()
    for row in read_heads(layout.manifest):
        packs |= {*one.files.plan.files_of(row.split, row.index)} if one.files.plan is not None else set()
        for name in row.file_names:
            folder.remove(name)
    for name in packs:
        folder.remove(name)
    for name in list(folder.files(layout.temporary.name)):  # a run over a finished shard was killed
        if is_temporary(layout, name):
            folder.remove(name)
    for name in list(report_files(layout)):
        folder.remove(name)
    last = (layout.failures, layout.manifest, layout.record)
    for path in (*(path for path in own_files(layout, one.record) if path not in last), *last):
        name = layout.name(path)
        if is_ours(layout, one.record, name):
            folder.remove(name)
