"""Repair: what is damaged or missing in a finished data set is rendered again, to the same bytes.

In: a folder. Out: Faults before and after. Images are made in a temporary folder, from the spec that is
stored next to them, and replace damaged files only if they are what the row states, or what is there already.
So a machine that makes other bytes changes nothing. Files of somebody else are never replaced, nor links
followed.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from blendgen.containers.pack_writers import require_writer
from blendgen.containers.packing import Packer
from blendgen.dataset.damaged import DamagedStore, is_free, taken_files
from blendgen.dataset.layout import Layout
from blendgen.dataset.lock import FolderLock
from blendgen.dataset.manifest import ManifestWriter
from blendgen.dataset.own_files import NOT_A_DATA_SET, is_mixture, spec_bytes
from blendgen.dataset.ownership import MERGING_KEY, SUBSET_KEY, UNFINISHED_MERGE, looks_like_image
from blendgen.dataset.packed import ImageFiles
from blendgen.dataset.refined import refuse_refined
from blendgen.dataset.store import Store, devices_of, read_record, without_devices
from blendgen.engine.blender.importing.measurer import BlenderMeasurer
from blendgen.engine.device import Device
from blendgen.errors import PASSING_REASONS, DatasetError, Interrupted, SetupError
from blendgen.exporters.destination import is_export
from blendgen.files.scratch import scratch_folder
from blendgen.models.source import Measurer
from blendgen.scene.row import Row
from blendgen.system.progress import Progress
from blendgen.verification.dataset import Fault, verify
from blendgen.verification.lost_record import restore_record
from blendgen.verification.reopen import Reopened, reopen
from blendgen.verification.repair_plan import IN_THE_WAY, Part, RepairPlan, repair_plan
from blendgen.verification.rerender import original_device
from blendgen.workers.generate import Outcome, Run, describe_devices
from blendgen.workers.job import Job
from blendgen.workers.run import sheet_bytes
from blendgen.workers.stop_signal import StopSignal

# what may differ between two versions that make the same images
_VERSIONS = ("blendgen_version", "python_version", "numpy_version")


@dataclass(frozen=True)
class Repair:
    """faults: those before; images: indices of those that were made again; left: those after"""

    faults: tuple[Fault, ...]
    images: tuple[int, ...] = ()
    left: tuple[Fault, ...] = ()


def repair(
    folder: Path,
    on_fault: Callable[[Fault], None],
    progress: Progress,
    workers: int | None = None,
    part: Part | None = None,
    measurer: Measurer | None = None,
) -> Repair:
    """Make again what is at fault; without a fault, nothing is loaded and nothing changes.

    on_fault: called with each fault that is found; part: of a shard; measurer: None for that of Blender
    raises: DatasetError for a folder that cannot be repaired, with the way out; SpecError, CatalogError,
        SetupError if the models or the versions that made it are not there; Interrupted after a signal
    """
    layout = Layout(folder)
    _refuse_other_content(layout)
    faults: list[Fault] = []
    if not read_record(layout):
        faults.append(Fault(layout.record.name, "is missing or cannot be read"))
        on_fault(faults[0])
        restore_record(layout, measurer or BlenderMeasurer(), progress, workers)
    known = _finished_record(layout)
    progress.begin(known["images"], "row")
    for name in _restored_indices(layout, known):
        faults.append(Fault(name, "was missing, or not that of its pack"))
        on_fault(faults[-1])
    restored = len(faults)
    for fault in verify(folder, progress.advance):
        faults.append(fault)
        on_fault(fault)
    if len(faults) == restored:
        return Repair(tuple(faults))
    reopened = reopen(folder, measurer or BlenderMeasurer())
    if reopened.fault is not None:
        raise DatasetError(f"{layout.spec}: {reopened.fault.what}; repair needs them as they were")
    record = known | reopened.record | {key: known[key] for key in _VERSIONS if key in known}
    # a damaged dataset.json makes faults in all rows
    certain = faults if record == known else [*verify(folder, record=record)]
    faulty = {fault.index for fault in certain if fault.index is not None}
    packs = {fault.place for fault in certain}
    images, left = _repaired(replace(reopened, record=record), part, faulty, packs, progress, workers)
    left += verify(folder, only=faulty.union(images))
    return Repair(tuple(faults), tuple(images), tuple(left))


def _refuse_other_content(layout: Layout) -> None:
    """Raises DatasetError, with the way out, for a folder that is not a data set of its own."""
    root = layout.root
    if is_mixture(layout):
        raise DatasetError(f"{root}: {NOT_A_DATA_SET}")
    if is_export(root) and not read_record(layout):
        raise DatasetError(f"{root}: is an export; repair the data set, and export it again to this folder")
    for path in (layout.record, layout.manifest, layout.failures, layout.spec):
        if not is_free(layout, path.name):
            raise DatasetError(f"{path}: is a link or a folder; replace it with the file itself")
    known = read_record(layout)
    if SUBSET_KEY in known:
        raise DatasetError(
            f"{root}: is a subset; repair the data set that it was chosen from, and choose from it again"
        )
    refuse_refined(root, known, "repair the data set that was refined, and refine it again")
    if MERGING_KEY in known:
        raise DatasetError(f"{root}: {UNFINISHED_MERGE}")
    if not known and not (layout.spec.exists() and layout.manifest.exists()):
        raise DatasetError(f"{root}: does not contain a data set of blendgen that can be repaired")


def _finished_record(layout: Layout) -> dict[str, Any]:
    """dataset.json; raises DatasetError if the run has not finished."""
    known = read_record(layout)
    if type(known.get("images")) is not int or type(known.get("images_failed", 0)) is not int:
        raise DatasetError(f"{layout.root}: its run has not finished; run the same `blendgen generate` again")
    return known


def _restored_indices(layout: Layout, known: dict[str, Any]) -> list[str]:
    """The names of indices of packs that are written again; where all are right, nothing is locked."""
    packer = Packer.of(ImageFiles.of(layout, known), known)
    if packer is None or next(packer.wrong_indices(), None) is None:
        return []
    require_writer(packer.plan.container)
    with FolderLock(layout):
        return [*packer.restore_indices()]


def _repaired(
    reopened: Reopened,
    part: Part | None,
    faulty: set[int],
    places: set[str],
    progress: Progress,
    workers: int | None,
) -> tuple[list[int], list[Fault]]:
    """(images that were made again, faults that stay). places: of faults, some of them packs"""
    text, spec = spec_bytes(reopened.layout).decode(), reopened.spec_file.spec
    with DamagedStore(reopened.layout.root, reopened.record, text) as store:
        plan = repair_plan(store, spec, reopened.known, part, faulty)
        try:
            images, left = _Repairing(reopened, store, plan).run(text, progress, workers)
        except BaseException:
            store.sort()
            raise
        if left or plan.left:
            store.sort()
        elif store.finish()["images"]:
            _pack(store, reopened.record, places)
            store.write_sheet(sheet_bytes(reopened.layout.root))
    return images, [*plan.left, *left]


def _pack(store: DamagedStore, record: dict[str, Any], places: set[str]) -> None:
    """Put images that were made again into their packs."""
    packer = Packer.of(store.files, record)
    if packer is not None:
        damaged = filter(None, map(packer.plan.named, places))
        packer.pack_all(again={block for _, block in damaged})


class _Scratch(Store):
    """Where images are made; their files are taken away as they come."""

    keeps_incomplete_rows = True


class _Repairing:
    """The images of a plan are made in a scratch folder, and placed one by one."""

    def __init__(self, reopened: Reopened, store: DamagedStore, plan: RepairPlan):
        self._reopened, self._store, self._plan = reopened, store, plan
        self._layout = store.layout
        self._images: list[int] = []
        self._left: list[Fault] = []

    def run(self, text: str, progress: Progress, workers: int | None) -> tuple[list[int], list[Fault]]:
        if self._plan.indices:
            with (
                scratch_folder("repair") as scratch,
                _Scratch(scratch, without_devices(self._reopened.record), text) as again,
            ):
                outcome = self._make(again, progress, workers)
            self._note_failures(outcome)
        return self._images, self._left

    def _make(self, again: Store, progress: Progress, workers: int | None) -> Outcome:
        spec, inventory = self._reopened.spec_file.spec, self._reopened.inventory
        devices = _devices(self._layout, self._reopened.known)
        stock = inventory.catalog, inventory.class_table
        job = Job(spec, *stock, again.layout.root, again.layout.log, devices=devices)
        run = Run(job, again, self._plan.indices, progress, workers, may_all_fail=True)
        with ManifestWriter(self._layout.manifest) as manifest, StopSignal() as stop:
            try:
                for rows in run.batches(stop):
                    for row in rows:
                        self._place(row, again, manifest)
            except Interrupted as error:
                done = f"{len(self._images)} of {len(self._plan.indices)} images are repaired"
                raise Interrupted(
                    error.signum, f"stopped: {done}; run the same command to continue"
                ) from None
        return run.outcome

    def _place(self, row: Row, again: Store, manifest: ManifestWriter) -> None:
        """Replace the damaged files of an image and its row, or note why not."""
        data = taken_files(again.layout, row)
        fault = self._difference(row, data, read_record(again.layout)) or self._obstacle(row, data)
        if fault is not None:
            self._left.append(fault)
            return
        self._store.place(data)
        manifest.append([row])
        self._images.append(row.index)

    def _difference(self, row: Row, data: dict[str, bytes], record: dict[str, Any]) -> Fault | None:
        """The fault of an image that is not what it was before."""
        stated = self._plan.rows.get(row.index)
        made_on, known = devices_of(record), devices_of(self._reopened.known)
        for kind, file in row.files.items():
            recorded = stated.files.get(kind) if stated is not None else None
            if recorded is None:
                is_same = (
                    not known or made_on[0] in known or self._store.content(file.name) == data[file.name]
                )
            else:
                is_same = file.sha256 == recorded.sha256 or self._store.content(file.name) == data[file.name]
            if not is_same:
                what = (
                    "cannot be repaired here: made again, it has other bytes. The data set was made on "
                    f"{describe_devices(known)}, this is {describe_devices(made_on)}; if that is the same, "
                    "its row is wrong: remove that line of manifest.jsonl and repair again"
                )
                return Fault(file.name, what, row.index)
        return None

    def _obstacle(self, row: Row, data: dict[str, bytes]) -> Fault | None:
        """The fault of an image in whose place there is something of somebody else."""
        stated = self._plan.rows.get(row.index)
        named = set(stated.file_names) if stated is not None else set()
        for name, content in data.items():
            if not self._store.is_free(name) or not (name in named or self._is_ours(name, content)):
                return Fault(name, IN_THE_WAY, row.index)
        return None

    def _is_ours(self, name: str, content: bytes) -> bool:
        """Whether a file without a row is an image of the data set, or what a crash left of it."""
        if not os.path.lexists(self._layout.root / name):  # or it is in a pack
            return True
        there = self._store.content(name)
        if there is None:  # it cannot be read
            return False
        if content.startswith(there.rstrip(b"\0")):
            return True
        return looks_like_image(self._layout, self._reopened.record, name)

    def _note_failures(self, outcome: Outcome) -> None:
        """Record images that cannot be made; those that have a row were made once."""
        new = [one for one in outcome.failures if one.index not in self._plan.rows]
        self._store.add_failures([one for one in new if one.reason not in PASSING_REASONS])
        for failure in outcome.failures:
            if failure.index not in self._plan.rows and failure.reason in PASSING_REASONS:
                place, what = f"image {failure.index}", f"cannot be made now: {failure.message}"
                self._left.append(Fault(place, what, failure.index))
            elif failure.index in self._plan.rows:
                name = self._plan.rows[failure.index].image.name
                what = f"cannot be made again: {failure.message}"
                self._left.append(Fault(name, what, failure.index))


def _devices(layout: Layout, known: dict[str, Any]) -> tuple[Device, ...]:
    """The first of the devices that made the data set which this machine has; raises SetupError."""
    devices = devices_of(known)
    if not devices:
        return original_device(layout, known)
    for device in devices:
        with suppress(SetupError):
            return original_device(layout, {"device": device})
    raise SetupError(
        f"{layout.root}: was made on {describe_devices(devices)}, which this machine does not have"
    )
