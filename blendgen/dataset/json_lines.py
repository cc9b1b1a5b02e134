"""JSON lines: a file that only the parent process appends to: manifest.jsonl and failed.jsonl.

In: its path. Out: its whole lines. A torn last line (power cut, full disk) is not one of them, and is removed
before the file grows. Appended lines are flushed to the disk; if the disk refuses, none of them stays.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO

from blendgen.dataset.rows import MAX_ROW_BYTES
from blendgen.errors import DatasetError
from blendgen.files.disk import disk_error, read_error
from blendgen.files.regular_file import links_outside, open_regular

_TAIL_BYTES = 1 << 16
BLOCK_BYTES = 1 << 18  # of the buffer when all lines are read: half the time of the usual one


@dataclass(frozen=True)
class JsonLines:
    """A file with one JSON object per line.

    content: what each line should be; way_out: what to do about a bad line; both for messages
    """

    path: Path
    content: str
    way_out: str

    def fault(self, number: int, reason: object) -> DatasetError:
        """The error for a line, counted from 1."""
        return DatasetError(f"{self.path}:{number}: not {self.content} ({reason}); {self.way_out}")

    def opened(self) -> BufferedReader:
        """The file for reading; raises DatasetError, also where it is a link out of the data set."""
        if links_outside(self.path):
            raise DatasetError(
                f"{self.path}: is a link that leads out of the data set; replace it with the file itself"
            )
        try:
            return open_regular(self.path)
        except OSError as error:
            raise read_error(self.path, error) from None

    def lines(self) -> Iterator[bytes]:
        """Whole lines, none where there is no file; raises DatasetError for a line that is too long."""
        if not os.path.lexists(self.path):
            return
        with BufferedReader(self.opened().detach(), BLOCK_BYTES) as file:
            number = 1
            while line := file.readline(MAX_ROW_BYTES + 1):
                if len(line) > MAX_ROW_BYTES:
                    raise self.fault(number, f"more than {MAX_ROW_BYTES // 2**20} MB")
                if line.endswith(b"\n"):
                    yield line
                number += 1

    def is_torn(self) -> bool:
        """Whether the last line is torn."""
        if not os.path.lexists(self.path):
            return False
        with self.opened() as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - 1))
            return file.read(1) not in (b"", b"\n")

    def drop_torn_line(self) -> None:
        """Remove a torn last line; raises OSError."""
        if not os.path.lexists(self.path):
            return
        with self.path.open("r+b") as file:
            end = file.seek(0, os.SEEK_END)
            while end > 0:
                start = max(0, end - _TAIL_BYTES)
                file.seek(start)
                last = file.read(end - start).rfind(b"\n")
                if last >= 0:
                    file.truncate(start + last + 1)
                    return
                end = start
            file.truncate(0)

    def opened_to_append(self) -> BinaryIO:
        """The file for `append`; raises DatasetError where the disk refuses, or where it is a link."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)
        flags |= getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
        try:
            # without a buffer, a failed write is not repeated when the file is closed
            return os.fdopen(os.open(self.path, flags, 0o666), "ab", buffering=0)
        except OSError as error:
            raise disk_error(self.path, error) from None

    def append(self, file: BinaryIO, lines: str) -> None:
        """Append lines to the opened file and flush them to the disk; raises DatasetError."""
        start = file.seek(0, os.SEEK_END)
        left = memoryview(lines.encode())
        try:
            while left:
                left = left[file.write(left) :]
            os.fsync(file.fileno())
        except OSError as error:
            file.truncate(start)
            raise disk_error(self.path, error) from None
