"""Processes: what a process and its workers have used so far, as Linux tells it.

Elsewhere nothing is told: computing time 0 and no memory.
"""

from __future__ import annotations

import multiprocessing
import os
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
# fields of /proc/PID/stat behind the name: utime and stime, in clock ticks
_FIRST_TIME, _LAST_TIME = 11, 13


@dataclass(frozen=True)
class Usage:
    """computing_s: of all cores; peak_bytes: the most memory that it ever held"""

    computing_s: float = 0.0
    peak_bytes: int = 0


def usage(pid: int, proc: Path = _PROC) -> Usage:
    """Of a process; nothing where it has ended."""
    try:
        fields = (proc / str(pid) / "stat").read_text().rpartition(")")[2].split()
        status = (proc / str(pid) / "status").read_text()
        ticks = sum(map(int, fields[_FIRST_TIME:_LAST_TIME]))
        (peak,) = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")]
        return Usage(ticks / os.sysconf("SC_CLK_TCK"), int(peak) * 1024)
    except (OSError, ValueError, IndexError):
        return Usage()


def workers() -> dict[int, Usage]:
    """Of each worker process of this one, by its id."""
    return {child.pid: usage(child.pid) for child in multiprocessing.active_children()}
