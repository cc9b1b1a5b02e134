"""End with parent: let a child process end when its parent does, for whatever reason."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1  # source: linux/prctl.h


def end_with_parent(parent: int) -> None:
    """Let the system kill this process once its parent has ended; exit now if it has ended already.

    parent: process id of the parent. Linux watches the thread that started this process, so start
    children in the main thread. On other systems this does nothing.
    """
    if not sys.platform.startswith("linux"):
        return
    try:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    except (OSError, AttributeError):  # a C library without prctl
        return
    if os.getppid() != parent:  # the parent ended before the call
        os._exit(1)
