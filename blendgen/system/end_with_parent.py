"""End with parent: let a child process end when its parent does, for whatever reason, also by SIGKILL."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
from multiprocessing import connection

# holds the process id of the parent, which may end before a child can ask the system for it
PARENT_VARIABLE = "BLENDGEN_PARENT"
_PR_SET_PDEATHSIG = 1  # source: linux/prctl.h


def end_with_parent(parent: int) -> bool:
    """Let the system kill this process once its parent has ended; exit now if it has ended already.

    parent: process id of the parent. Linux watches the thread that started this process: a parent that
        starts children in other threads than the main one needs end_with_pipe
    returns: whether the system does it; only Linux can
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    except (OSError, AttributeError):  # a C library without prctl
        return False
    if os.getppid() != parent:  # the parent ended before the call
        os._exit(1)
    return True


def end_with_pipe(pipe: int) -> None:
    """Exit once a pipe is closed whose other end the parent holds as long as it lives."""

    def wait() -> None:
        connection.wait([pipe])
        os._exit(1)

    threading.Thread(target=wait, name="end-with-pipe", daemon=True).start()
