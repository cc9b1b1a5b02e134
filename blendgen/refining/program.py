"""Program: a program of the user that changes images, called once for each of them.

In: a command line with placeholders. Out: the picture that the program wrote, or a ChangeFault that says why
there is none. The command line is split as a shell does it, but no shell runs. The program gets copies of the
files of an image, in a folder that is removed afterwards, so it cannot change the data set.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from blendgen.dataset.label_registry import IMAGE, LABEL_FILES
from blendgen.dataset.packed import ImageFile, read_file
from blendgen.dataset.source import Source
from blendgen.errors import DatasetError, UsageError, did_you_mean
from blendgen.files.disk import read_error
from blendgen.files.folder import Folder
from blendgen.files.names import printable
from blendgen.files.photos import IMAGE_ERRORS, image_fault, opened_photo
from blendgen.files.scratch import scratch_folder
from blendgen.geometry.arrays import ImageHW3U8
from blendgen.scene.row import Row

TIMEOUT_S = 120.0
_OUT, _LABEL = "out", "label"
_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_OUTPUT_NAME, _LOG_NAME = "out.png", "output.txt"
_LOG_BYTES, _LONGEST_LINE = 4096, 200


class ChangeFault(Exception):
    """Why an image is left as it was, in a few words."""


@dataclass(frozen=True)
class Program:
    """words: of the command line, with placeholders; timeout_s: for each image"""

    words: tuple[str, ...]
    timeout_s: float = TIMEOUT_S

    @property
    def placeholders(self) -> set[str]:
        return {name for word in self.words for name in _PLACEHOLDER.findall(word)}

    def facts(self) -> dict[str, Any]:
        """As dataset.json states it."""
        return {"kind": "program", "command": [*self.words], "timeout_s": self.timeout_s}

    def refuse_for(self, source: Source) -> None:
        """Raises UsageError for files that the data set does not have."""
        if not source.images:
            return
        there, wanted = source.row(0).files, self.placeholders - {_OUT, _LABEL}
        for name in sorted(wanted - {*there}):
            raise UsageError(
                f"command (--command): {{{name}}}: the data set does not have such files; leave it out, or "
                f"set output.{'masks' if name == 'mask' else name} in the spec and generate again"
            )

    def changed(self, source: Source, row: Row) -> ImageHW3U8:
        """(h, w, 3) uint8; raises ChangeFault, or UsageError where the program cannot be started."""
        with scratch_folder("refine") as scratch:
            values = {_OUT: str(scratch / _OUTPUT_NAME), _LABEL: row.label}
            for name in self.placeholders - {*values}:
                values[name] = str(_copy(source.path(row, LABEL_FILES[name]), name, scratch))
            words = [_PLACEHOLDER.sub(lambda match: values[match[1]], word) for word in self.words]
            self._run(words, scratch)
            return _picture(scratch / _OUTPUT_NAME, (row.width, row.height))

    def _run(self, words: list[str], scratch: Path) -> None:
        log = scratch / _LOG_NAME
        with Folder(scratch).opened(_LOG_NAME) as output, _started(words, output) as process:
            try:
                code = process.wait(self.timeout_s)
            except subprocess.TimeoutExpired:
                raise ChangeFault(f"the program took more than {self.timeout_s:g} s") from None
        if code != 0:
            ending = f"signal {-code}" if code < 0 else f"exit code {code}"
            raise ChangeFault(f"the program ended with {ending}{_last_line(log)}")


def parsed_program(command: str, timeout_s: float = TIMEOUT_S) -> Program:
    """raises: UsageError"""
    try:
        words = tuple(shlex.split(command))
    except ValueError as error:
        raise _fault(f"{str(error).lower()}: {command!r}") from None
    program = Program(words, timeout_s)
    known = (*LABEL_FILES, _OUT, _LABEL)
    for name in sorted(program.placeholders - {*known}):
        raise _fault(f"unknown placeholder {{{name}}}{did_you_mean(name, known)}; known: {', '.join(known)}")
    for name in (IMAGE.name, _OUT):
        if name not in program.placeholders:
            raise _fault(
                f"lacks {{{name}}}; expected such as 'prog {{image}} {{depth}} {{mask}} {{out}}', "
                f"got {command!r}"
            )
    if shutil.which(words[0]) is None:
        raise _fault(f"{printable(words[0])}: is not a program that can be started; give its path")
    if not timeout_s > 0:
        raise UsageError(f"timeout (--timeout): expected more than 0 seconds, got {timeout_s:g}")
    return program


def _fault(what: str) -> UsageError:
    return UsageError(f"command (--command): {what}")


def _copy(file: ImageFile, name: str, scratch: Path) -> Path:
    try:
        data = read_file(file)
    except OSError as error:
        raise read_error(Path(str(file)), error) from None
    Folder(scratch).write(f"{name}{file.suffix}", data)
    return scratch / f"{name}{file.suffix}"


@contextmanager
def _started(words: list[str], output: IO[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    """The program, in a process group of its own; where it has not ended by itself, all of that is killed.

    raises: UsageError
    """
    try:
        process = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip
    except OSError as error:
        raise _fault(f"{printable(words[0])}: cannot be started: {error.strerror or error}") from None
    try:
        yield process
    finally:
        if process.poll() is None:
            _kill(process)


def _kill(process: subprocess.Popen[bytes]) -> None:
    if hasattr(os, "killpg"):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait()


def _last_line(log: Path) -> str:
    """What the program printed last."""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _LOG_BYTES))
        lines = file.read().decode("utf-8", "replace").split("\n")
    last = next((line.strip() for line in reversed(lines) if line.strip()), "")
    return f": {printable(last[:_LONGEST_LINE])}" if last else ""


def _picture(path: Path, size: tuple[int, int]) -> ImageHW3U8:
    if not os.path.lexists(path):
        raise ChangeFault("the program did not write {out}")
    try:
        with opened_photo(path) as image:
            if image.size != size:
                raise ChangeFault(
                    f"the program wrote {image.width} x {image.height} pixels, not {size[0]} x {size[1]}"
                )
            return np.array(image.convert("RGB"))
    except IMAGE_ERRORS as error:
        raise ChangeFault(f"the program wrote what is not a readable picture: {image_fault(error)}") from None
    except DatasetError as error:
        raise ChangeFault(str(error)) from None
