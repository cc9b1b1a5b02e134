"""Executor: makes shards on the machines of an engine such as Ray or Slurm.

In: the work and what each task gets of a machine. Out: how the task of each shard ended. Each task runs our
own command, `blendgen generate --shard`, so a shard does not depend on the engine, and a task that is started
again continues its shard.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from blendgen.errors import signal_code
from blendgen.farm.shards import Shard
from blendgen.system.stop_signals import STOP_SIGNALS


@dataclass(frozen=True)
class Work:
    """What is made.

    spec, folder: absolute paths, which all machines see; options: further words of the command
    """

    spec: Path
    folder: Path
    options: tuple[str, ...] = ()

    @property
    def words(self) -> list[str]:
        """The arguments of blendgen but the last two, --shard and I/N."""
        return ["generate", str(self.spec), "-o", str(self.folder), *self.options]


@dataclass(frozen=True)
class Resources:
    """What each task gets; memory_mib: None for no limit."""

    cpus: int = 1
    gpus: float = 0
    memory_mib: int | None = None


@dataclass(frozen=True)
class Ended:
    """The task of a shard has ended.

    code: exit code of the command, -N if signal N killed it; message: what it said last
    """

    shard: Shard
    code: int
    message: str = ""


def code_of_stop(code: int) -> int:
    """The exit code; that of blendgen also where a stop signal came before blendgen was ready for it.

    code: -N, or 128 + N from a shell, if signal N ended the process
    """
    signum = -code if code < 0 else code - 128
    return int(signal_code(signum)) if signum in STOP_SIGNALS else code


class Executor(Protocol):
    """Runs tasks; its methods are called by one thread, between the begin and the end of a context."""

    def submit(self, shards: Sequence[Shard]) -> None:
        """Start a task for each shard, at the latest when there is room for it; raises BlendgenError."""

    def ended(self, timeout_s: float) -> list[Ended]:
        """The tasks that have ended since the last call; waits for one, at most so long."""

    def cancel(self, at_once: bool) -> None:
        """End all tasks, also those that wait; unless at_once, they finish the shots that they have begun.

        `ended` still reports each of them.
        """
