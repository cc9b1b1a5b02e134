"""Lifeline: a child process that ends with its parent, however that ends."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1  # source: linux/prctl.h


def end_with_parent(parent: int) -> None:
    """Have the system kill this process once its parent is gone; at once where it is gone already.

    parent: the number of the process that started this one. What counts is the thread that did, so
    children are started in the main thread. Elsewhere than on Linux nothing is done.
    """
    if not sys.platform.startswith("linux"):
        return
    try:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    except (OSError, AttributeError):  # a C library that has none
        return
    if os.getppid() != parent:  # gone before that
        os._exit(1)
