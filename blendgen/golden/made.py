"""Made: the images of a smoke run, rendered into a folder that is a data set.

In: a Plan and the models. Out: rows and pixels of the images, and which of them are missing and why. The time
that a run may take ends it between two images; what is finished stays.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from blendgen.dataset.failures import FailedImage, read_failures
from blendgen.dataset.identity import portable_spec
from blendgen.dataset.label_array import Channels
from blendgen.dataset.label_file import decode
from blendgen.dataset.layout import Layout
from blendgen.dataset.manifest import read_rows
from blendgen.dataset.record import dataset_record
from blendgen.dataset.store import Store, read_record
from blendgen.engine.device import Device
from blendgen.errors import Interrupted, TimeLimitReached
from blendgen.geometry.arrays import ImageHW3U8
from blendgen.golden.plan import Plan
from blendgen.models.inventory import Inventory
from blendgen.scene.row import Row
from blendgen.spec.load import resolved_yaml
from blendgen.system.machine import cores
from blendgen.system.progress import Progress
from blendgen.system.time_limit import TimeLimit
from blendgen.verification.reopen import Reopened
from blendgen.workers.early_worker import EarlyWorker
from blendgen.workers.generate import Run
from blendgen.workers.job import Job
from blendgen.workers.stop_signal import StopSignal

_IMAGES_PER_WORKER = 4


@dataclass(frozen=True, eq=False)
class Made:
    """A data set with the images that are finished.

    rows, failures: by index; late: indices of images that did not fit into the time
    """

    job: Job
    plan: Plan
    inventory: Inventory
    record: dict[str, Any]
    rows: dict[int, Row]
    failures: dict[int, FailedImage]
    late: tuple[int, ...]

    @property
    def layout(self) -> Layout:
        return Layout(self.job.folder)

    @property
    def reopened(self) -> Reopened:
        """As the checks of finished data sets want it."""
        return Reopened(self.layout, self.plan.spec_file, self.inventory, self.record, self.record)

    def pixels(self, index: int) -> dict[str, Channels]:
        """Name of a file of an image -> its channels; without those that cannot be decoded, which `verify`
        reports."""
        row, files = self.rows[index], dict[str, Channels]()
        for name, file in row.files.items():
            path = self.layout.root / file.name
            with suppress(OSError):
                channels = decode(path.read_bytes(), path.suffix, row.width * row.height)
                files |= {} if channels is None else {name: channels}
        return files

    def clean(self, index: int) -> ImageHW3U8:
        """The image without noise."""
        return self.picture(index, "clean")

    def picture(self, index: int, name: str) -> ImageHW3U8:
        with Image.open(self.layout.root / self.rows[index].files[name].name) as opened:
            return np.asarray(opened.convert("RGB"))


def worker_count(images: int) -> int:
    """How many workers: Blender takes longer to start than two or three tiny images."""
    return max(1, min(cores(), images // _IMAGES_PER_WORKER))


def make(
    plan: Plan,
    inventory: Inventory,
    folder: Path,
    devices: tuple[Device, ...],
    time_limit: TimeLimit,
    progress: Progress,
    early_worker: EarlyWorker,
) -> Made:
    """Render the images of a plan into a new folder; raises BlendgenError, Interrupted after a signal."""
    spec = plan.spec_file.spec
    record = dataset_record(spec, inventory)
    log = folder.parent / "blender.log"
    job = Job(spec, inventory.catalog, inventory.class_table, folder, log, devices=devices)
    with Store(folder, record, resolved_yaml(portable_spec(plan.spec_file))) as store:
        run = Run(
            job, store, list(plan.images), progress, workers=worker_count(len(plan.images)),
            early_worker=early_worker, time_limit=time_limit, may_all_fail=True,
        )  # fmt: skip
        with StopSignal() as stop, suppress(TimeLimitReached, Interrupted):
            for _ in run.batches(stop):
                pass
        if stop.signum is not None:  # also during the last image
            raise Interrupted(stop.signum, "stopped; nothing was compared or written")
    layout = Layout(folder)
    rows = {row.index: row for row in read_rows(layout.manifest)}
    failures = {failure.index: failure for failure in read_failures(layout)}
    late = tuple(index for index in plan.images if index not in rows and index not in failures)
    return Made(job, plan, inventory, read_record(layout), rows, failures, late)
