"""Tuning: how threads and memory of this process behave, which changes how fast it is, never its results."""

from __future__ import annotations

import ctypes
import os
import sys

# of mallopt(3)
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3


def let_threads_sleep() -> None:
    """Call before torch is imported: threads of OpenMP sleep while they wait for each other.

    By default they wait in a loop, which makes a training many times slower where other programs use the
    cores, or where a machine has fewer than it seems to have.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def keep_freed_memory() -> None:
    """Let this process keep up to 256 MB that it has freed for what it allocates next, where it uses glibc.

    By default glibc returns large blocks at once, and the system maps and clears their pages again for each
    image. A worker has a third of the page faults with this. Blocks above 32 MB are still returned.
    source: mallopt(3)
    """
    if sys.platform != "linux":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, 32 * 2**20)
        mallopt(_M_TRIM_THRESHOLD, 256 * 2**20)
