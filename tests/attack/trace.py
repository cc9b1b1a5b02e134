"""Trace: the files that a command opened, created, renamed and removed, from the output of strace."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

READ, WRITE, CONNECT, EXECUTE = "read", "wrote", "connected to", "executed"
_OPENING = ("open", "openat", "openat2")
_CHANGING = (
    *("creat", "unlink", "unlinkat", "rename", "renameat", "renameat2", "mkdir", "mkdirat", "rmdir"),
    *("link", "linkat", "symlink", "symlinkat", "truncate", "truncate64", "mknod", "mknodat"),
)
CALLS = ",".join([*_OPENING, *_CHANGING, "connect", "execve"])
OPTIONS = ("-f", "-ff", "-y", "-q", "--seccomp-bpf", "-e", f"trace={CALLS}", "-e", "signal=none")

_LINE = re.compile(r"^(\w+)\((.*)\)\s+= (-?\d+)(?:<((?:[^>\\]|\\.)*)>)?")
_PATH = re.compile(r'(?:(?:AT_FDCWD|\d+)(?:<((?:[^>\\]|\\.)*)>)?, )?"((?:[^"\\]|\\.)*)"')
_WRITING = re.compile(r"O_WRONLY|O_RDWR|O_CREAT|O_TRUNC")
_NO_CONTENT = re.compile(r"O_DIRECTORY|O_PATH")


@dataclass(frozen=True)
class Access:
    """kind: READ, WRITE, ...; path: absolute, with links resolved as far as they still exist"""

    kind: str
    path: str


def accesses(folder: Path, cwd: Path) -> set[Access]:
    """All successful accesses of the processes and threads of a run."""
    done: set[Access] = set()
    for file in folder.iterdir():
        with file.open(encoding="latin-1") as lines:
            for line in lines:
                done.update(_of_line(line, str(cwd)))
    return done


def _of_line(line: str, cwd: str) -> Iterator[Access]:
    match = _LINE.match(line)
    if not match:
        return
    call, arguments, result, opened = match[1], match[2], int(match[3]), match[4]
    if call == "connect":
        if "AF_INET" in arguments:
            yield Access(CONNECT, arguments)
    elif result < 0:
        return
    elif call in _OPENING or call == "creat":
        yield from _opening(call, arguments, opened)
    else:
        paths = [_resolved(*pair, cwd) for pair in _PATH.findall(arguments)]
        if call == "execve":
            yield Access(EXECUTE, paths[0])
        elif call.startswith("rename"):
            yield from (Access(WRITE, path) for path in paths[:2])
        else:
            if call.startswith("link"):
                yield Access(READ, os.path.realpath(paths[0]))
            yield Access(WRITE, paths[-1])


def _opening(call: str, arguments: str, opened: str | None) -> Iterator[Access]:
    flags = arguments[arguments.rfind('"') :]
    path = _plain(opened or "")
    if call == "creat" or _WRITING.search(flags):
        yield Access(WRITE, path)
    elif not _NO_CONTENT.search(flags) and not Path(path).is_dir():
        yield Access(READ, path)


def _resolved(folder: str, path: str, cwd: str) -> str:
    """The call acts on the last part of the path, so a link there is not followed."""
    whole = Path(_plain(folder) or cwd, _plain(path))
    return str(Path(os.path.realpath(whole.parent), whole.name))


def _plain(text: str) -> str:
    """Decode a path of strace, which escapes non-ASCII bytes and marks deleted files."""
    data = text.removesuffix("(deleted)").encode("latin-1").decode("unicode_escape").encode("latin-1")
    return os.fsdecode(data)
