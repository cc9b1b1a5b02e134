"""Page files: a page, its JSON, and scripts next to it, which replace those of an earlier report at once.

In: their contents, scripts one by one. Out: files in one folder. Scripts are written into a new folder, so
that an earlier page stays as it is until the new one is complete. What is stopped before leaves nothing; a
killed process leaves scripts, which the next report removes. Nothing of somebody else is overwritten.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from blendgen.dataset.report_files import is_report_file
from blendgen.errors import DatasetError
from blendgen.files.folder import Folder
from blendgen.reports.page import chunk_file

_TEMPORARY = ".blendgen-partial"


class PageFiles:
    """page: its path; raises DatasetError where files of somebody else are in the way"""

    def __init__(self, page: Path):
        self._page, self._json_name = page, f"{page.stem}.json"
        # not that of the data set, in which a run may be writing
        self._folder = Folder(page.parent, _TEMPORARY)
        scripts = f"{page.stem}_files"
        self.scripts_folder = f"{scripts}/{time.time_ns():x}"
        self._old_scripts = sorted(self._folder.files(scripts))
        self._written: list[str] = []
        self._refuse_others_files()

    def write_script(self, name: str, value: Any) -> None:
        """name: of the chunk, of which the page makes the same file name"""
        file_name = f"{self.scripts_folder}/{name.replace('/', '-')}.js"
        self._folder.write(file_name, chunk_file(name, value))
        self._written.append(file_name)

    def finish(self, page: bytes, json: bytes) -> None:
        """Exchange the page and its JSON, whose contents are on the disk before, and remove old scripts."""
        folder = self._folder
        with folder.atomic_file(self._json_name) as json_file, folder.atomic_file(self._page.name) as file:
            json_file.write(json)
            json_file.flush()
            file.write(page)
            self._require_scripts()
        for name in self._old_scripts:
            folder.remove(name)
        folder.remove_temporary_files()

    def remove_unfinished(self) -> None:
        """Remove the scripts of a page that was not finished."""
        if self._is_finished():
            return
        with suppress(OSError):
            for name in list(self._folder.files(self.scripts_folder)):
                self._folder.remove(name)
        self._folder.remove_temporary_files()

    def _is_finished(self) -> bool:
        """An interrupt may come right after the exchange."""
        try:
            return self.scripts_folder.encode() in self._page.read_bytes()
        except OSError:
            return False

    def _require_scripts(self) -> None:
        missing = [name for name in self._written if not self._folder.has_file(name)]
        if missing:
            raise DatasetError(
                f"{self._page.parent / missing[0]}: was removed while the report was written, perhaps by "
                "another report in the same place; write the report again"
            )

    def _refuse_others_files(self) -> None:
        for name in (self._page.name, self._json_name, *self._old_scripts):
            path = self._page.parent / name
            if os.path.lexists(path) and not is_report_file(path):
                raise DatasetError(
                    f"{path}: exists and is not part of a report of blendgen; move it away, or choose "
                    "another file name for the report (-o)"
                )
