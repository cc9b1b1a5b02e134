"""Run: a data set from a checked spec to its contact sheet, or as much of it as is still missing.

In: a spec, a folder and options. Out: a Run, whose batches make the images, and a GenerateReport.
"""

from __future__ import annotations

import logging
import operator
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np

from blendgen.containers.pack_writers import require_writer
from blendgen.containers.packing import Packer
from blendgen.dataset.failures import count_reasons
from blendgen.dataset.identity import portable_spec
from blendgen.dataset.layout import Layout
from blendgen.dataset.manifest import Summary
from blendgen.dataset.ownership import SHEET_MARK
from blendgen.dataset.record import dataset_record
from blendgen.dataset.store import Store, refuse_foreign_folder
from blendgen.develop.encode import encode_jpeg
from blendgen.engine.blender.importing.inventory import measured_inventory
from blendgen.engine.device import Device, parse_device
from blendgen.errors import PASSING_REASONS, Interrupted, UsageError
from blendgen.files.names import some_of
from blendgen.files.url import local_path
from blendgen.reports.contact_sheet import dataset_sheet
from blendgen.scene.row import Row
from blendgen.spec.load import SpecFile, resolved_yaml
from blendgen.system.progress import Progress, ProgressLike, reported_to
from blendgen.system.time_limit import TimeLimit
from blendgen.workers.calibrate import calibrate_spec
from blendgen.workers.early_worker import EarlyWorker
from blendgen.workers.event_file import EventsLike, event_receiver
from blendgen.workers.events import Events
from blendgen.workers.generate import Run
from blendgen.workers.gpu_probe import devices_for
from blendgen.workers.job import Job
from blendgen.workers.monitor import Monitor
from blendgen.workers.stop_signal import StopSignal

if TYPE_CHECKING:
    from blendgen.dataset.dataset import Dataset

_MAX_LISTED = 5
_SHEET_QUALITY = 88
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class GenerateReport:
    """A data set after a run.

    folder, contact_sheet: paths, or texts of URLs
    images: how many it holds, of which the run made `made` and found `existing` of the wanted ones there
    failed: how many of the wanted images cannot be made; failed_per_reason: the same by reason (see
        failed.jsonl in the folder)
    images_per_split: by split; classes: labels in the order of label_id
    exposures_per_shot: how many images each arrangement has
    contact_sheet: a picture with labelled images from all of the data set; None if it has none
    seconds, size_bytes: what the images of this run needed, and the bytes of their files; the second is None
        after a run on many machines, and both are if nothing was to be made
    """

    folder: Path | str
    images: int
    made: int
    existing: int
    failed: int
    failed_per_reason: dict[str, int]
    images_per_split: dict[str, int]
    classes: tuple[str, ...]
    exposures_per_shot: int
    contact_sheet: Path | str | None
    seconds: float | None = None
    size_bytes: int | None = None

    def open_dataset(self) -> Dataset:
        """The data set as rows and arrays; raises DatasetError."""
        from blendgen.dataset.dataset import open_dataset

        return open_dataset(local_path(self.folder))

    def as_dict(self) -> dict[str, Any]:
        """All of it as plain values, for JSON."""
        sheet = None if self.contact_sheet is None else str(self.contact_sheet)
        return asdict(self) | {"folder": str(self.folder), "contact_sheet": sheet}


class GenerateOptions(TypedDict, total=False):
    """Options of api.generate and opened_run."""

    indices: Sequence[int] | None
    workers: int | None
    device: str
    strict: bool
    force: bool
    check_files: bool
    retry_failed: bool
    events: EventsLike
    time_limit_s: float | None


@contextmanager
def opened_run(
    spec_file: SpecFile,
    folder: Path,
    early_worker: EarlyWorker,
    progress: ProgressLike,
    *,
    indices: Sequence[int] | None = None,
    workers: int | None = None,
    device: str = "cpu",
    strict: bool = False,
    force: bool = False,
    check_files: bool = False,
    retry_failed: bool = False,
    events: EventsLike = None,
    time_limit_s: float | None = None,
    began_s: float | None = None,
    may_all_fail: bool = False,
    prepare: Callable[[dict[str, Any]], None] | None = None,
) -> Iterator[Run]:
    """A run over a folder, which is locked as long as the block lasts; see api.generate.

    may_all_fail: as of Run
    prepare: called with the record of the data set before its folder is opened
    began_s: when the time of the limit began, by time.monotonic(); None: now
    raises: BlendgenError; until then nothing is rendered but what calibration needs
    """
    with (
        reported_to(progress) as reporter,
        event_receiver(events, folder) as receive,
        Monitor(Events(receive)) as monitor,
    ):
        time_limit = TimeLimit.since(began_s, time_limit_s)
        refuse_foreign_folder(folder)
        require_writer(spec_file.spec.output.container)
        devices = _devices(device, reporter)
        inventory = measured_inventory(spec_file, strict, time_limit)
        begun = None if force else folder
        spec_file = calibrate_spec(spec_file, inventory, devices, reporter.note, workers, begun, time_limit)
        spec, record = spec_file.spec, dataset_record(spec_file.spec, inventory)
        spec_yaml, heartbeat = resolved_yaml(portable_spec(spec_file)), monitor.heartbeat(Layout(folder))
        if prepare is not None:
            prepare(record)
        with Store(folder, record, spec_yaml, force, check_files, heartbeat) as store:
            stock = inventory.catalog, inventory.class_table
            job = Job(spec, *stock, folder, store.layout.log, devices=devices)
            wanted = range(spec.images) if indices is None else checked_indices(indices)
            if retry_failed:
                store.forget_failures(store.failures().keys() & wanted)
            makers = workers, early_worker
            packer = Packer.of(store.files, record)
            yield Run(job, store, wanted, reporter, *makers, monitor, time_limit, may_all_fail, packer)


def checked_indices(indices: Sequence[int]) -> Sequence[int]:
    """Each index once, in the given order, as a plain number; raises UsageError for a negative one."""
    if not isinstance(indices, range):
        indices = list(dict.fromkeys(map(operator.index, indices)))
    ends = [*indices[:1], *indices[-1:]] if isinstance(indices, range) else indices
    if min(ends, default=0) < 0:
        raise UsageError(f"indices: expected 0 or more, got {min(ends)}")
    return indices


def made_rows(run: Run) -> Iterator[Row]:
    """Make the images of a run; gives each row to the caller as soon as the manifest has it.

    While the caller's code runs, signals are handled as they were before. After a signal, images that are
    being rendered are still recorded, and the caller gets no more rows.
    """
    with StopSignal() as stop:
        for rows in run.batches(stop):
            if stop.signum is None:
                with stop.released():
                    yield from rows
    if stop.signum is not None:
        raise Interrupted(stop.signum, f"stopped: all images are finished in {run.store.layout.root}")
    completed(run)


def make_all(run: Run) -> GenerateReport:
    """Make the images of a run; raises BlendgenError, Interrupted after a signal."""
    run.make_all()
    return completed(run)


def completed(run: Run) -> GenerateReport:
    """Write the contact sheet of a run that has made all its batches.

    Tells what the run made; logs why images cannot be made as an error; warns of classes that a split lacks.
    """
    outcome, store = run.outcome, run.store
    if outcome.spent.made + outcome.spent.failed:
        run.progress.note(str(outcome.spent))
    layout, sheet = store.layout, None
    if outcome.record["images"]:
        sheet = layout.contact_sheet
        store.write_sheet(sheet_bytes(layout.root))
    failed_per_reason = count_reasons(outcome.failures)
    if failed_per_reason:
        may_pass = PASSING_REASONS & failed_per_reason.keys()
        _log.error(
            "%d of %d images cannot be made (%s); %s lists them with their reasons%s",
            len(outcome.failures),
            len(run.indices),
            ", ".join(f"{count} {reason}" for reason, count in failed_per_reason.items()),
            layout.failures,
            ". Another run leaves them out; --retry-failed tries them again" if may_pass else "",
        )
    finished = outcome.record["images"] + outcome.record["images_failed"]
    if finished >= run.job.spec.images:  # not if this is a part of them
        warn_of_unbalanced_splits(outcome.record, store.summary)
    return GenerateReport(
        folder=layout.root,
        images=outcome.record["images"],
        made=outcome.made,
        existing=outcome.existing,
        failed=len(outcome.failures),
        failed_per_reason=failed_per_reason,
        images_per_split=outcome.record["images_per_split"],
        classes=tuple(outcome.record["classes"]),
        exposures_per_shot=outcome.record["exposures_per_shot"],
        contact_sheet=sheet,
        seconds=round(outcome.spent.seconds, 3) if outcome.made else None,
        size_bytes=outcome.spent.size_bytes if outcome.made else None,
    )


def sheet_bytes(folder: Path) -> bytes:
    """The contact sheet of a data set with images, as a JPEG."""
    return encode_jpeg(np.asarray(dataset_sheet(folder)), quality=_SHEET_QUALITY, comment=SHEET_MARK)


def warn_of_unbalanced_splits(record: dict[str, Any], summary: Summary) -> None:
    """Warn of classes that a split of a finished data set lacks."""
    for split, labels in summary.lacking_classes(record["classes"]).items():
        _log.warning(
            "note: the split %s has no image of %s, so loaders number its class folders differently; "
            "make more images",
            split,
            some_of(labels, _MAX_LISTED),
        )


def _devices(text: str, progress: Progress) -> tuple[Device, ...]:
    devices = devices_for(parse_device(text))
    if text != "cpu":
        progress.note(f"rendering on {', '.join(map(str, devices))}")
    return devices
