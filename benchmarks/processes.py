"""Processes: computing time and memory of a process and its workers, as Linux reports them.

Other systems report neither: both are 0 there.
"""

from __future__ import annotations

import multiprocessing
import os
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
# fields of /proc/PID/stat after the name: utime and stime, in clock ticks
_FIRST_TIME, _LAST_TIME = 11, 13


@dataclass(frozen=True)
class Usage:
    """computing_s: summed over the cores; peak_bytes: largest memory so far"""

    computing_s: float = 0.0
    peak_bytes: int = 0


def usage(pid: int, proc: Path = _PROC) -> Usage:
    """The usage of a process; zeros if it has ended."""
    try:
        fields = (proc / str(pid) / "stat").read_text().rpartition(")")[2].split()
        status = (proc / str(pid) / "status").read_text()
        ticks = sum(map(int, fields[_FIRST_TIME:_LAST_TIME]))
        (peak,) = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")]
        return Usage(ticks / os.sysconf("SC_CLK_TCK"), int(peak) * 1024)
    except (OSError, ValueError, IndexError):
        return Usage()


def workers() -> dict[int, Usage]:
    """The usage of each worker of this process, by process id."""
    return {child.pid: usage(child.pid) for child in multiprocessing.active_children()}
