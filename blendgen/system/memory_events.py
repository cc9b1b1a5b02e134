"""Memory events: whether the system has killed processes because memory ran out, and how much there was.

In: the control group of this process, version 2 or 1, else the whole machine. Out: evidence. A process that
ends by SIGKILL may have been killed by anybody; only the counter of the system says that memory was the
reason.
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from blendgen.errors import OutOfMemory
from blendgen.system.allocation import Bound, allotted_bytes
from blendgen.system.machine import fields, groups, memory_of_group

GIB = 2**30
_ROOT = Path("/")
_COUNTERS = ("memory.events", "memory.oom_control")
_PEAKS = ("memory.peak", "memory.max_usage_in_bytes")
_ASK_FOR = 1.5  # times what was not enough


def processes_killed(root: Path = _ROOT) -> int:
    """How many processes of this control group, else of the machine, the system has killed for memory."""
    for folder in groups(root, "memory"):
        for name in _COUNTERS:
            if (count := fields(folder / name).get("oom_kill")) is not None:
                return count
    return fields(root / "proc/vmstat").get("oom_kill", 0)


@dataclass
class MemoryEvents:
    """Says of each process that was killed, once, whether memory was the reason."""

    root: Path = _ROOT
    _counted: int = field(init=False)

    def __post_init__(self) -> None:
        self._counted = processes_killed(self.root)

    def killed_another(self) -> bool:
        """Whether the system has killed one more process for memory than those that were asked for."""
        if processes_killed(self.root) <= self._counted:
            return False
        self._counted += 1
        return True


def memory_bound(root: Path = _ROOT, environment: Mapping[str, str] = os.environ) -> Bound | None:
    """The memory that this process and its children may use; None if unknown."""
    bounds = [bound for bound, _ in _limited_groups(root)] + allotted_bytes(environment)
    if (total := fields(root / "proc/meminfo").get("MemTotal:")) is not None:
        bounds.append(Bound(total * 1024, "of this machine"))
    return min(bounds, default=None)


def peak_bytes(root: Path = _ROOT) -> int | None:
    """The most that the tightest control group has held; else the largest process; None if unknown."""
    tightest = min(_limited_groups(root), default=None)
    texts = [_text(tightest[1] / name) for name in _PEAKS] if tightest else []
    for text in filter(str.isdecimal, texts):
        return int(text)
    return _largest_process()


def out_of_memory(what: str, way_out: str, root: Path = _ROOT) -> OutOfMemory:
    """The error of a run that needs more memory than there is.

    what: needed it, such as "a single worker"; way_out: besides more memory, "" for none
    """
    bound, peak = memory_bound(root), peak_bytes(root)
    needed = "needed more memory than there is" if peak is None else f"needed more than {in_gib(peak)}"
    limit = "" if bound is None else f"; the limit is {in_gib(bound.value)} ({bound.origin})"
    least = max(bound.value if bound else 0, peak or 0)
    ask = f"Ask for {math.ceil(2 * _ASK_FOR * least / GIB) / 2:g} GiB or more" if least else "Ask for more"
    return OutOfMemory(
        f"out of memory: {what} {needed}{limit}. Finished images are kept. {ask}{way_out}, and run the same "
        "command to continue"
    )


def in_gib(count: int) -> str:
    return f"{count / GIB:.1f} GiB"


def _limited_groups(root: Path) -> list[tuple[Bound, Path]]:
    groups_of = ((folder, memory_of_group(folder)) for folder in groups(root, "memory"))
    return [(Bound(memory[0], "control group"), folder) for folder, memory in groups_of if memory]


def _largest_process() -> int | None:
    """Of this one and its children that have ended."""
    try:
        import resource
    except ImportError:
        return None
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return (peak if sys.platform == "darwin" else peak * 1024) or None


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
