"""Caution: in which order the shots of a run are rendered, so that one that kills the run does not stop it.

In: the images that are missing, and the Suspects of earlier runs. Out: three groups of tasks. Shots that were
being rendered when one run was killed come after all others. Those of two killed runs, or that crashed a
worker, are rendered at the very end, while nothing else is: whatever kills the run then is that shot. After
MAX_KILLS killed runs a shot is not tried any more. So each run makes what it can before the danger, and a
machine that loses power now and then blames no shot: it would have to do so during the same one each time.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from blendgen.dataset.suspects import ALONE_AFTER_KILLS, MAX_KILLS, Suspects
from blendgen.pipeline import Task, tasks_for
from blendgen.spec.model import Spec


@dataclass(frozen=True)
class Order:
    """together: for all workers; alone: after these, one by one; set_aside: not tried"""

    together: Iterator[Task]
    alone: list[Task]
    set_aside: list[Task]


def careful_order(spec: Spec, indices: Sequence[int], done: Container[int], suspects: Suspects) -> Order:
    """The tasks of the wanted images that are not done; forgets suspects without such an image."""
    doubtful = _missing_of_suspects(spec, indices, done, suspects)
    usual = (index for index in indices if index not in done and index not in doubtful)
    tasks = list(tasks_for(spec, sorted(doubtful)))
    kills = {task.shot_index: suspects.kills.get(task.shot_index, 0) for task in tasks}
    set_aside = [task for task in tasks if kills[task.shot_index] >= MAX_KILLS]
    alone = [task for task in tasks if _is_alone(task, suspects) and task not in set_aside]
    last = [task for task in tasks if task not in set_aside and task not in alone]
    return Order(chain(tasks_for(spec, usual), last), alone, set_aside)


def killed_message(task: Task, suspects: Suspects) -> str:
    """Why a shot of `set_aside` is not tried."""
    kills = suspects.kills[task.shot_index]
    return (
        f"shot {task.shot_index}: {kills} runs were killed while it was rendered, the last "
        f"{kills - ALONE_AFTER_KILLS} of them while nothing else was (out of memory, or a failing machine?)"
    )


def _is_alone(task: Task, suspects: Suspects) -> bool:
    shot = task.shot_index
    return suspects.kills.get(shot, 0) >= ALONE_AFTER_KILLS or shot in suspects.crashes


def _missing_of_suspects(
    spec: Spec, indices: Sequence[int], done: Container[int], suspects: Suspects
) -> set[int]:
    if not suspects.shots:
        return set()
    per_shot = spec.exposures_per_shot
    images = {index for shot in suspects.shots for index in range(shot * per_shot, (shot + 1) * per_shot)}
    wanted = images.intersection(indices)
    missing = {index for index in wanted if index not in done}
    suspects.forget({index // per_shot for index in wanted} - {index // per_shot for index in missing})
    return missing
