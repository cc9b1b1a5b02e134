"""Findings: what a person should know about a model in addition to its values. Does not load bpy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from blendgen.files.names import some_of

ALL_HIDDEN = "the file hides all of its objects; all are shown"
_MOST_NAMES = 5


@dataclass
class Findings:
    """Collected while one model is imported.

    lost: what the file declares about its look and a render lacks, naming the material
    notes: what was left out or assumed on purpose, such as levels of detail
    """

    lost: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def left_out_note(names: Iterable[str], reason: str) -> str:
    """The line for objects that were left out; only the first of many are named."""
    return f"left out: {some_of(sorted(set(names)), _MOST_NAMES)} ({reason})"
