"""Findings: what a person should know about a model in addition to its values. Does not load bpy."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Findings:
    """Collected while one model is imported.

    lost: what the file declares about its look and a render lacks, naming the material
    notes: what was left out or assumed on purpose, such as levels of detail
    """

    lost: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
