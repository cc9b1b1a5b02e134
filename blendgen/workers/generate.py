"""Generate: make and record the images that a data set still lacks.

In: a Job, an open Store and the wanted indices. Out: rows as they are recorded, and an Outcome at the end.
This is the loop of the parent: workers write image files, and only the parent appends to the manifest and to
the list of images that cannot be made.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Generator, Iterable, Iterator, Sequence, Set
from contextlib import closing, contextmanager
from dataclasses import dataclass, field

from blendgen.containers.packing import Packer
from blendgen.containers.run_packing import RunPacking
from blendgen.dataset.failures import FailedImage
from blendgen.dataset.manifest import ManifestWriter
from blendgen.dataset.store import Store
from blendgen.draw.attempts import FIRST_SHOTS, failure_error, refuse_systematic
from blendgen.errors import PASSING_REASONS, BlendgenError, FilesLost, Interrupted, Reason, TimeLimitReached
from blendgen.pipeline import Task, tasks_for
from blendgen.scene.row import Row
from blendgen.system.progress import Progress
from blendgen.system.time_limit import TimeLimit
from blendgen.workers.caution import careful_order, killed_message
from blendgen.workers.early_worker import EarlyWorker
from blendgen.workers.estimate import Estimate, Spent
from blendgen.workers.job import Job
from blendgen.workers.monitor import Monitor
from blendgen.workers.pool import run_tasks
from blendgen.workers.share import choose_worker_count
from blendgen.workers.stop_signal import StopSignal, Superseded
from blendgen.workers.worker import Made, not_rendered

_MANY_SHOTS = 4096  # enough for any number of workers
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outcome:
    """made: images of this run; existing: wanted images that were there before; record: dataset.json.

    spent: what this run made and needed
    failures: wanted images that cannot be made, by index, also those of earlier runs
    """

    made: int
    existing: int
    record: dict
    spent: Spent
    failures: tuple[FailedImage, ...] = ()


@dataclass
class Run:
    """One run over the images of a data set.

    progress: gets the number of images to make, then the number of further finished ones
    workers: processes, at most one per shot; None: as many as this machine fits
    early_worker: becomes the first worker, if there is one
    may_all_fail: do not stop if the first shots all fail
    monitor: reports what happens; packer: of a data set in few large files
    """

    job: Job
    store: Store
    indices: Sequence[int]
    progress: Progress
    workers: int | None = 1
    early_worker: EarlyWorker | None = None
    monitor: Monitor = field(default_factory=Monitor)
    time_limit: TimeLimit = field(default_factory=TimeLimit)
    may_all_fail: bool = False
    packer: Packer | None = None
    _outcome: Outcome | None = None

    @property
    def outcome(self) -> Outcome:
        """How it went, once all batches are made."""
        if self._outcome is None:
            raise RuntimeError("the run has not ended")
        return self._outcome

    def make_all(self) -> Outcome:
        """Make the missing images; raises as batches."""
        with StopSignal() as stop:
            for _ in self.batches(stop):
                pass
        return self.outcome

    def batches(self, stop: StopSignal) -> Generator[list[Row]]:
        """Make the missing images; the rows of each shot as soon as the manifest has them.

        With a packer, the files of a row may be in a pack by then: ImageFiles finds them.
        The manifest is complete and in order also after an exception, and if the caller closes the iterator.
        raises: BlendgenError, also as refuse_systematic and Failures.add do; Interrupted after a signal;
            TimeLimitReached; FilesLost
        """
        done = self.store.done()
        failures = Failures(self)
        existing = sum(index in done for index in self.indices)
        to_make = len(self.indices) - existing - failures.count
        made = 0
        self.time_limit.set_images(len(done) + to_make)
        if existing:
            self.progress.note(f"{existing} of {len(self.indices)} images are there already")
        self.progress.begin(to_make)
        self.monitor.begin(self.job, len(self.indices), existing, failures.in_order())
        packing = self._packing(done)
        with ManifestWriter(self.store.layout.manifest) as manifest:
            self.monitor.counted(len(done), manifest.size_bytes)
            estimate = Estimate(
                self.store.layout.root, to_make, manifest.size_bytes, self.progress,
                known=self.monitor.estimated,
            )  # fmt: skip
            try:
                failures.refuse_systematic()
                # closed before store.finish(): no worker may write any more
                with closing(self._results(stop, done | failures.indices)) as results:
                    for result in results:
                        places = manifest.append(result.rows)
                        failures.add(result.failures)
                        self.monitor.recorded(*result[:2], manifest.size_bytes, result.seconds)
                        failures.refuse(result.failures)
                        made += len(result.rows)
                        self.progress.advance(len(result.rows) + len(result.failures))
                        failed = len(result.failures)
                        estimate.recorded(result.rows, failed, manifest.size_bytes, result.seconds)
                        if packing is not None:
                            packing.recorded(result.rows, places, (one.index for one in result.failures))
                        yield result.rows
            finally:
                self.monitor.finishing()
                record = self.store.finish()
        finished = self.store.summary.indices
        missing = sum(index not in finished for index in self.indices) - failures.count
        state = (
            f"{record['images']} images are finished in {self.store.layout.root}, {missing} are missing; run "
            "the same command to continue"
        )
        if stop.signum is not None and missing:
            raise Interrupted(stop.signum, f"stopped: {state}")
        if stop.superseded and missing:
            raise Superseded(state)
        if self.time_limit.reached and missing:
            raise TimeLimitReached(f"{self.time_limit}: {state}")
        if missing > 0:
            raise FilesLost(f"files were changed or removed while images were made: {state}")
        if self.packer is not None:
            self.packer.pack_all()
        self.monitor.finished()
        self._outcome = Outcome(made, existing, record, estimate.spent(), failures.in_order())

    def _packing(self, done: Set[int]) -> RunPacking | None:
        """What packs blocks; in these are also images that this run does not make."""
        if self.packer is None:
            return None
        return RunPacking(self.packer, self.job.spec.images, done, self.store.failures().keys())

    def _results(self, stop: StopSignal, done: Set[int]) -> Generator[Made]:
        """What becomes of each shot as it is finished.

        done: images that are there, or that cannot be made
        """
        order = careful_order(self.job.spec, self.indices, done, self.store.suspects)
        for task in order.set_aside:
            message = killed_message(task, self.store.suspects)
            yield Made([], not_rendered(self.job, task, Reason.RUN_KILLED, message), {})
            self.store.suspects.ended(task.shot_index)
        some = list(itertools.islice(order.together, _MANY_SHOTS))
        workers = choose_worker_count(self.job, len(some), self.workers)
        yield from self._noted(self._tried(itertools.chain(some, order.together), stop, workers))
        if order.alone and not (stop.count or self.time_limit.is_near()):
            yield from self._noted(self._tried(order.alone, stop, workers=1, one_by_one=True))

    def _tried(self, tasks: Iterable[Task], stop: StopSignal, workers: int, **options) -> Generator[Made]:
        return run_tasks(
            self.job, tasks, stop, workers, early_worker=self.early_worker, crashed=self._crashed,
            watch=self.monitor, suspects=self.store.suspects, time_limit=self.time_limit, **options,
        )  # fmt: skip

    def _noted(self, results: Generator[Made]) -> Generator[Made]:
        """The results; notes in dataset.json the device that made them."""
        devices: list[dict[str, str]] = []
        with closing(results) as finished:
            for made in finished:
                if made.identity and made.identity not in devices:
                    devices.append(made.identity)
                    _warn_of_other_devices(self.store.note_device(made.identity), made.identity)
                yield made

    def _crashed(self, task: Task, message: str) -> Made:
        return Made([], not_rendered(self.job, task, Reason.BLENDER_CRASHED, message), {})


class Failures:
    """The wanted images of a run that cannot be made, those of earlier runs included."""

    def __init__(self, run: Run):
        self._store = run.store
        recorded = run.store.failures()
        self._failures = {index: recorded[index] for index in recorded.keys() & run.indices}
        first_tasks = itertools.islice(
            tasks_for(run.job.spec, run.indices), 0 if run.may_all_fail else FIRST_SHOTS
        )
        self._first_shots = [task.shot_index for task in first_tasks]
        self._reasons = {failure.reason for failure in self._failures.values()}
        self._first_failed: dict[int, FailedImage] = {}
        self._passing_in_a_row: list[FailedImage] = []
        self._note_first(self._failures.values())

    @property
    def count(self) -> int:
        return len(self._failures)

    @property
    def indices(self) -> set[int]:
        return set(self._failures)

    def in_order(self) -> tuple[FailedImage, ...]:
        return tuple(self._failures[index] for index in sorted(self._failures))

    def add(self, failures: list[FailedImage]) -> None:
        """Record the failures of a shot, and log the first one of each reason; raises DatasetError."""
        if not failures:
            return
        self._store.add_failures(failures)
        if failures[0].reason not in self._reasons:
            _log.error("image %d cannot be made: %s", failures[0].index, failures[0].message)
            self._reasons.add(failures[0].reason)
        self._failures |= {failure.index: failure for failure in failures}
        self._note_first(failures)

    def refuse(self, failures: list[FailedImage]) -> None:
        """Raises as refuse_systematic does, and BlendgenError if Blender fails shot after shot.

        failures: of the last shot, none if it was made
        """
        if failures:
            self.refuse_systematic()
            self._refuse_in_a_row(failures[0])
        else:
            self._passing_in_a_row = []

    def refuse_systematic(self) -> None:
        """Raises as attempts.refuse_systematic does, for the first shots of the run; does not depend on the
        order in which the shots finish."""
        first = [self._first_failed[shot] for shot in self._first_shots if shot in self._first_failed]
        with self._machine_blamed(first):
            refuse_systematic([(failure.reason, failure.message) for failure in first])

    def _refuse_in_a_row(self, failure: FailedImage) -> None:
        """Raises BlendgenError if Blender failed in so many shots in a row that no model is the reason."""
        in_a_row = [*self._passing_in_a_row, failure] if failure.reason in PASSING_REASONS else []
        self._passing_in_a_row = in_a_row
        if len(in_a_row) >= FIRST_SHOTS:
            with self._machine_blamed(in_a_row):
                message = f"the last {FIRST_SHOTS} shots all failed ({failure.reason}): {failure.message}"
                raise failure_error(failure.reason, message)

    @contextmanager
    def _machine_blamed(self, failures: list[FailedImage]) -> Iterator[None]:
        """If the run is ended, and Blender failed in all these shots, none of them is set aside."""
        try:
            yield
        except BlendgenError:
            if all(failure.reason in PASSING_REASONS for failure in failures):
                shots = {failure.shot_index for failure in failures}
                images = {index for index, one in self._failures.items() if one.shot_index in shots}
                self._store.forget_failures(images)
            raise

    def _note_first(self, failures: Iterable[FailedImage]) -> None:
        of_first_shots = (failure for failure in failures if failure.shot_index in self._first_shots)
        self._first_failed |= {failure.shot_index: failure for failure in of_first_shots}


def _warn_of_other_devices(others: list[dict[str, str]], device: dict[str, str]) -> None:
    if others:
        _log.warning(
            "note: other images of this data set were made on %s, these are made on %s: they look alike, but "
            "the bytes differ between devices; dataset.json lists all devices",
            describe_devices(others),
            describe_devices([device]),
        )


def describe_devices(devices: list[dict[str, str]]) -> str:
    """The devices of dataset.json as text for messages."""
    names = [", ".join(filter(None, map(device.get, ("kernel", "graphics_card")))) for device in devices]
    return " and ".join(f"{d.get('device')} ({name})" for d, name in zip(devices, names, strict=True))
