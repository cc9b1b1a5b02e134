"""Measurers for tests: none of them opens a model, all have the same digest."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from blendgen.models.measuring.entry import write_measured, write_refusal
from blendgen.models.product import Colorway, Measured, Refusal, StablePose
from blendgen.models.source import Source

UPRIGHT = StablePose(((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)), 1.0)
Jobs = list[tuple[Source, Path]]


@dataclass(frozen=True)
class FunctionMeasurer:
    """Measures by a function."""

    measure: Callable[[Jobs], Generator[Refusal | None]]
    digest: str = "fake"


def _raise_for(jobs: Jobs) -> Generator[Refusal | None]:
    raise AssertionError(f"measured again: {[source.name for source, _ in jobs]}")
    yield


NEVER = FunctionMeasurer(_raise_for)


class FakeMeasurer:
    """Writes an entry for each source; those whose name says so are refused, crash or lose a texture.

    looks_for: names of other files that it looks for, relative to the model
    """

    digest = "fake"

    def __init__(self, looks_for: Iterable[str] = ()):
        self.calls: list[list[str]] = []
        self._looks_for = tuple(looks_for)

    def measure(self, jobs: Jobs) -> Generator[Refusal | None]:
        self.calls.append([source.name for source, _ in jobs])
        for source, folder in jobs:
            yield self._measure(source, folder)

    def _measure(self, source: Source, folder: Path) -> Refusal | None:
        if "bad" in source.name:
            write_refusal(folder, "a point cloud", self._looks_for)
            return Refusal(source.display, "a point cloud")
        if "crash" in source.name:
            (folder / "asset.blend").write_bytes(b"half")
            killed = "killed" in source.name  # from outside
            reason = "the importer crashed (SIGABRT)"
            return Refusal(source.display, f"{reason}; more is in a log", "" if killed else reason)
        (folder / "asset.blend").write_bytes(b"BLENDER")
        missing = ("wood.png",) if "plain" in source.name else ()
        lost, notes = (("grey",), ("left out: LOD1",)) if "half" in source.name else ((), ())
        size = (0.1, 0.2, 0.3)
        hull = np.zeros((4, 3))
        write_measured(
            folder,
            Measured(
                "mesh",
                size,
                hull,
                (UPRIGHT,),
                (Colorway("default", {}),),
                ("body",),
                12,
                missing,
                lost,
                notes,
            ),
            self._looks_for,
        )
        return None
