"""Store: the folder of a data set: opened, resumed, recorded, finished.

In: a folder and the record of the data set that belongs there. Out: which images are finished. A folder with
anything else in it is refused; two runs never write into the same folder at the same time.
"""

from __future__ import annotations

import json
from collections import Counter, deque
from collections.abc import Collection
from contextlib import AbstractContextManager, ExitStack, nullcontext, suppress
from pathlib import Path
from typing import Any, Self

from blendgen.dataset.difference import difference
from blendgen.dataset.failures import (
    FailedImage,
    append_failures,
    count_reasons,
    open_failures,
    remove_failures,
    sort_failures,
)
from blendgen.dataset.image_lists import write_lists
from blendgen.dataset.images_card import card_name, images_card
from blendgen.dataset.index_set import IndexSet
from blendgen.dataset.layout import Layout
from blendgen.dataset.lock import FolderLock
from blendgen.dataset.manifest import Summary, read_heads, sort_manifest
from blendgen.dataset.ownership import (
    LOG_HEAD,
    class_folders,
    foreign_packs,
    is_ours,
    is_temporary,
    listed,
    our_files,
    overwritten_files,
    own_files,
    pending_names,
    refuse_other_folder,
    spec_sha256,
)
from blendgen.dataset.pack_plan import CONTAINER_KEY, IMAGES_KEY
from blendgen.dataset.packed import ImageFiles
from blendgen.dataset.schema import MAX_RECORD_BYTES, parsed_json
from blendgen.dataset.suspects import Suspects
from blendgen.dataset.whole_files import has_files
from blendgen.errors import DatasetError
from blendgen.files.disk import disk_error, raise_if_passing
from blendgen.files.folder import Folder
from blendgen.files.regular_file import links_outside, read_bounded
from blendgen.scene.row import RowHead

_COMPARED = ("digest", "blender_version", CONTAINER_KEY, IMAGES_KEY)
_IN_EVERY_RECORD = ("digest", "blender_version", "blendgen_version")
# rows whose files a crash of the machine can have torn although their sizes are right
_CHECKED_TAIL = 64


# of dataset.json, once the data set is finished
COUNT_KEYS = ("images", "images_per_split", "images_per_label", "images_failed", "images_failed_per_reason")


class Store:
    """An open data set; use as a context manager, which holds its lock.

    summary: of the manifest, once the store is finished; suspects: shots of killed runs; files: of images
    record: how the images are made, for dataset.json; a folder is refused if its "digest" or
        "blender_version" differ
    force: remove an existing data set of ours and start again
    check: compare every finished file with its sha256; otherwise only the sizes, and the last few by sha256
    meanwhile: entered as soon as the folder is locked and ours, before its rows are read
    """

    keeps_incomplete_rows = False

    def __init__(
        self, folder: Path, record: dict[str, Any], spec_yaml: str, force: bool = False, check: bool = False,
        meanwhile: AbstractContextManager[Any] | None = None,
    ):  # fmt: skip
        self.layout = Layout(Path(folder))
        self._folder = Folder(self.layout.root, self.layout.temporary.name)
        self._opened, self._meanwhile = ExitStack(), meanwhile or nullcontext()
        self._record = record | {"spec_sha256": spec_sha256(spec_yaml)}
        self._spec_yaml, self._force, self._check = spec_yaml, force, check
        self._done, self._packs = IndexSet(), set[tuple[str, int]]()  # that have files of rows
        self._failures: dict[int, FailedImage] = {}
        self._finished = False
        self.files = ImageFiles.of(self.layout, record)
        self.suspects = Suspects(self.layout)
        self.summary = Summary(Counter())

    def __enter__(self) -> Self:
        root = self.layout.root
        if root.exists() and not root.is_dir():
            raise DatasetError(f"{root}: is a file; choose a folder")
        with self._opened:
            self._opened.enter_context(FolderLock(self.layout))
            try:
                known = read_record(self.layout)
                self._refuse_foreign(known)
                self._prepare(known)
            except OSError as error:
                raise disk_error(Path(error.filename or root), error) from None
            self._opened = self._opened.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        with self._opened:  # closed also where the disk does not answer
            self.suspects.close()
            if self._finished:
                for name in list(self._folder.files(self.layout.temporary.name)):
                    if is_temporary(self.layout, name) and name != self.layout.name(self.layout.suspects):
                        self._folder.remove(name)
            self._folder.remove_temporary_files()

    def done(self) -> IndexSet:
        """Indices of the images that had a row and complete files when the store was opened."""
        return self._done.copy()

    def failures(self) -> dict[int, FailedImage]:
        """The images that cannot be made, by index, as recorded when the store was opened."""
        return dict(self._failures)

    def add_failures(self, failures: list[FailedImage]) -> None:
        """Record images that cannot be made; raises DatasetError where the disk refuses."""
        append_failures(self.layout, failures)

    def forget_failures(self, indices: Collection[int]) -> None:
        """Take images for not tried yet; raises DatasetError."""
        remove_failures(self.layout, indices)
        self._failures = {index: one for index, one in self._failures.items() if index not in indices}

    def write_sheet(self, data: bytes) -> None:
        """Write the contact sheet, a JPEG that contains SHEET_MARK; raises DatasetError."""
        self._folder.write(self.layout.contact_sheet.name, data)

    def note_device(self, device: dict[str, str]) -> list[dict[str, str]]:
        """Add the device that images are now made on to dataset.json; returns the other devices.

        The first is "device"; further ones are in "also_made_on".
        """
        known = read_record(self.layout)
        others = [one for one in devices_of(known) if one != device]
        if device not in devices_of(known):
            self._write_record(known | device_record([*others, device]))
        return others

    def finish(self, device: dict[str, str] | None = None) -> dict[str, Any]:
        """Sort the manifest and write the counts into dataset.json; returns the record."""
        if device is not None:
            self.note_device(device)
        self.suspects.close()
        self.summary = sort_manifest(self.files, pending_names(self.layout), self.keeps_incomplete_rows)
        for name in self.summary.strays:
            self._folder.remove(name)
        failures, self._finished = sort_failures(self.layout), True
        self._record |= counts_record(self.summary, count_reasons(failures))
        self._record |= device_record(devices_of(read_record(self.layout)))
        has_lists = self.files.plan is None and write_lists(self.layout, self.summary.last_index)
        self._write_record(self._record)
        if self.summary.images:
            card = images_card(self._record, self.summary.images_digest, has_lists)
            self._folder.write(card_name(self.layout, self._record), card)
        return self._record

    def _refuse_foreign(self, known: dict[str, Any]) -> None:
        """Raises DatasetError if a file of somebody else would be removed, overwritten or mixed in."""
        root = self.layout.root
        refuse_other_folder(self.layout, known)
        if not known:
            self._opened.enter_context(self._meanwhile)
            return
        self._refuse_other_classes(known)
        if not self._force:
            self._refuse_other_identity(known)
        self._opened.enter_context(self._meanwhile)
        foreign = our_files(self.layout, known)[1] if self._force else self._in_the_way(known)
        if foreign:
            why = "force (--force) removes only the data set" if self._force else "they would be overwritten"
            raise DatasetError(
                f"{root}: contains files that are not part of this data set, and {why}; move them away:"
                f"{listed(foreign)}"
            )

    def _refuse_other_identity(self, known: dict[str, Any]) -> None:
        different = [key for key in _COMPARED if known.get(key) != self._record.get(key)]
        if different:
            raise DatasetError(f"{self.layout.root}: {difference(known, self._record, different[0])}")

    def _refuse_other_classes(self, known: dict[str, Any]) -> None:
        names = class_folders(known) | class_folders(self._record)
        for folder in (self.layout.root / "images").glob("*/*"):
            if folder.is_dir() and folder.name not in names:
                raise DatasetError(
                    f"{folder}: is not part of this data set, and a trainer would read it as a class; "
                    "move it away"
                )

    def _in_the_way(self, known: dict[str, Any]) -> list[str]:
        """Files of somebody else that this run would overwrite."""
        layout = self.layout
        own = map(layout.name, own_files(layout, self._record))
        foreign = [name for name in own if not is_ours(layout, known, name, self._spec_yaml)]
        foreign = foreign or sorted(overwritten_files(layout, known, self._read_rows()))
        return foreign or foreign_packs(self.files, self._packs)

    def _read_rows(self) -> IndexSet:
        """Determine which images are finished; returns the indices of all rows."""
        indices, tail = IndexSet(), deque[RowHead](maxlen=_CHECKED_TAIL)
        for row in read_heads(self.layout.manifest):
            indices.add(row.index)
            tail.append(row)
            self._packs |= self.files.pack_of(row)
            (self._done.add if has_files(self.files, row, self._check) else self._done.discard)(row.index)
        self._done -= {row.index for row in tail if not has_files(self.files, row, check=True)}
        return indices

    def _prepare(self, known: dict[str, Any]) -> None:
        if self._force and known:
            self._remove_all(known)
            known = {}
        self._folder.remove_temporary_files()
        if not known:
            self._write_record(self._record)
        self._failures = open_failures(self.layout)
        if not self.layout.log.exists():
            self._folder.write(self.layout.log.name, LOG_HEAD)
        if not self.layout.spec.exists() or self.layout.spec.read_bytes() != self._spec_yaml.encode():
            self._folder.write(self.layout.spec.name, self._spec_yaml.encode())
        if known and known.get("spec_sha256") != self._record["spec_sha256"]:
            self._write_record(known | {"spec_sha256": self._record["spec_sha256"]})
        self.suspects.open()

    def _remove_all(self, known: dict[str, Any]) -> None:
        """Remove a data set of ours, the record last: it identifies the folder as ours."""
        ours, last = our_files(self.layout, known)[0], (self.layout.manifest.name, self.layout.record.name)
        for name in (*(name for name in ours if name not in last), *last):
            self._folder.remove(name)

    def _write_record(self, record: dict[str, Any]) -> None:
        self._folder.write(self.layout.record.name, record_bytes(record))


def refuse_foreign_folder(folder: Path) -> None:
    """Raises DatasetError, before models are measured, for a folder of somebody else."""
    layout = Layout(folder)
    with suppress(OSError):
        if folder.is_dir():
            refuse_other_folder(layout, read_record(layout))


def read_record(layout: Layout) -> dict[str, Any]:
    """dataset.json, or {} if there is not one that this program wrote; raises DiskUnavailable."""
    if links_outside(layout.record):
        return {}
    try:
        record = parsed_json(read_bounded(layout.record, MAX_RECORD_BYTES), MAX_RECORD_BYTES)
    except (OSError, ValueError) as error:
        raise_if_passing(layout.record, error)
        return {}
    ours = isinstance(record, dict) and all(isinstance(record.get(key), str) for key in _IN_EVERY_RECORD)
    return record if ours else {}


def record_bytes(record: dict[str, Any]) -> bytes:
    """The content of dataset.json."""
    return (json.dumps(record, indent=2, ensure_ascii=False) + "\n").encode()


def counts_record(summary: Summary, failed_per_reason: dict[str, int]) -> dict[str, Any]:
    """What dataset.json states about the images of a finished data set."""
    return {
        "images": summary.images,
        "images_per_split": summary.per_split(),
        "images_per_label": summary.per_label(),
        "images_failed": sum(failed_per_reason.values()),
        "images_failed_per_reason": failed_per_reason,
    }


def devices_of(record: dict[str, Any]) -> list[dict[str, str]]:
    """The devices that the images of a data set were made on: none so far, one, or several."""
    others = also if isinstance(also := record.get("also_made_on"), list) else []
    return [record["device"], *others] if "device" in record else []


def without_devices(record: dict[str, Any]) -> dict[str, Any]:
    """A record of which no image has been made yet."""
    return {key: value for key, value in record.items() if key not in ("device", "also_made_on")}


def device_record(devices: list[dict[str, str]]) -> dict[str, Any]:
    """What dataset.json states about the devices that its images were made on."""
    if not devices:
        return {}
    first, *rest = sorted(devices, key=json.dumps)  # independent of the order in which they were added
    return {"device": first} | ({"also_made_on": rest} if rest else {})
