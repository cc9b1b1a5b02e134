"""Platforms: what this operating system lacks, in words for users.

Blendgen is made and tested on Linux. On Windows no image can be made, because models are measured in forks of
one process with Blender loaded. docs/platforms.md has the whole list.
"""

from __future__ import annotations

import os
import platform
import sys

from blendgen.errors import SetupError

_WAY_OUT = "use WSL2 (a Linux in Windows) or the Docker image"
_NO_FORKS = "blendgen cannot make images on this system, which has no fork()"
_WINDOWS = (
    f"images cannot be made here, as the system has no fork(); {_WAY_OUT}",
    "commands that only read finished data sets, such as verify, export and report, are not tested here",
    "files are not protected from links that are exchanged while a command runs",
)
_MACOS = (
    "not tested; macOS has what blendgen needs",
    "models are opened without a sandbox: use models of people you trust",
    "where a command is killed, its workers go on until they notice it",
    "names that differ only in case are one file on most disks",
)


def system_name() -> str:
    """Such as "Linux 6.1.0 x86_64"."""
    return f"{platform.system()} {platform.release()} {platform.machine()}".strip()


def platform_notes() -> tuple[str, ...]:
    """What users of this system have to know; nothing on Linux."""
    if sys.platform.startswith("linux"):
        return ()
    notes = {"win32": _WINDOWS, "cygwin": _WINDOWS, "darwin": _MACOS}
    return notes.get(sys.platform, ("not tested on this system",))


def require_forks() -> None:
    """Raise SetupError with the way out where processes cannot fork."""
    if not hasattr(os, "fork"):
        raise SetupError(f"{_NO_FORKS}; {_WAY_OUT}, see docs/platforms.md")
