"""Measurer: starts child processes with measure.py and sends them sources. Does not load bpy.

A crash or a timeout costs one model, and a new child measures the rest. A child that was killed is replaced,
and its model is tried once more. Work that lasts is shared between several children, each with a thread of
its own: the system ends a child with its thread.
"""

from __future__ import annotations

import queue
import tempfile
import threading
from collections import deque
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from blendgen.engine.blender.importing.measuring_child import COMMAND, MODULE, Child, KilledAtStart
from blendgen.errors import OutOfMemory, SetupError
from blendgen.files.scratch import scratch_folder
from blendgen.models.product import Refusal
from blendgen.models.source import Source
from blendgen.system.code_digest import code_digest
from blendgen.system.machine import cores, free_memory_bytes
from blendgen.system.platforms import require_forks
from blendgen.system.time_limit import TimeLimit

DEFAULT_TIMEOUT_S = 120.0
_TRIES_IF_KILLED = 2
# a child loads Blender as long as it measures twenty small models: a further one is for work that lasts
_FURTHER_CHILD_AFTER_S = 2.0
_BYTES_PER_CHILD = 2 * 2**30
_Job = tuple[Source, Path]


@dataclass(frozen=True)
class BlenderMeasurer:
    """Measures with Blender, in child processes; a Measurer (models/source.py).

    log_path: the file to which Blender's messages are appended; None: a temporary file
    timeout_s: for one source
    command: starts a child
    time_limit: of the run; a model that is still being measured then is not refused
    processes: at most so many children at once; None: one for each core, if there is memory for them
    """

    log_path: Path | None = None
    timeout_s: float = DEFAULT_TIMEOUT_S
    command: tuple[str, ...] = COMMAND
    time_limit: TimeLimit = field(default_factory=TimeLimit)
    processes: int | None = None

    def __post_init__(self) -> None:
        require_forks()

    @property
    def digest(self) -> str:
        return code_digest(MODULE)

    def measure(self, jobs: list[_Job]) -> Generator[Refusal | None]:
        """As Measurer.measure.

        raises: SetupError if Blender or memory is missing; DiskUnavailable; TimeLimitReached
        """
        if not jobs:
            return
        count = min(self.processes or _processes_that_fit(), len(jobs))
        with (
            _open_log(self.log_path) as log,
            scratch_folder("measure") as scratch,
            closing(_Children(self, count, jobs, log, str(scratch))) as children,
        ):
            yield from children.outcomes()


def _processes_that_fit() -> int:
    free = free_memory_bytes()
    return cores() if free is None else max(1, min(cores(), free // _BYTES_PER_CHILD))


class _Children:
    """Several children at once, which take the jobs in their order.

    A model for which the memory does not suffice next to others is measured once more, alone.
    """

    def __init__(self, measurer: BlenderMeasurer, count: int, jobs: list[_Job], log: IO[bytes], scratch: str):
        self._measurer, self._log, self._scratch, self._total = measurer, log, scratch, len(jobs)
        self._left, self._alone = deque(enumerate(jobs)), deque[tuple[int, _Job]]()
        self._none_left, self._closed = threading.Event(), threading.Event()
        self._running: set[Child] = set()
        self._outcomes: queue.SimpleQueue[tuple[int, Refusal | BaseException | None]] = queue.SimpleQueue()
        self._threads = [threading.Thread(target=self._work, args=(number,)) for number in range(count)]

    def outcomes(self) -> Generator[Refusal | None]:
        """The outcome of each job, in order; raises what ended the work of a thread."""
        for thread in self._threads:
            thread.start()
        finished: dict[int, Refusal | None] = {}
        for number in range(self._total):
            while number not in finished:
                other, outcome = self._outcomes.get()
                if isinstance(outcome, BaseException):
                    raise outcome
                finished[other] = outcome
            yield finished.pop(number)

    def close(self) -> None:
        """End all children and their threads."""
        self._closed.set()
        self._none_left.set()
        for child in tuple(self._running):
            child.end()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()

    def _work(self, number: int) -> None:
        """The work of one thread; that of the first one includes what needs the memory of all."""
        try:
            if not self._none_left.wait(number * _FURTHER_CHILD_AFTER_S):
                self._measure(self._left, alone=len(self._threads) == 1)
            if number == 0 and not self._closed.is_set():
                for thread in self._threads[1:]:
                    thread.join()
                self._measure(self._alone, alone=True)
        except BaseException as error:  # noqa: BLE001 - raised in the thread that waits for the outcomes
            self._outcomes.put((-1, error))

    def _measure(self, jobs: deque[tuple[int, _Job]], alone: bool) -> None:
        with closing(_Seat(self._measurer, self._log, self._scratch, self._running, self._closed)) as seat:
            while (job := self._next(jobs)) is not None:
                number, (source, folder) = job
                try:
                    self._outcomes.put((number, seat.measure(source, folder)))
                except OutOfMemory:
                    if alone:
                        raise
                    self._alone.append(job)

    def _next(self, jobs: deque[tuple[int, _Job]]) -> tuple[int, _Job] | None:
        try:
            return None if self._closed.is_set() else jobs.popleft()
        except IndexError:
            self._none_left.set()
            return None


class _Seat:
    """One child at a time, which is replaced after a crash or a timeout.

    running: the children of all seats; closed: whether they have been ended, so that no further one may start
    """

    def __init__(
        self, measurer: BlenderMeasurer, log: IO[bytes], scratch: str,
        running: set[Child], closed: threading.Event,
    ):  # fmt: skip
        self._measurer, self._log, self._scratch = measurer, log, scratch
        self._running, self._closed = running, closed
        self._child: Child | None = None

    def measure(self, source: Source, folder: Path) -> Refusal | None:
        """The outcome of one job; raises as BlenderMeasurer.measure."""
        for _ in range(_TRIES_IF_KILLED):
            self._measurer.time_limit.check()
            child = self._child or self._started()
            try:
                outcome = child.measure(source, folder, self._measurer.timeout_s, self._measurer.time_limit)
            finally:
                if not child.alive:
                    self.close()
            if not child.was_killed or self._closed.is_set():
                break
        return outcome

    def close(self) -> None:
        """End the child."""
        if self._child is not None:
            self._child.kill()
            self._running.discard(self._child)
            self._child = None

    def _started(self) -> Child:
        try:
            return self._ready()
        except KilledAtStart:
            if self._closed.is_set():
                raise
            return self._ready()

    def _ready(self) -> Child:
        self._child = Child(self._measurer.command, self._log, self._scratch)
        self._running.add(self._child)
        if self._closed.is_set():  # in between
            self._child.end()
        try:
            self._child.await_ready(self._measurer.time_limit)
        except BaseException:
            self.close()
            raise
        return self._child


def _open_log(log_path: Path | None) -> IO[bytes]:
    if log_path is None:
        return tempfile.TemporaryFile(prefix="blendgen-measure-", suffix=".log")
    try:
        log_path.parent.mkdir(parents=True, exist_ok=True)
        return log_path.open("ab")
    except OSError as error:
        raise SetupError(
            f"the log {log_path} cannot be written ({error.strerror or error}); "
            "set BLENDGEN_CACHE_DIR to a folder that can"
        ) from error
