"""Findings: what a smoke run says, check by check.

In: texts, and the keys of the spec that they are about. Out: a SmokeReport, which commands print and write.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from blendgen.golden.machine import MEANING, Tier
from blendgen.spec.yaml_source import Path as FieldPath

NO_GOLDEN = "golden"


class Status(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Finding:
    """text: in one line; path: the key of the spec that it is about; index: the image"""

    text: str
    path: FieldPath = ()
    index: int | None = None


@dataclass(frozen=True)
class Check:
    """name: one of "classes", "verify", "ray check", "spec", "models", "labels", "images"; NO_GOLDEN in place
        of the last four

    findings: what is wrong, or why it was skipped; note: what was compared; seconds: how long it took
    """

    name: str
    findings: tuple[Finding, ...] = ()
    note: str = ""
    skipped: bool = False
    seconds: float = 0.0

    @property
    def status(self) -> Status:
        if self.skipped:
            return Status.SKIPPED
        return Status.FAILED if self.findings else Status.PASSED


@dataclass(frozen=True)
class SmokeReport:
    """How a smoke run went.

    name, spec: of the spec, and its file; images: index -> class of those that were made
    left_out: one line for each thing that did not fit into the budget, or was not planned
    golden: the folder of the golden files; has_golden: whether there are any; updated: they were written now
    tier: in which images were compared; tier_reason: why not in a better one
    seconds: by step; output: the folder with pictures
    lines: path of a key -> (file, line) in the spec
    """

    name: str
    spec: str
    images: dict[int, str]
    checks: tuple[Check, ...]
    left_out: tuple[str, ...]
    golden: Path
    has_golden: bool
    updated: bool
    tier: Tier | None
    tier_reason: str
    seconds: dict[str, float]
    places: dict[FieldPath, tuple[str, int]] = field(default_factory=dict)
    output: Path | None = None

    @property
    def passed(self) -> bool:
        return all(check.status != Status.FAILED for check in self.checks)

    @property
    def tier_text(self) -> str:
        """The tier in words; "" without golden files."""
        if self.tier is None:
            return ""
        reason = f" ({self.tier_reason})" if self.tier_reason else ""
        return f"tier {self.tier}: {MEANING[self.tier]}{reason}"

    def failed(self) -> Iterator[tuple[Check, Finding]]:
        for check in self.checks:
            if check.status == Status.FAILED:
                yield from ((check, finding) for finding in check.findings)

    def as_dict(self) -> dict[str, Any]:
        """All of it as plain values, for JSON."""
        return {
            "name": self.name,
            "spec": self.spec,
            "passed": self.passed,
            "golden": {"folder": str(self.golden), "found": self.has_golden, "updated": self.updated},
            "tier": self.tier,
            "tier_reason": self.tier_reason,
            "images": {str(index): label for index, label in self.images.items()},
            "left_out": [*self.left_out],
            "checks": [self._check_values(check) for check in self.checks],
            "seconds": {step: round(seconds, 2) for step, seconds in self.seconds.items()},
            "output": None if self.output is None else str(self.output),
        }

    def place(self, finding: Finding) -> tuple[str, int]:
        """(file, line) that a finding is about: of its key, or of the closest one above it."""
        path = finding.path
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path, (self.spec, 1))

    def _check_values(self, check: Check) -> dict[str, Any]:
        return {
            "name": check.name,
            "status": check.status,
            "note": check.note,
            "seconds": round(check.seconds, 2),
            "findings": [self._finding_values(finding) for finding in check.findings],
        }

    def _finding_values(self, finding: Finding) -> dict[str, Any]:
        file, line = self.place(finding)
        return {"text": finding.text, "file": file, "line": line, "index": finding.index}
