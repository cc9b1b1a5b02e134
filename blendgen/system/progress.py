"""Progress: reports how far a long job is to whoever started it.

In: what a caller passes as `progress`. Out: a Progress, which the job calls.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol, TypeAlias, runtime_checkable

_log = logging.getLogger("blendgen")


@runtime_checkable
class Progress(Protocol):
    """Called by a job in the process and the thread that started it."""

    def begin(self, total: int, unit: str = "image") -> None:
        """A job of `total` units begins; one call may do several jobs one after the other."""

    def advance(self, count: int) -> None:
        """`count` more units are finished."""

    def note(self, text: str) -> None:
        """A remark for people."""


# True: a bar; a function: called with (finished, total) when a job begins and at each step of it
ProgressLike: TypeAlias = bool | Callable[[int, int], None] | Progress


@contextmanager
def reported_to(progress: ProgressLike) -> Iterator[Progress]:
    """The Progress that a caller wants; closes the bar at the end."""
    if isinstance(progress, Progress):
        yield progress
        return
    counter = Bar() if progress is True else Counter(progress or _ignore)
    try:
        yield counter
    finally:
        counter.close()


class Counter:
    """Calls a function with (finished, total)."""

    def __init__(self, report: Callable[[int, int], None]):
        self._report, self._finished, self._total = report, 0, 0

    def begin(self, total: int, unit: str = "image") -> None:
        self._finished, self._total = 0, total
        self._report(0, total)

    def advance(self, count: int) -> None:
        self._finished += count
        self._report(self._finished, self._total)

    def note(self, text: str) -> None:
        _log.info("%s", text)

    def close(self) -> None:
        pass


class Bar:
    """A bar of tqdm: a widget in a notebook, text on stderr elsewhere."""

    def __init__(self) -> None:
        self._bar: Any = None

    def begin(self, total: int, unit: str = "image") -> None:
        self.close()
        self._bar = _tqdm()(total=total, unit=f" {unit}", dynamic_ncols=True)

    def advance(self, count: int) -> None:
        self._bar.update(count)

    def note(self, text: str) -> None:
        _log.info("%s", text)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()


def _tqdm() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about ipywidgets, without which the bar is text
        from tqdm.auto import tqdm
    return tqdm


def _ignore(finished: int, total: int) -> None:
    pass
