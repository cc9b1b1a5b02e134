"""Child: runs blendgen as a process that ends with this one, and returns how it ended.

In: the arguments of blendgen. Out: its exit code and its last words. If this process is killed, the system
kills the child, whose workers end with it; so it is called in the main thread, which ends last.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from typing import IO

_PROGRAM = (
    "import sys; from blendgen.system.end_with_parent import end_with_parent; "
    "end_with_parent(int(sys.argv.pop(1))); from blendgen.cli import main; main()"
)
_LOOK_EVERY_S = 0.1
_MAX_MESSAGE_BYTES = 4000
_ERROR = "blendgen:"


def run_child(words: Sequence[str], environment: Mapping[str, str]) -> tuple[int, str]:
    """(exit code, message) of blendgen with these arguments.

    KeyboardInterrupt lets the child finish the shots that it has begun, and is raised when it has ended.
    """
    command = [sys.executable, "-c", _PROGRAM, str(os.getpid()), *words]
    with tempfile.TemporaryFile() as errors:
        child = subprocess.Popen(
            command,
            env=os.environ | dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
        )
        try:
            code = _waited(child)
        except KeyboardInterrupt:
            child.terminate()
            _waited(child)
            raise
        finally:
            child.kill()  # does nothing if it has ended
            child.wait()
        return code, last_words(end_of_log(errors))


def _waited(child: subprocess.Popen) -> int:
    """The exit code; an interrupt that no system call reports is noticed between two looks."""
    while (code := child.poll()) is None:
        time.sleep(_LOOK_EVERY_S)
    return code


def end_of_log(file: IO[bytes]) -> str:
    """The last lines of a log of any length."""
    file.seek(max(0, file.seek(0, os.SEEK_END) - _MAX_MESSAGE_BYTES))
    return file.read().decode("utf-8", "replace")


def last_words(log: str) -> str:
    """The error at the end of a log of blendgen, or its last line."""
    head, mark, message = log.strip().rpartition(f"\n{_ERROR}")
    if not mark and head == "" and message.startswith(_ERROR):
        mark, message = _ERROR, message.removeprefix(_ERROR)
    return message.strip() if mark else message.rpartition("\n")[2].strip()
