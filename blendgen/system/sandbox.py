"""Sandbox: restrict this process permanently before it opens an untrusted file.

Landlock restricts reading and writing to given files and folders; Landlock and seccomp block the network;
resource limits bound memory, time and file size. What the kernel does not support is skipped, and
`confine` returns what it has set.
"""

from __future__ import annotations

import ctypes
import os
import platform
import signal
import struct
import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

GIB = 2**30
# source: linux/prctl.h, linux/landlock.h, linux/seccomp.h, linux/filter.h
_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 38, 22, 2
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF, _RULE_PATH_BENEATH = 444, 445, 446, 1
_READ_FILE, _READ_DIR, _WRITE_FILE, _TRUNCATE = 1 << 2, 1 << 3, 1 << 1, 1 << 14
# how many kinds of file access each version of Landlock handles
_ACCESS_BITS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
_ALL_NETWORK, _ALL_SCOPES = 0b11, 0b11
_EACCES = 13
# machine -> its seccomp architecture, and its call numbers of socket and io_uring_setup
_MACHINES = {"x86_64": (0xC000003E, 41, 425), "aarch64": (0xC00000B7, 198, 425)}
_X32 = 0x40000000
_GRACE_S = 5


@dataclass(frozen=True)
class Limits:
    """Limits of a confined process; None leaves a limit unchanged.

    memory_bytes: of its own data, without mapped files
    cpu_s: seconds of all its threads together; see limit_cpu
    file_bytes: of each file that it writes
    """

    memory_bytes: int | None = 8 * GIB
    cpu_s: int | None = None
    file_bytes: int | None = 4 * GIB


def confine(readable: Iterable[Path], writable: Iterable[Path], limits: Limits) -> frozenset[str]:
    """Confine the calling thread, and the threads and processes that it starts, for their lifetime.

    readable: files, and folders with everything below; paths that do not exist are skipped
    writable: folders in which files may be read, created, changed and removed
    returns: which of "limits", "landlock", "seccomp" are active now
    """
    active = {"limits"} if _limit(limits) else set()
    if not sys.platform.startswith("linux"):
        return frozenset(active)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0:
        if _landlock(libc, readable, writable):
            active.add("landlock")
        if _forbid_network(libc):
            active.add("seccomp")
    return frozenset(active)


def _limit(limits: Limits) -> bool:
    try:
        import resource
    except ImportError:
        return False
    if limits.cpu_s is not None:
        limit_cpu(limits.cpu_s)
    limits_of = {
        resource.RLIMIT_DATA: limits.memory_bytes,
        resource.RLIMIT_FSIZE: limits.file_bytes,
        resource.RLIMIT_CORE: 0,
    }
    for kind, limit in limits_of.items():
        hard = resource.getrlimit(kind)[1]
        if limit is not None and (hard == resource.RLIM_INFINITY or limit < hard):
            resource.setrlimit(kind, (limit, limit))
    return True


def limit_cpu(cpu_s: int) -> None:
    """Let SIGXCPU end this process after so many seconds of CPU time, where the system has it.

    SIGKILL, which somebody else might have sent, follows only if it still runs a few seconds later. A lower
    limit stays. Only the main thread may call it.
    """
    try:
        import resource
    except ImportError:
        return
    soft, hard = (
        _lower(limit, stated)
        for limit, stated in zip(
            (cpu_s, cpu_s + _GRACE_S), resource.getrlimit(resource.RLIMIT_CPU), strict=True
        )
    )
    signal.signal(signal.SIGXCPU, signal.SIG_DFL)  # children of a command ignore and block it
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGXCPU})
    resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))


def _lower(limit: int, stated: int) -> int:
    return limit if stated < 0 else min(limit, stated)  # RLIM_INFINITY is -1


def landlock_version() -> int:
    """The Landlock version of this kernel; 0 if it has none, or if it is disabled."""
    if not sys.platform.startswith("linux"):
        return 0
    return max(0, ctypes.CDLL(None).syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), 1))


def _landlock(libc: ctypes.CDLL, readable: Iterable[Path], writable: Iterable[Path]) -> bool:
    version = landlock_version()
    if version == 0:
        return False
    handled = (1 << _ACCESS_BITS.get(version, 16)) - 1
    network = _ALL_NETWORK if version >= 4 else 0
    scopes = _ALL_SCOPES if version >= 6 else 0
    attributes = struct.pack("=QQQ", handled, network, scopes)[: 24 if scopes else 16 if network else 8]
    ruleset = libc.syscall(_CREATE_RULESET, attributes, ctypes.c_size_t(len(attributes)), 0)
    if ruleset < 0:
        return False
    try:
        for path in readable:
            _allow(libc, ruleset, path, _READ_FILE | _READ_DIR)
        for path in writable:
            _allow(libc, ruleset, path, handled & ~1 & ~_DEVICES)
        return libc.syscall(_RESTRICT_SELF, ruleset, 0) == 0
    finally:
        os.close(ruleset)


# creating devices and pipes, and calls to devices (ioctl)
_DEVICES = (1 << 6) | (1 << 9) | (1 << 10) | (1 << 11) | (1 << 15)


def _allow(libc: ctypes.CDLL, ruleset: int, path: Path, access: int) -> None:
    with suppress(OSError):
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
        try:
            if not path.is_dir():
                access &= _READ_FILE | _WRITE_FILE | _TRUNCATE
            rule = struct.pack("=Qi", access, place)
            libc.syscall(_ADD_RULE, ruleset, _RULE_PATH_BENEATH, rule, 0)
        finally:
            os.close(place)


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def _forbid_network(libc: ctypes.CDLL) -> bool:
    """Let the system calls that create sockets and io_urings fail with EACCES; socket pairs still work."""
    machine = _MACHINES.get(platform.machine())
    if machine is None:
        return False
    code = b"".join(struct.pack("=HBBI", *step) for step in _filter(*machine))
    program = _Program(len(code) // 8, code)
    return libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0) == 0


def _filter(machine: int, socket: int, io_uring_setup: int) -> list[tuple[int, int, int, int]]:
    """BPF steps (operation, jump if true, jump if false, operand); all calls of other machines fail."""
    load, equal, at_least, answer = 0x20, 0x15, 0x35, 0x06
    allow, refuse = 0x7FFF0000, 0x00050000 | _EACCES
    return [
        (load, 0, 0, 4),
        (equal, 0, 4, machine),
        (load, 0, 0, 0),
        (at_least, 2, 0, _X32),
        (equal, 1, 0, socket),
        (equal, 0, 1, io_uring_setup),
        (answer, 0, 0, refuse),
        (answer, 0, 0, allow),
    ]
