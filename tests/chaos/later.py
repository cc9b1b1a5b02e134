"""Later: what a monkey still has to do, each at its time."""

from __future__ import annotations

import time
from collections.abc import Callable

Action = Callable[[], None]


class Later:
    """True while there is something left."""

    def __init__(self) -> None:
        self._actions: list[tuple[float, Action]] = []

    def __bool__(self) -> bool:
        return bool(self._actions)

    def add(self, action: Action, after_s: float) -> None:
        self._actions.append((time.monotonic() + after_s, action))

    def drop(self, action: Action) -> None:
        self._actions = [one for one in self._actions if one[1] != action]

    def do_due(self) -> None:
        """Do what is due; it may add more."""
        now_s = time.monotonic()
        due = [action for when_s, action in self._actions if when_s <= now_s]
        self._actions = [(when_s, action) for when_s, action in self._actions if when_s > now_s]
        for action in due:
            action()
