"""Machine: the cores and the memory that this process may use, limits of a container and a job included.

Out: numbers; None if the system does not report them. Linux reports limits through control groups,
version 2 or 1: the tightest limit from the process's own group up to the root counts. Schedulers state
theirs in variables of the environment, see allocation.py.
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from blendgen.system.allocation import allotted_bytes, allotted_cores

_ROOT = Path("/")
_UNLIMITED = 1 << 60


def own_cores() -> tuple[int, ...]:
    """Numbers of the cores that this process may run on; empty if the system does not report them."""
    return tuple(sorted(os.sched_getaffinity(0))) if hasattr(os, "sched_getaffinity") else ()


def cores(root: Path = _ROOT, environment: Mapping[str, str] = os.environ) -> int:
    """How many cores this process may use, with a container's quota (rounded up) and the job's allocation."""
    count = len(own_cores()) or os.cpu_count() or 1
    quotas = [quota for folder in groups(root, "cpu") if (quota := _cpu_quota(folder)) is not None]
    allotted = [bound.value for bound in allotted_cores(environment)]
    return max(1, min([count, *map(math.ceil, quotas), *allotted]))


def free_memory_bytes(root: Path = _ROOT, environment: Mapping[str, str] = os.environ) -> int | None:
    """Memory available without swapping, limits of a container and a job included; None if unknown."""
    limits = [free for folder in groups(root, "memory") if (free := _free_in_group(folder)) is not None]
    available = fields(root / "proc/meminfo").get("MemAvailable:")
    if available is not None:
        limits.append(available * 1024)
    limits += [bound.value - resident_bytes() for bound in allotted_bytes(environment)]
    return max(0, min(limits)) if limits else None


def resident_bytes() -> int:
    """Resident memory of this process; its peak if the system reports only that; 0 if unknown."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError, AttributeError):
        pass
    try:
        import resource
    except ImportError:
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def groups(root: Path, controller: str) -> Iterator[Path]:
    """Folders of this process's control groups, from its own up to the root."""
    for line in _lines(root / "proc/self/cgroup"):
        _, _, rest = line.partition(":")
        names, _, path = rest.partition(":")
        if names and controller not in names.split(","):
            continue
        top = root / "sys/fs/cgroup" / (controller if names else "")
        own = top / path.lstrip("/")
        # inside a container the path may be that of the host: then only the top exists
        yield from (folder for folder in (own, *own.parents) if folder == top or top in folder.parents)


def _cpu_quota(folder: Path) -> float | None:
    limits = " ".join(_lines(folder / "cpu.max")).split() or [
        *_lines(folder / "cpu.cfs_quota_us"),
        *_lines(folder / "cpu.cfs_period_us"),
    ]
    quota, period = [int(n) if n.lstrip("-").isdecimal() else -1 for n in (*limits, "", "")[:2]]
    return quota / period if quota > 0 and period > 0 else None


def _free_in_group(folder: Path) -> int | None:
    memory = memory_of_group(folder)
    return None if memory is None else memory[0] - memory[1]


def memory_of_group(folder: Path) -> tuple[int, int] | None:
    """The limit of a group, and the bytes in use without cached files, which the system drops; None if it has
    no limit."""
    for limit_name, used_name, cache_name in (
        ("memory.max", "memory.current", "inactive_file"),
        ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    ):
        limit, used = (" ".join(_lines(folder / name)) for name in (limit_name, used_name))
        if limit.isdecimal() and used.isdecimal() and int(limit) < _UNLIMITED:
            return int(limit), int(used) - fields(folder / "memory.stat").get(cache_name, 0)
    return None


def fields(path: Path) -> dict[str, int]:
    """The numbers of a file whose lines are a name, a number and optionally a unit."""
    pairs = (line.split()[:2] for line in _lines(path))
    return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2 and pair[1].isdecimal()}


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except OSError:
        return []
