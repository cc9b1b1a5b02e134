"""Process: which process on which machine wrote a file, and whether it still runs.

A process id alone says little: on a network folder it is one of another machine, in a container one of
another namespace, and after its end it is given to another process. Linux tells boots, namespaces and starts
apart; on other systems these are empty, and then nothing is known of a process.
"""

from __future__ import annotations

import os
import socket
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_ENDED = ("Z", "X")
_SUSPENDED = ("T", "t")
_LONGEST_START_S = 120.0  # of Python, before this module is used


@dataclass(frozen=True)
class ProcessIdentity:
    """A process.

    host: name of its machine; pid: its id
    boot: of the machine since it was last started; namespace: in which the id counts
    began: when it started, in ticks since the boot
    """

    host: str
    pid: int
    boot: str = ""
    namespace: str = ""
    began: int = 0


def this_process() -> ProcessIdentity:
    """The identity of the calling process."""
    began = _status(os.getpid())[1]
    return ProcessIdentity(socket.gethostname(), os.getpid(), _boot(), _namespace(), began)


def process_age_s() -> float:
    """How long ago this process, in which Python has just started, began; 0 where the system does not say."""
    began = _status(os.getpid())[1]
    try:
        age_s = time.clock_gettime(time.CLOCK_BOOTTIME) - began / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, AttributeError):
        return 0.0
    return age_s if began and 0 < age_s < _LONGEST_START_S else 0.0  # sandboxes may state another clock


def process_state(process: ProcessIdentity) -> str | None:
    """ "running", "suspended" (by SIGSTOP or a scheduler) or "ended"; None for one of another machine or
    container, about which this machine knows nothing."""
    if not process.boot or (process.boot, process.namespace) != (_boot(), _namespace()):
        return None
    letter, began = _status(process.pid)
    if began != process.began or letter in _ENDED:
        return "ended"
    return "suspended" if letter in _SUSPENDED else "running"


def _status(pid: int) -> tuple[str, int]:
    """(letter of the state, start in ticks) of a process; ("", 0) if there is none.

    source: proc_pid_stat(5); the name of the program, in brackets, may contain anything
    """
    with suppress(OSError, ValueError, IndexError):
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
        return fields[0], int(fields[19])
    return "", 0


def _boot() -> str:
    with suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return ""


def _namespace() -> str:
    with suppress(OSError):
        return str(Path("/proc/self/ns/pid").readlink())
    return ""
