"""Memory: what becomes of a worker that the system has killed because memory ran out.

While there are several workers, the run goes on with one fewer, and no shot is blamed. A single worker tries
its shots again one by one. If it is killed again and again the run ends, although each new worker may make
a shot or two: more memory helps more.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

from blendgen.system.memory_events import MemoryEvents, in_gib, memory_bound, out_of_memory
from blendgen.workers.worker_handle import WorkerHandle

MAX_KILLS = 3
# of a single worker: with fewer results between two kills, a run spends its time on starting Blender
_ENOUGH_RESULTS = 20
_log = logging.getLogger(__name__)


@dataclass
class MemoryWatch:
    """For one pool.

    kills: of a single worker, one soon after the other; results: since the last one
    """

    events: MemoryEvents = field(default_factory=MemoryEvents)
    kills: int = 0
    results: int = 0

    def killed(self, worker: WorkerHandle) -> bool:
        """Whether the system has killed a worker that has ended because memory ran out."""
        worker.starved = worker.was_killed and self.events.killed_another()
        return worker.starved

    def note_fewer(self, workers: int) -> None:
        bound = memory_bound()
        limit = f" (limit: {in_gib(bound.value)}, {bound.origin})" if bound else ""
        _log.warning(
            "note: the system has killed a worker because memory ran out%s; the run goes on with %d",
            limit,
            workers,
        )

    def note_result(self) -> None:
        self.results += 1

    def count_kill(self) -> None:
        """Raises OutOfMemory if a single worker was killed too often."""
        self.kills = self.kills + 1 if self.results < _ENOUGH_RESULTS else 1
        self.results = 0
        if self.kills >= MAX_KILLS:
            raise out_of_memory("a single worker", "")
