"""Event file: appends events to a file, a pipe or stdout, as one line of JSON each.

A line is one write to the system, so that a run that is killed leaves whole lines, and those of several runs
do not mix. Nothing that happens to the file ends the run: the first failure is a warning. A file that is full
is tried again with the next event; a pipe that nobody reads any more is not.
"""

from __future__ import annotations

import errno
import json
import logging
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeAlias

from blendgen.errors import UsageError

# a file, or a function that gets each event; None: no events
EventsLike: TypeAlias = str | os.PathLike[str] | Callable[[dict[str, Any]], None] | None

_HEAD = b'{"event": "'
_FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_log = logging.getLogger(__name__)


class EventFile:
    """An open file for events.

    name: for messages; is_torn: it ends in a part of a line, as a crash of the machine can leave it
    """

    def __init__(self, descriptor: int, name: str, is_torn: bool = False):
        self._descriptor, self._name, self._is_torn = descriptor, name, is_torn
        self._is_closed = self._has_warned = False

    def write(self, event: dict[str, Any]) -> None:
        """Append an event; a failure is logged once."""
        if self._is_closed:
            return
        line = json.dumps(event, ensure_ascii=True).encode() + b"\n"
        try:
            self._write_line(line)
        except OSError as error:
            self._is_closed = error.errno in (errno.EPIPE, errno.EBADF)
            if not self._has_warned:
                self._has_warned = True
                _log.warning("note: %s: events are lost: %s", self._name, error.strerror or error)

    def _write_line(self, line: bytes) -> None:
        if self._is_torn:
            line = b"\n" + line
        written = os.write(self._descriptor, line)
        self._is_torn = False
        if written < len(line):
            self._is_torn = not self._taken_back(written)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _taken_back(self, written: int) -> bool:
        """Remove a part of a line again, unless somebody else has appended to the file since."""
        with suppress(OSError):
            end = os.lseek(self._descriptor, 0, os.SEEK_CUR)
            if end == os.fstat(self._descriptor).st_size:
                os.ftruncate(self._descriptor, end - written)
                return True
        return False


@contextmanager
def event_receiver(events: EventsLike, folder: Path) -> Iterator[Callable[[dict[str, Any]], None] | None]:
    """What receives the events of a run over `folder`; a path is opened, and closed at the end.

    raises: UsageError for a file that cannot be opened, is in the folder, or has something else in it
    """
    if events is None or callable(events):
        yield events
        return
    path = Path(events)
    data_set = Path(os.path.realpath(folder))
    if data_set in Path(os.path.realpath(path)).parents:
        raise UsageError(f"--events: {path} is in the folder of the data set; choose a file outside of it")
    try:
        is_torn = _is_torn(path)
        descriptor = os.open(path, _FLAGS, 0o666)
    except OSError as error:
        raise UsageError(
            f"--events: {path} cannot be opened: {error.strerror or error}; choose another file"
        ) from None
    try:
        yield EventFile(descriptor, str(path), is_torn).write
    finally:
        os.close(descriptor)


def _is_torn(path: Path) -> bool:
    """Whether a file ends in a part of a line; raises UsageError if it does not begin with an event."""
    if not path.exists() or not stat.S_ISREG(path.stat().st_mode):
        return False
    with path.open("rb") as file:
        head = file.read(len(_HEAD))
        if not _HEAD.startswith(head):
            raise UsageError(f"--events: {path} holds something else than events; choose another file")
        if not head:
            return False
        file.seek(-1, os.SEEK_END)
        return file.read(1) != b"\n"
