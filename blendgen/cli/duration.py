"""Durations on the command line: 90, 90s, 1.5h, 1h30m, or as Slurm writes them: 1:30:00, 1-12:00:00."""

from __future__ import annotations

import re

import click

_UNITS_S = {"h": 3600, "m": 60, "s": 1}
_NUMBER = r"([0-9]{1,9}(?:\.[0-9]{1,9})?)"
_SECONDS = re.compile(_NUMBER)
_WITH_UNITS = re.compile("".join(rf"(?:{_NUMBER} ?{unit} ?)?" for unit in _UNITS_S))
_WITH_COLONS = re.compile(r"(?:([0-9]{1,5})-)?([0-9]{1,5})(?::([0-5]?[0-9]))?(?::([0-5]?[0-9]))?")


class Duration(click.ParamType):
    """A duration of at least a second; as seconds."""

    name = "duration"

    def convert(self, value, param, ctx):
        if isinstance(value, (int, float)):
            return float(value)
        seconds = _seconds(value.strip().lower())
        if seconds < 1:
            self.fail(
                "expected a duration of at least 1s, such as 30s, 5m, 3h, 1:30:00 or 2-12:00:00 (2 days and "
                f"12 hours), got {value!r}",
                param,
                ctx,
            )
        return seconds


def _seconds(text: str) -> float:
    """0 for a text that is not a duration."""
    if _SECONDS.fullmatch(text):
        return float(text)
    if match := _WITH_UNITS.fullmatch(text):
        return sum(
            float(number) * unit for number, unit in zip(match.groups("0"), _UNITS_S.values(), strict=True)
        )
    match = _WITH_COLONS.fullmatch(text)
    return _of_slurm(match[1], [number for number in match.groups()[1:] if number]) if match else 0.0


def _of_slurm(days: str | None, numbers: list[str]) -> float:
    """Numbers between colons: after days the first one is hours, else the last one is seconds."""
    missing = [0] * (3 - len(numbers))
    hours, minutes, seconds = [*map(int, numbers), *missing] if days else [*missing, *map(int, numbers)]
    return float(((int(days or 0) * 24 + hours) * 60 + minutes) * 60 + seconds)
