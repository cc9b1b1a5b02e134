"""Attempts: a shot whose values do not go together is drawn again, up to a limit.

In: a function of the number of the attempt. Out: its result at the first attempt that is feasible. Each
attempt has random streams of its own; the shots of other indices do not change.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from blendgen.errors import (
    PASSING_REASONS,
    BlendgenError,
    GeometryError,
    InfeasibleDraw,
    InfeasibleShot,
    Reason,
)

MAX_ATTEMPTS = 16
MAX_UNSETTLED_PILES = 4  # each attempt drops the pile several times, which may take seconds
FIRST_SHOTS = 8

Result = TypeVar("Result")


def first_feasible(shot_index: int, make: Callable[[int], Result]) -> Result:
    """make(attempt) at the first attempt that does not raise a GeometryError.

    raises: InfeasibleShot after the last attempt
    """
    faults: list[GeometryError] = []
    while not _exhausted(faults):
        try:
            return make(len(faults))
        except GeometryError as fault:
            faults.append(fault)
    raise InfeasibleShot(shot_index, tuple(faults))


def refuse_systematic(failed: Sequence[tuple[str, str]]) -> None:
    """Raises what `failure_error` makes if the first FIRST_SHOTS shots all failed for the same reason: such a
    spec, or this machine, is wrong and not unlucky.

    failed: reason and message of those of the first shots that failed, in their order
    """
    if len(failed) == FIRST_SHOTS and len({reason for reason, _ in failed}) == 1:
        reason, message = failed[0]
        raise failure_error(
            reason, f"the first {FIRST_SHOTS} shots all fail for the same reason ({reason}): {message}"
        )


def failure_error(reason: str, message: str) -> BlendgenError:
    """The exception for images that all fail for one reason: GeometryError, unless Blender is the reason."""
    return (BlendgenError if reason in PASSING_REASONS else GeometryError)(message)


def _exhausted(faults: list[GeometryError]) -> bool:
    if not faults:
        return False
    if isinstance(faults[-1], InfeasibleDraw) and faults[-1].permanent:
        return True
    unsettled = sum(fault.reason == Reason.PILE_UNSETTLED for fault in faults)
    return len(faults) >= MAX_ATTEMPTS or unsettled >= MAX_UNSETTLED_PILES
