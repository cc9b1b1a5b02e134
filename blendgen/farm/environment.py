"""Environment: which shard a scheduler wants of this process, from the variables that it sets.

In: environment variables. Out: a Shard, or None if no scheduler says so. Variables that come without a count
of their own count only together with BLENDGEN_SHARD_COUNT=N, and then N shards are made with indices as
described in SCHEDULERS. Two schedulers at once are refused, because only a person can know which is meant.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from blendgen.errors import UsageError
from blendgen.farm.shards import MAX_SHARDS, Shard, parse_shard

SHARD_COUNT = "BLENDGEN_SHARD_COUNT"
AUTO = "auto"
_CHOOSE = "name the shard with --shard I/N, or make all images with --shard none"
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Scheduler:
    """Variables of one scheduler.

    index: the number of the task; base: the first one
    count: the number of tasks; "" where no variable has it
    first, last, step: variables with the first and the last number and the distance between two
    """

    name: str
    index: str
    count: str = ""
    base: int = 0
    first: str = ""
    last: str = ""
    step: str = ""


SCHEDULERS = (
    # https://slurm.schedmd.com/job_array.html, "Job ID and Environment Variables"
    Scheduler(
        "Slurm",
        "SLURM_ARRAY_TASK_ID",
        "SLURM_ARRAY_TASK_COUNT",
        first="SLURM_ARRAY_TASK_MIN",
        last="SLURM_ARRAY_TASK_MAX",
        step="SLURM_ARRAY_TASK_STEP",
    ),
    # https://docs.aws.amazon.com/batch/latest/userguide/job_env_vars.html
    Scheduler("AWS Batch", "AWS_BATCH_JOB_ARRAY_INDEX", "AWS_BATCH_JOB_ARRAY_SIZE"),
    # https://docs.skypilot.co/en/stable/running-jobs/environment-variables.html
    Scheduler("SkyPilot", "SKYPILOT_NODE_RANK", "SKYPILOT_NUM_NODES"),
    # https://kubernetes.io/docs/tasks/job/indexed-parallel-processing-static
    Scheduler("Kubernetes", "JOB_COMPLETION_INDEX"),
    # OpenCue: cuebot/.../dispatcher/DispatchSupportService.java; CUE_FRAME is a name such as 0001-render
    Scheduler("OpenCue", "CUE_IFRAME"),
    # https://www.gnu.org/software/parallel/man.html, "ENVIRONMENT VARIABLES"; counts from 1
    Scheduler("GNU parallel", "PARALLEL_SEQ", base=1),
    # https://it4innovations.github.io/hyperqueue/stable/jobs/arrays
    Scheduler("HyperQueue", "HQ_TASK_ID"),
)


def chosen_shard(text: str | None, variables: Mapping[str, str]) -> Shard | None:
    """The shard of "I/N"; of the environment for "auto"; None for all images. Raises UsageError."""
    if text is None:
        return None
    return shard_from_environment(variables) if text == AUTO else parse_shard(text)


def shard_from_environment(variables: Mapping[str, str]) -> Shard | None:
    """The shard that a scheduler wants; None for all images. Either is said, unless no scheduler is there.

    raises: UsageError for values that cannot be right, and for two schedulers at once
    """
    present = [one for one in SCHEDULERS if variables.get(one.index) and not _is_single(one, variables)]
    if len(present) > 1:
        raise UsageError(f"{' and '.join(one.index for one in present)} are both set; {_CHOOSE}")
    if not present:
        if variables.get(SHARD_COUNT):
            raise UsageError(f"{SHARD_COUNT} is set, but no scheduler says which shard to make; {_CHOOSE}")
        return None
    scheduler = present[0]
    if not variables.get(SHARD_COUNT) and not scheduler.count:
        _log.warning(
            "note: all images are made; to make one of N shards as %s (%s) says, set %s=N",
            scheduler.index, scheduler.name, SHARD_COUNT,
        )  # fmt: skip
        return None
    shard = _shard(scheduler, variables)
    _log.warning("note: making shard %s, as %s says (--shard none: all images)", shard, scheduler.index)
    return shard


def _is_single(scheduler: Scheduler, variables: Mapping[str, str]) -> bool:
    """Whether there is only one task, as in all jobs of SkyPilot on one node: it makes all images."""
    if variables.get(SHARD_COUNT) or variables.get(scheduler.count) != "1":
        return False
    if scheduler.first and _number(variables, scheduler.index) > 0:  # one task of an array, started again
        raise UsageError(
            f"{scheduler.index}: {variables[scheduler.index]} is the only task; set {SHARD_COUNT} to the "
            f"number of shards, or {_CHOOSE}"
        )
    return True


def _shard(scheduler: Scheduler, variables: Mapping[str, str]) -> Shard:
    number = _number(variables, scheduler.index)
    if variables.get(SHARD_COUNT):
        count, counted_by = _number(variables, SHARD_COUNT), SHARD_COUNT
        first, step = scheduler.base, 1
    else:
        count, counted_by = _number(variables, scheduler.count), scheduler.count
        first, step = _first_and_step(scheduler, variables, count)
    index, rest = divmod(number - first, step) if step else (-1, 0)
    if not 1 <= count <= MAX_SHARDS:
        raise UsageError(f"{counted_by}: expected 1 to {MAX_SHARDS} shards, got {count}; {_CHOOSE}")
    if rest or not 0 <= index < count:
        last = first + step * (count - 1)
        raise UsageError(
            f"{scheduler.index}: expected {first} to {last} for {count} shards ({counted_by}), got {number}; "
            f"{_CHOOSE}"
        )
    return Shard(index, count)


def _first_and_step(scheduler: Scheduler, variables: Mapping[str, str], count: int) -> tuple[int, int]:
    """raises UsageError for tasks without a constant step, such as an array of the failed ones."""
    if not scheduler.first:
        return scheduler.base, 1
    first = _number(variables, scheduler.first, "0")
    step = _number(variables, scheduler.step, "1")
    last = _number(variables, scheduler.last, str(first + step * (count - 1)))
    if last != first + step * (count - 1):
        raise UsageError(
            f"{scheduler.index}: the {count} tasks from {first} to {last} have no constant step; set "
            f"{SHARD_COUNT} to the number of shards, numbered from 0, or {_CHOOSE}"
        )
    return first, step


def _number(variables: Mapping[str, str], name: str, default: str = "") -> int:
    text = variables.get(name) or default
    if not (text.isascii() and text.isdecimal() and len(text) <= 9):
        raise UsageError(f"{name}: expected a whole number, got {text[:40]!r}; {_CHOOSE}")
    return int(text)
