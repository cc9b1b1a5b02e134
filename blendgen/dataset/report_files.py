"""Report files: which files in the folder of a data set are of its report; they are not part of the data set.

In: a folder. Out: names of report.html, report.json and the scripts next to them that this program wrote.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

from blendgen.dataset.layout import Layout
from blendgen.files.folder import Folder

REPORT_MARK = b"report of blendgen"
_NAMES = ("report", "report-compare", "compare-photos")
_LOOKED_AT_BYTES = 200


def report_files(layout: Layout) -> Iterator[str]:
    """Names of the files of reports, with their usual names, in the folder of a data set."""
    folder = Folder(layout.root)
    for name in _NAMES:
        own = (f"{name}.html", f"{name}.json", *sorted(folder.files(f"{name}_files")))
        yield from (one for one in own if is_report_file(layout.root / one))


def is_report_file(path: Path) -> bool:
    """Whether a path is a file of a report; not if there is nothing, or a link."""
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            return False
        with path.open("rb") as file:
            return REPORT_MARK in file.read(_LOOKED_AT_BYTES)
    except OSError:
        return False
