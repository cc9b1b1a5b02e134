"""Hand: a worker process as its parent sees it: what it was given, and when it was last heard of."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from blendgen.pipeline import Task
from blendgen.workers.child import work
from blendgen.workers.early_worker import EarlyWorker
from blendgen.workers.share import Share
from blendgen.workers.spawn import Order, Steps, spawn

# bpy is loaded by the first task, or within this time by an early worker
_START_PATIENCE_S = 300.0
_EXIT_S = 5.0


@dataclass(frozen=True, eq=False)
class Assignment:
    """A task on its way through the pool; suspect: it was in hand when a worker crashed."""

    task: Task
    number: int
    tries: int = 0

    @property
    def suspect(self) -> bool:
        return self.tries > 0


@dataclass(eq=False)
class Hand:
    """One worker process and what it has in hand, by number; make it with `hire`."""

    share: Share
    process: Any
    pipe: Any
    in_hand: dict[int, Assignment] = field(default_factory=dict)
    begun: set[int] = field(default_factory=set)
    given: int = 0
    ready: bool = False
    leaving: bool = False  # gets nothing more
    hung: bool = False
    _dismissed: bool = False
    _heard_s: float = field(default_factory=time.monotonic)

    def give(self, assignment: Assignment) -> None:
        if not self.in_hand:
            self._heard_s = time.monotonic()
        self.in_hand[assignment.number] = assignment
        self.given += 1
        self._send((assignment.number, assignment.task))

    def dismiss(self) -> None:
        """Let it finish what it has begun and end."""
        self.leaving = True
        if not self._dismissed:
            self._dismissed = True
            self._send(None)

    def note_word(self) -> None:
        self._heard_s = time.monotonic()

    def kill_if_silent(self, patience_s: Callable[[Task], float]) -> None:
        """Kill it where it hangs; patience_s: how long a task may take."""
        longest_s = _START_PATIENCE_S
        if self.ready:
            longest_s = max((patience_s(a.task) for a in self.in_hand.values()), default=float("inf"))
        if time.monotonic() - self._heard_s > longest_s:
            self.hung = True
            self.process.kill()

    def suspects(self) -> list[Assignment]:
        """What it may have crashed over, once it has ended."""
        return [a for n, a in self.in_hand.items() if n in self.begun] or list(self.in_hand.values())

    def cause(self) -> str:
        """Why it ended, in words."""
        if self.hung:
            return "it did not finish in time"
        code = self.process.exitcode or 0
        if hasattr(signal, "SIGKILL") and code == -signal.SIGKILL:
            return "SIGKILL, as the system does when memory runs out"
        return signal.Signals(-code).name if code < 0 else f"exit code {code}"

    def bury(self) -> None:
        """Wait for its end, which has begun or is made to."""
        self.process.join(_EXIT_S)
        self.process.kill()
        self.process.join()
        self.pipe.close()

    def _send(self, message) -> None:
        with contextlib.suppress(OSError):  # it has just died, which is met where it is heard
            self.pipe.send(message)


def hire(share: Share, job_file: Path, start: Callable, steps: Steps, early_worker: EarlyWorker) -> Hand:
    """A worker process with its share of the machine: the early_worker, or else a new one."""
    order = Order(job_file, share, start, steps)
    return Hand(share, *(early_worker.engage(order) or spawn(work, order)))
