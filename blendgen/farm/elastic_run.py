"""Elastic run: the tasks of shards on machines that come and go, watched until all are made.

In: an executor, the shards that are not finished. Out: their folders, or an error. A task that fails is tried
again, later and perhaps elsewhere; an error that all shards have ends the run.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from blendgen.errors import BlendgenError, ExitCode, Interrupted
from blendgen.farm.executors.base import Ended, Executor, code_of_stop
from blendgen.farm.shard_progress import ShardProgress
from blendgen.farm.shards import Shard
from blendgen.workers.stop_signal import StopSignal

RETRIES = 3
RETRY_AFTER_S = 15.0
LOOK_EVERY_S = 2.0
SETTLE_S = 60.0  # a network folder may hide so long what another machine has written
_MAX_IN_A_ROW = 3
_MAX_NAMED = 3
# an error of the command line, the spec or a model: every shard has it
_OF_ALL_SHARDS = frozenset({ExitCode.USAGE, ExitCode.SPEC, ExitCode.LOST_LOOK})
# more memory is needed, wherever it is tried again
_FINAL = _OF_ALL_SHARDS | {ExitCode.OUT_OF_MEMORY}
_MADE = frozenset({ExitCode.OK, ExitCode.INCOMPLETE})
_PASSING = frozenset({ExitCode.RETRY, ExitCode.SIGHUP, ExitCode.SIGINT, ExitCode.SIGTERM})


class ShardsFailed(BlendgenError):
    """Shards that were not made; the exit code is that of the first one for which it matters."""

    def __init__(self, message: str, code: int):
        self.exit_code = ExitCode(code) if code in {*ExitCode} else ExitCode.FAILED
        super().__init__(message)


@dataclass
class ElasticRun:
    """A run over the shards of a data set.

    shards: all of them; unfinished: those to make, or to make again
    allow_mixed_devices: as for merge, which would otherwise refuse them at the end
    """

    shards: Sequence[Shard]
    unfinished: Sequence[Shard]
    executor: Executor
    counts: ShardProgress
    allow_mixed_devices: bool = False
    _pending: set[Shard] = field(default_factory=set)
    _later: list[tuple[float, Shard]] = field(default_factory=list)
    _tries: Counter[Shard] = field(default_factory=Counter)
    _failed: dict[Shard, Ended] = field(default_factory=dict)
    _unseen: dict[Shard, float] = field(default_factory=dict)
    _failed_in_a_row: int = 0
    _is_cut_off: bool = False

    def make_all(self, stop: StopSignal) -> None:
        """Make the shards; raises ShardsFailed, DatasetError; Interrupted after a signal.

        Shards that fail are tried again. No task is left when this returns or raises.
        """
        self._submit(self.unfinished)
        try:
            while self._has_work() and not stop.count and not self._is_hopeless():
                self._look()
        finally:
            self._end(stop)
        if stop.signum is not None and (self._is_cut_off or self._later):
            raise Interrupted(stop.signum, self._stopped_message())
        if self._failed:
            raise self._fault()

    def _has_work(self) -> bool:
        return bool(self._pending or self._later or self._unseen)

    def _submit(self, shards: Iterable[Shard]) -> None:
        new = list(shards)
        self._pending.update(new)
        self.executor.submit(new)

    def _look(self) -> None:
        """Wait for something to happen, and act on it."""
        now_s = time.monotonic()
        due = [shard for due_s, shard in self._later if due_s <= now_s]
        if due:
            self._later = [(due_s, shard) for due_s, shard in self._later if due_s > now_s]
            self._submit(due)
        for ended in self.executor.ended(LOOK_EVERY_S):
            self._pending.discard(ended.shard)
            self._judge(ended)
        self._accept_seen()
        self.counts.report()

    def _judge(self, ended: Ended) -> None:
        if ended.code in _MADE:
            self._unseen[ended.shard] = time.monotonic() + SETTLE_S
        else:
            self._note_failure(replace(ended, code=code_of_stop(ended.code)))

    def _accept_seen(self) -> None:
        """Accept shards that machines have made as soon as they are here too."""
        now_s = time.monotonic()
        for shard, until_s in list(self._unseen.items()):
            if self.counts.is_complete(shard):
                del self._unseen[shard]
                self._failed_in_a_row = 0
                if not self.allow_mixed_devices:
                    self.counts.refuse_other_devices(shard)
            elif now_s >= until_s:
                del self._unseen[shard]
                message = "was made, but is not there: is the folder the same one on all machines?"
                self._note_failure(Ended(shard, int(ExitCode.DATASET), message))

    def _note_failure(self, ended: Ended) -> None:
        self._tries[ended.shard] += 1
        if ended.code not in _FINAL and self._tries[ended.shard] <= RETRIES:
            self._later.append((time.monotonic() + RETRY_AFTER_S, ended.shard))
            return
        self._failed[ended.shard] = ended
        self._failed_in_a_row += 1

    def _is_hopeless(self) -> bool:
        """Whether the shards that are left would fail too."""
        of_all = any(ended.code in _OF_ALL_SHARDS for ended in self._failed.values())
        return of_all or self._failed_in_a_row >= _MAX_IN_A_ROW

    def _end(self, stop: StopSignal) -> None:
        """End the tasks that are left: after the first signal with what they have begun."""
        requests = 0
        while self._pending:
            if requests < 1 or (requests < 2 and stop.count > 1):
                requests += 1 if stop.count < 2 else 2
                self.executor.cancel(at_once=requests > 1)
            for ended in self.executor.ended(LOOK_EVERY_S):
                self._pending.discard(ended.shard)
                self._is_cut_off |= ended.code not in _MADE or not self.counts.is_complete(ended.shard)
        self._is_cut_off |= not all(map(self.counts.is_complete, self._unseen))
        self.counts.report()

    def _stopped_message(self) -> str:
        made = f"{self.counts.images} images are finished in {self.counts.folder}"
        return f"stopped: {made}; run the same command to continue"

    def _fault(self) -> ShardsFailed:
        """Names the first shards, those first that need more than another try."""
        ordered = sorted(self._failed.values(), key=lambda one: (one.code in _PASSING, one.shard.index))
        named = ordered[:_MAX_NAMED]
        lines = [f"{one.shard.name}: {one.message or f'exit code {one.code}'}" for one in named]
        more = [f"and {len(ordered) - _MAX_NAMED} more"] if len(ordered) > _MAX_NAMED else []
        head = f"{len(ordered)} of {len(self.shards)} shards were not made"
        if ordered[0].code not in _OF_ALL_SHARDS:
            head += "; all that is finished stays, and the same command continues"
        return ShardsFailed("\n".join([head, *lines, *more]), ordered[0].code)
