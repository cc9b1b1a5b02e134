"""Judge: damage a finished shard, repair and merge all, and compare the result with an undisturbed run."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

from tests.attack.case import Place
from tests.attack.kills import differences, temporary_left
from tests.attack.watch import marked_processes
from tests.chaos.damage import tear_last_row, truncate_images
from tests.chaos.farm import Farm, run_command

_MARK = "chaos-end"


def faults_of_end(
    place: Place, calm: Place, farm: Farm, chance: random.Random, say: Callable[[str], None]
) -> list[str]:
    out = farm.shards[0].folder
    faults = [fault for shard in farm.shards for fault in _set_aside(shard.data)]
    damaged = farm.shards[0].data
    if not (tear_last_row(damaged, chance) and truncate_images(damaged, chance)):
        faults.append(f"{damaged} has nothing to damage")
    for command in (("verify", out, "--repair"), ("merge", "-o", out, "--check", "--remove-shards")):
        code, messages = run_command(place, *command, mark=_MARK)
        say(f"{command[0]} ends with {code}: {(messages.strip().splitlines() or [''])[-1]}")
        if code:
            faults.append(f"{command[0]} exits with {code}: {messages[-300:]}")
    marks = [mark for shard in farm.shards for mark, _ in shard.past]
    return faults + leftovers(place, calm, [*marks, _MARK]) + differences(calm.out, out)


def leftovers(place: Place, calm: Place, marks: list[str]) -> list[str]:
    """Processes with one of the marks, temporary files, and files of the cache that the calm one lacks."""
    left = [one for mark in marks for one in marked_processes(mark)]
    faults = [f"process {one.pid} is left over" for one in left]
    faults += [f"{path} is left over" for path in temporary_left(place.tmp)]
    return faults + [f"{name} is left over in the cache" for name in _names(place.cache) - _names(calm.cache)]


def _names(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def _set_aside(shard: Path) -> list[str]:
    failed = shard / "failed.jsonl"
    return [f"{failed}: {line}" for line in failed.read_text().splitlines()] if failed.exists() else []
