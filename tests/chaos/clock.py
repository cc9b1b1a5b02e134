"""Clock: the wall clock of a process and its children, which can jump while they run.

Only Python's time.time() jumps, in every process of a run. The monotonic clock goes on, and the times of
files are those of the system, as on a disk whose server has another clock. (libfaketime would shift C code
too, but breaks the timed waits for the interpreter lock: two threads then take a hundred times as long.)
"""

from __future__ import annotations

import os
from pathlib import Path

_PATCH = Path(__file__).parent / "wall_clock"


class Clock:
    """file: holds how many seconds the clock is ahead"""

    def __init__(self, file: Path):
        self._file = file
        self.set(0)

    def set(self, offset_s: int) -> None:
        written = self._file.with_suffix(".new")
        written.write_text(str(offset_s))
        written.replace(self._file)

    def environment(self, usual: dict[str, str]) -> dict[str, str]:
        """The variables of a process whose clock this is."""
        paths = os.pathsep.join(filter(None, (str(_PATCH), usual.get("PYTHONPATH"))))
        return usual | {"PYTHONPATH": paths, "CHAOS_CLOCK": str(self._file)}
