"""Export list: the files of an export with their sizes, in its folder, and in about 40 bytes each in memory.

In: the folder, whose list a stranger may have written. Out: the sizes of files that earlier runs and this one
noted. A file is noted before it gets its name, so that a later run knows what a kill leaves.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import IO

from blendgen.dataset.digest_map import DigestMap
from blendgen.dataset.schema import parsed_json
from blendgen.files.folder import Folder
from blendgen.files.names import path_fault

LIST = ".blendgen-export-files"
OF_A_LINK = -1  # in place of a size
_IN_LIST = -2  # in place of the size of a file whose line is written
_MAX_LINE_BYTES = 4096
_MAX_SIZE = 2**63


class ExportList:
    """listed: files of earlier runs, with their sizes; written: those of this run, or that stay"""

    def __init__(self, folder: Folder):
        self._folder, self._is_known, self._notes = folder, False, 0
        self.listed, self.written = DigestMap(), DigestMap()

    def read(self) -> None:
        """Call first."""
        self._is_known = self._folder.has_file(LIST)
        for name, size in self._entries():
            self.listed[name] = size

    def forget(self) -> None:
        """Take the files of earlier runs for those of somebody else."""
        self.listed, self._is_known = DigestMap(), False

    def open(self) -> None:
        """Call before the first note; raises DatasetError."""
        lines = (_line(name, size) for name, size in self._entries() if self.listed.get(name) == size)
        self._folder.write(LIST, lines)  # without a torn last line, which would swallow the next
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)
        with self._folder.disk_errors(LIST):
            self._file: IO[bytes] = os.fdopen(os.open(self._folder.root / LIST, flags, 0o666), "wb")
        self._is_known = True

    def note(self, name: str, size: int) -> None:
        """Record a file; raises OSError."""
        self.written[name] = size
        self._notes += 1
        self._file.write(_line(name, size))
        self._file.flush()

    def keep(self, name: str) -> None:
        """Make a file of an earlier run one of this run."""
        size = self.listed.get(name)
        if size is not None:
            self.written[name] = size

    def close(self) -> None:
        self._file.close()

    def finish(self) -> None:
        """List the files of this run, each once, in the order of their first notes; raises DatasetError."""
        if self.listed or len(self.written) < self._notes:
            self._folder.write(LIST, self._written_lines())
            return
        with self._folder.disk_errors(LIST), (self._folder.root / LIST).open("rb") as file:
            os.fsync(file.fileno())  # the notes are the list

    def left_over(self) -> Iterator[str]:
        """Files of earlier runs that are not among those of this run, those at the top first."""
        for is_deep in (False, True) if self.listed else ():
            for name, _ in self._entries():
                if ("/" in name) == is_deep and name not in self.written:
                    yield name

    def _written_lines(self) -> Iterator[bytes]:
        """Changes the sizes of the files of this run."""
        for name, size in self._entries():
            if self.written.get(name) == size:
                self.written[name] = _IN_LIST
                yield _line(name, size)

    def _entries(self) -> Iterator[tuple[str, int]]:
        """Name and size of each line, without invalid lines such as an incomplete last one."""
        if not self._is_known:
            return
        with (self._folder.root / LIST).open("rb") as file:
            while line := file.readline(_MAX_LINE_BYTES):
                try:
                    entry = parsed_json(line, _MAX_LINE_BYTES)
                    name, size = entry["name"], entry["size"]
                except (ValueError, KeyError, TypeError):
                    continue
                if isinstance(size, int) and OF_A_LINK <= size < _MAX_SIZE and not path_fault(name):
                    yield name, size


def _line(name: str, size: int) -> bytes:
    return json.dumps({"name": name, "size": size}).encode() + b"\n"
