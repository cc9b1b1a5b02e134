"""Reported: a measurer that reports its progress, as measuring a large folder takes minutes."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from blendgen.models.product import Refusal
from blendgen.models.source import Measurer, Source
from blendgen.system.progress import Progress


@dataclass(frozen=True)
class ReportedMeasurer:
    """Measures with another measurer; what is in the cache already is not counted."""

    measurer: Measurer
    progress: Progress

    @property
    def digest(self) -> str:
        return self.measurer.digest

    def measure(self, jobs: list[tuple[Source, Path]]) -> Generator[Refusal | None]:
        """As Measurer.measure."""
        self.progress.begin(len(jobs), "model")
        with closing(self.measurer.measure(jobs)) as outcomes:
            for outcome in outcomes:
                self.progress.advance(1)
                yield outcome
