"""Failure: what CI shows of a smoke run that an error or a signal ended before there was a report.

In: the exception, and the spec. Out: its problems, each with a line of the spec.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from blendgen.errors import BlendgenError, Problem, SpecError


@dataclass(frozen=True)
class Failure:
    """spec: its file; problems: at least one, those of the spec with their lines"""

    spec: str
    problems: Sequence[Problem]

    @property
    def name(self) -> str:
        return Path(self.spec).stem

    @property
    def message(self) -> str:
        """All problems, a line each."""
        return "\n".join(f"{one.field}: {one.message}" if one.field else one.message for one in self.problems)


def failure_of(error: BaseException, spec: str) -> Failure:
    if isinstance(error, SpecError):
        return Failure(spec, error.problems)
    return Failure(spec, [Problem(spec, 1, 1, "", _text(error))])


def _text(error: BaseException) -> str:
    if isinstance(error, BlendgenError):
        return str(error)
    if isinstance(error, KeyboardInterrupt):
        return str(error) or "stopped"
    return f"{type(error).__name__}: {error}"
