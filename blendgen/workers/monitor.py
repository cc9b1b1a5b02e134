"""Monitor: what a run says about itself while it works: events, and a status file for `blendgen status`.

The status file is written every few seconds by a thread of its own, also while nothing gets finished. No
failure in that ends the run.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from typing import Any

from blendgen import __version__
from blendgen.dataset.failures import FailedImage, count_reasons
from blendgen.dataset.layout import Layout
from blendgen.dataset.run_status import (
    HEARTBEAT_S,
    RunStatus,
    WorkerStatus,
    read_run_status,
    remove_run_status,
    write_run_status,
)
from blendgen.errors import BlendgenError, ExitCode
from blendgen.scene.row import Row
from blendgen.system.exit_code import exit_code_of
from blendgen.system.pace import Pace
from blendgen.system.process import this_process
from blendgen.system.ticker import Ticker
from blendgen.workers.estimate import Left
from blendgen.workers.events import (
    Events,
    ImageFailed,
    ImageMade,
    RunEstimated,
    RunFinished,
    RunStarted,
    RunStopped,
    WorkerCrashed,
    WorkerStarted,
    now,
)
from blendgen.workers.job import Job
from blendgen.workers.worker_handle import WorkerHandle

_STOP_TIMEOUT_S = 5.0  # the thread may wait for a network folder


class Monitor:
    """Reports one run; use as a context manager around all of it, whose exceptions it reports and passes on.

    every_s: seconds between two heartbeats
    """

    def __init__(self, events: Events | None = None, every_s: float = HEARTBEAT_S):
        self._events = events or Events()
        process = asdict(this_process())
        self._status = RunStatus(run=self._events.run, started=now(), every_s=every_s, **process)
        self._pace = Pace()
        self._has_finished = False

    def __enter__(self) -> Monitor:
        return self

    def __exit__(self, _kind: Any, error: BaseException | None, _trace: Any) -> None:
        if error is None and not self._has_finished:
            error = GeneratorExit("the caller ended the run")
        status, counts = self._status, self._counts()
        if error is None:
            code = ExitCode.INCOMPLETE if status.failed else ExitCode.OK
            self._events.emit(RunFinished(int(code), status.images or 0, **counts))
        else:
            self._events.emit(RunStopped(exit_code_of(error), str(error) or type(error).__name__, **counts))

    @contextmanager
    def heartbeat(self, layout: Layout) -> Iterator[None]:
        """Keep the status file in a folder that this run has locked as long as the block lasts."""
        killed = read_run_status(layout)
        if killed is not None:  # its count saves others from counting all rows while this run reads them
            self.counted(killed.images, killed.manifest_bytes)
        beats = itertools.count(1)

        def beat() -> None:
            update = {"heartbeat": next(beats), "images_per_s": self._pace.per_s()}
            status = self._status.model_copy(update=update)
            with suppress(BlendgenError, OSError):  # a full disk: the run itself reports it
                write_run_status(layout, status)

        beat()
        ticker = Ticker(self._status.every_s, beat)
        try:
            yield
        finally:
            ticker.stop(_STOP_TIMEOUT_S)
            with suppress(BlendgenError, OSError):
                remove_run_status(layout)

    def begin(self, job: Job, wanted: int, existing: int, failures: Iterable[FailedImage]) -> None:
        """The run knows what is there, and begins to make the rest.

        wanted, existing: numbers of images; failures: the wanted images that are known to fail
        """
        failed = count_reasons(failures)
        self._update(phase="rendering", wanted=wanted, existing=existing, failed_per_reason=failed)
        process, devices = self._status, [str(device) for device in job.devices]
        counts = wanted, existing, process.failed
        here = str(job.folder), process.host, process.pid, __version__, devices
        self._events.emit(RunStarted(*here, *counts))

    def counted(self, images: int | None, manifest_bytes: int) -> None:
        """The data set has so many images, with a row each in these bytes of its manifest."""
        self._update(images=images, manifest_bytes=manifest_bytes)

    def recorded(
        self, rows: list[Row], failures: list[FailedImage], manifest_bytes: int, seconds: float
    ) -> None:
        """The images of a shot are recorded.

        seconds: that the worker spent on the shot
        """
        status = self._status
        failed = Counter(status.failed_per_reason) + Counter(failure.reason for failure in failures)
        made, images = status.made + len(rows), (status.images or 0) + len(rows)
        self._update(made=made, images=images, manifest_bytes=manifest_bytes, failed_per_reason=dict(failed))
        self._pace.add(len(rows) + len(failures))
        for row in rows:
            each_s = round(seconds / len(rows), 3)
            self._events.emit(
                ImageMade(row.index, row.shot_index, row.split, row.label, row.image.name, each_s)
            )
        for one in failures:
            self._events.emit(ImageFailed(one.index, one.shot_index, one.reason, one.message))

    def estimated(self, left: Left) -> None:
        """How long the missing images will take, and the room that they need; once."""
        self._events.emit(RunEstimated(left.images, round(left.seconds, 1), left.size_bytes))

    def finishing(self) -> None:
        """No further image is made; the manifest is sorted."""
        self._update(phase="finishing")

    def finished(self) -> None:
        """All images are made, or cannot be made."""
        self._has_finished = True

    def worker_started(self, worker: WorkerHandle) -> None:
        started = WorkerStatus(pid=worker.process.pid, device=str(worker.share.device), started=now())
        self._update(workers=(*self._status.workers, started))
        self._events.emit(WorkerStarted(started.pid, started.device))

    def worker_ended(self, worker: WorkerHandle) -> None:
        pid = worker.process.pid
        self._update(workers=tuple(one for one in self._status.workers if one.pid != pid))
        if worker.process.exitcode:
            shots = sorted({pending.task.shot_index for pending in worker.suspects()})
            self._events.emit(WorkerCrashed(pid, worker.exit_reason(), shots))

    def _update(self, **changes: Any) -> None:
        self._status = self._status.model_copy(update=changes)  # at once, as another thread reads it

    def _counts(self) -> dict[str, int]:
        status = self._status
        numbers = ("wanted", "existing", "made", "failed")
        return {name: getattr(status, name) for name in numbers}
