"""Slurm: each shard is a task of job arrays, which this process submits and watches from a login node.

In: sbatch, squeue and scancel, and their own variables (SBATCH_PARTITION, SBATCH_ACCOUNT, SBATCH_TIMELIMIT).
Slurm itself starts a task again whose node is lost. Tasks go on if this process dies; the next one finds them
by the names of their jobs, which contain a hash of the folder, and does not submit them again.

submitit is not used: without accounting (slurmdbd) it waits for ever for a task that was killed.
source: the manual pages sbatch(1), squeue(1), scancel(1) of Slurm
"""

from __future__ import annotations

import hashlib
import logging
import math
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from blendgen.errors import BlendgenError, ExitCode, SetupError, UsageError
from blendgen.farm.executors.base import Ended, Resources, Work
from blendgen.farm.executors.child import end_of_log, last_words
from blendgen.farm.shards import Shard
from blendgen.farm.shell import command_line
from blendgen.system.progress import Progress

NOTICE_S = 120  # between the signal that asks a task to end and its time limit
POLL_S = 5.0
_TIMEOUT_S = 120
_ARRAY_SIZE = 1000  # of MaxArraySize, where Slurm does not say another one
_FIELDS = "ArrayJobID:32,ArrayTaskID:32,Name:64,State:32,exit_code:32"
_LIVE = frozenset(
    {
        *("PENDING", "CONFIGURING", "RUNNING", "COMPLETING", "SUSPENDED", "STOPPED", "REQUEUED", "RESIZING"),
        *("REQUEUE_HOLD", "REQUEUE_FED", "RESV_DEL_HOLD", "SIGNALING", "SPECIAL_EXIT", "STAGE_OUT"),
    }
)
# nothing is being rendered: not yet, not any more, or not until somebody resumes it
_IDLE = _LIVE - {"RUNNING", "COMPLETING", "SIGNALING", "STAGE_OUT", "RESIZING"}
_log = logging.getLogger(__name__)

_SCRIPT = """\
#!/bin/bash
exec {program} --shard "$(({first} + SLURM_ARRAY_TASK_ID))/{count}"
"""


@dataclass(frozen=True)
class _Task:
    """A task of an array, as squeue lists it; code: as of waitpid(2), 19200 for exit code 75."""

    job: str
    number: str
    name: str
    state: str
    code: str

    @property
    def id(self) -> str:
        return f"{self.job}_{self.number}"


class SlurmExecutor:
    """Job arrays of this user; see executors.base."""

    def __init__(self, work: Work, resources: Resources):
        self._work, self._resources = work, resources
        digest = hashlib.sha256(os.fsencode(work.folder)).hexdigest()[:12]
        self._name, self._size = f"blendgen-{digest}", _array_size()
        self._tasks: dict[str, Shard] = {}
        self._polled_s, self._has_warned = -math.inf, False
        self._is_ending = False
        self._signalled: set[str] = set()

    def submit(self, shards: Sequence[Shard]) -> None:
        adopted = self._adopted(shards)
        shards = [shard for shard in shards if shard not in adopted]
        blocks: dict[int, list[Shard]] = {}
        for shard in shards:
            blocks.setdefault(shard.index // self._size, []).append(shard)
        for block, members in blocks.items():
            self._submit_array(block * self._size, members)

    def ended(self, timeout_s: float) -> list[Ended]:
        due_s = max(0.0, self._polled_s + POLL_S - time.monotonic())
        time.sleep(min(due_s, timeout_s))
        listed = self._listed() if due_s <= timeout_s else None
        if listed is None:
            return []
        states = {task.id: task for task in listed}
        over = [one for one in self._tasks if one not in states or states[one].state not in _LIVE]
        ended = [self._end_of(one, states.get(one)) for one in over]
        if self._is_ending:
            self._end(states)
        return ended

    def cancel(self, at_once: bool) -> None:
        self._is_ending = True
        if self._tasks and at_once:
            _run(["scancel", *self._tasks])
        elif self._tasks:
            self._end({task.id: task for task in self._listed() or ()})

    def _end(self, states: Mapping[str, _Task]) -> None:
        """End tasks as they are now: one that Slurm starts again, or suspends, has to be asked again.

        scancel itself is not asked for states: it takes a task that is RUNNING and CONFIGURING for neither.
        """
        running = {one for one in self._tasks if one in states and states[one].state == "RUNNING"}
        new = running - self._signalled
        self._signalled = running
        if new:
            _run(["scancel", "--batch", "--signal=USR1", *sorted(new)])
        idle = [one for one in self._tasks if one in states and states[one].state in _IDLE]
        if idle:
            _run(["scancel", *idle])

    def _adopted(self, shards: Sequence[Shard]) -> set[Shard]:
        """Those of the shards that tasks of an earlier process make, which are watched from now on."""
        wanted, adopted = {shard.index: shard for shard in shards}, set()
        for task in self._listed() or ():
            shard = wanted.get(_first_of(task.name) + int(task.number)) if task.number.isdecimal() else None
            if shard is not None and task.state in _LIVE and _count_of(task.name) == shard.count:
                self._tasks[task.id] = shard
                adopted.add(shard)
        return adopted

    def _submit_array(self, first: int, shards: Sequence[Shard]) -> None:
        count = shards[0].count
        program = command_line([sys.executable, "-m", "blendgen", *self._work.words])
        script = _SCRIPT.format(program=program, first=first, count=count)
        numbers = [shard.index - first for shard in shards]
        options = ["--parsable", f"--array={_ranges(numbers)}", f"--job-name={self._name}-{first}-{count}"]
        done = _run(["sbatch", *options, *self._options()], script)
        if done.returncode:
            raise SetupError(f"Slurm did not take the tasks: {done.stderr.strip()}")
        job = done.stdout.strip().partition(";")[0]
        if not job.isdecimal():
            raise BlendgenError(f"Slurm took the tasks, but its answer was not understood: {done.stdout!r}")
        self._tasks |= {f"{job}_{number}": shard for number, shard in zip(numbers, shards, strict=True)}

    def _options(self) -> list[str]:
        resources = self._resources
        memory, gpus = resources.memory_mib, int(resources.gpus)
        return [
            f"--cpus-per-task={resources.cpus}",
            *([f"--mem={memory}M"] if memory is not None else []),
            *([f"--gres=gpu:{gpus}"] if gpus else []),
            "--requeue",
            "--open-mode=append",
            f"--signal=B:USR1@{NOTICE_S}",
            f"--chdir={self._work.folder}",
            f"--output={_pattern(self._log('%A', '%a'))}",
        ]

    def _log(self, job: str, number: str) -> Path:
        """Has the form of a temporary file of the data set, which is removed with the others."""
        return self._work.spec.parent / f"{job}-{number}"

    def _listed(self) -> list[_Task] | None:
        """The tasks over the folder, also those that ended minutes ago; None without an answer."""
        done = _run(["squeue", "--noheader", "--array", "--me", "--states=all", f"--Format={_FIELDS}"])
        self._polled_s = time.monotonic()
        if done.returncode:
            if not self._has_warned:
                self._has_warned = True
                _log.warning("note: Slurm does not answer, waiting for it: %s", done.stderr.strip())
            return None
        rows = (line.split() for line in done.stdout.splitlines())
        tasks = [_Task(*row[:5]) for row in rows if len(row) >= 5]
        return [task for task in tasks if task.name.startswith(f"{self._name}-")]

    def _end_of(self, name: str, task: _Task | None) -> Ended:
        shard = self._tasks.pop(name)
        job, _, number = name.partition("_")
        code = _code(task)
        message = "" if code == 0 else f"{_last_words(self._log(job, number))} (job {name})"
        return Ended(shard, code, message)


@contextmanager
def opened_executor(work: Work, resources: Resources, progress: Progress) -> Iterator[SlurmExecutor]:
    """raises: SetupError without Slurm; UsageError for what it cannot do"""
    if resources.gpus != int(resources.gpus):
        raise UsageError(f"GPUs of a task: expected a whole number for Slurm, got {resources.gpus:g}")
    if "\\" in str(work.folder):
        raise UsageError(f"{work.folder}: Slurm cannot write logs into a folder with this name")
    yield SlurmExecutor(work, resources)


def _run(command: list[str], text: str | None = None) -> subprocess.CompletedProcess[str]:
    """raises SetupError where the program is missing or hangs."""
    try:
        return subprocess.run(
            command, input=text, capture_output=True, text=True, errors="surrogateescape", timeout=_TIMEOUT_S
        )
    except FileNotFoundError:
        raise SetupError(
            f"--executor slurm needs {command[0]}: run this where jobs can be submitted, such as a login node"
        ) from None
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, 1, "", f"{command[0]} took more than {_TIMEOUT_S} s")


def _array_size() -> int:
    done = _run(["scontrol", "show", "config"])
    match = re.search(r"^MaxArraySize\s*=\s*(\d{1,9})", done.stdout, re.MULTILINE)
    return min(_ARRAY_SIZE, max(1, int(match[1]) - 1)) if match else _ARRAY_SIZE


def _first_of(name: str) -> int:
    """The shard of the first task of an array, from the name of its job."""
    number = name.split("-")[-2:][0]
    return int(number) if number.isdecimal() else -1


def _count_of(name: str) -> int:
    number = name.rpartition("-")[2]
    return int(number) if number.isdecimal() else -1


def _code(task: _Task | None) -> int:
    """The exit code of the command; RETRY where Slurm ended the task, or has forgotten it."""
    if task is None or task.state not in ("COMPLETED", "FAILED", "OUT_OF_MEMORY"):
        return int(ExitCode.RETRY)
    if task.state == "OUT_OF_MEMORY":
        return int(ExitCode.OUT_OF_MEMORY)
    code, colon, signum = task.code.partition(":")
    if not code.isdecimal() or (colon and not signum.isdecimal()):
        return int(ExitCode.RETRY)
    if colon:  # as scontrol and sacct have it
        return -int(signum) if int(signum) else int(code)
    return os.waitstatus_to_exitcode(int(code))


def _last_words(log: Path) -> str:
    try:
        with log.open("rb") as file:
            return last_words(end_of_log(file))
    except OSError:
        return ""


def _pattern(path: Path) -> str:
    """A path as sbatch reads it: its own % doubled, but not those of the name, which sbatch replaces."""
    return f"{str(path.parent).replace('%', '%%')}/{path.name}"


def _ranges(numbers: Iterable[int]) -> str:
    """Ascending numbers in the notation of --array."""
    ranges: list[list[int]] = []
    for number in numbers:
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    return ",".join(str(low) if low == high else f"{low}-{high}" for low, high in ranges)
