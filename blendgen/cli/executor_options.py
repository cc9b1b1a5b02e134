"""Options of `generate` for runs on many machines, and which other options go with them."""

from __future__ import annotations

import functools
from typing import Any

import click

from blendgen.cli.choice import Choice
from blendgen.errors import UsageError
from blendgen.farm.executors import EXECUTORS

# option of the command line by parameter of the command
_ALONE = {
    "index_range": "--index", "shard": "--shard", "force": "--force", "events": "--events",
    "time_limit": "--time-limit", "staging": "--staging",
}  # fmt: skip
_OF_TASKS = {
    "shards": "--shards", "cpus_per_task": "--cpus-per-task", "gpus_per_task": "--gpus-per-task",
    "memory_per_task": "--memory-per-task", "allow_mixed_devices": "--allow-mixed-devices",
}  # fmt: skip


def executor_options(command):
    """The options of a run on many machines, which the command gets as one dictionary `tasks`."""
    options = [
        click.option("--executor", type=Choice(EXECUTORS),
                     help="Make the images by tasks on many machines, which all see OUT and the models: on a "
                     "Ray cluster (RAY_ADDRESS, else one of this machine), or by jobs of Slurm."),
        click.option("--shards", type=click.IntRange(min=1), metavar="N",
                     help="With --executor: number of tasks; default: tasks of about a minute."),
        click.option("--cpus-per-task", type=click.IntRange(min=1), metavar="N",
                     help="With --executor: cores of each task; default: 1."),
        click.option("--gpus-per-task", type=click.FloatRange(min=0), metavar="N",
                     help="With --executor: GPUs of each task; default: 1 if --device names some, else 0."),
        click.option("--memory-per-task", metavar="SIZE",
                     help="With --executor: memory of each task, such as 4G; default: that of Ray or Slurm."),
        click.option("--allow-mixed-devices", is_flag=True,
                     help="With --executor: accept images of different kinds of processors or cards."),
    ]  # fmt: skip

    @functools.wraps(command)
    def wrapped(**values: Any):
        tasks = {name: values.pop(name) for name in _OF_TASKS}
        executor = values.pop("executor")
        return command(**values, tasks=_checked(executor, tasks, values))

    return functools.reduce(lambda inner, option: option(inner), reversed(options), wrapped)


def _checked(executor: str | None, tasks: dict[str, Any], others: dict[str, Any]) -> dict[str, Any] | None:
    """Options of api.generate_on; None without an executor; raises UsageError if options exclude others."""
    given = [_OF_TASKS[name] for name, value in tasks.items() if value is not None and value is not False]
    if executor is None:
        if given:
            raise UsageError(f"{given[0]}: is for runs on many machines; add --executor")
        return None
    for name, option in _ALONE.items():
        if others[name] not in (None, False, "none"):
            raise UsageError(f"{option}: does not go with --executor; leave out one of them")
    if tasks["gpus_per_task"] is None and others["device"] != "cpu":
        tasks["gpus_per_task"] = 1
    return {"executor": executor, **{name: value for name, value in tasks.items() if value is not None}}
