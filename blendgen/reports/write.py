"""Write: the files of a report: a page, report.json next to it, and scripts for a page that is not one file.

In: the folder of one data set, or of two that are compared. Out: `report.html`, which replaces an earlier one
when it is complete. A report is not part of its data set: it has times in it, and other commands ignore it.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from blendgen.dataset.report_files import REPORT_MARK, is_report_file
from blendgen.dataset.schema import parsed_json
from blendgen.errors import UsageError
from blendgen.files.regular_file import read_bounded
from blendgen.reports.analysis import ALL_LIMITS, Limits, analysed
from blendgen.reports.gallery import RECORDS, ROWS, SHEET, SHEET_SIDE, THUMBNAIL_PX
from blendgen.reports.page import page
from blendgen.reports.page_files import PageFiles
from blendgen.reports.statement import RunFacts, alerts, facts, notes, split_shares
from blendgen.system.progress import Progress

SINGLE_FILE_IMAGES = 2000
SINGLE_FILE_BYTES = 12_000_000
_MAX_JSON_BYTES = 256 * 2**20
_SUFFIX = ".html"
_GENERATE_AGAIN = "blendgen generate spec.yaml -o ../again"  # in the folder of the data set


class ReportWriter:
    """dest: the page; folders: of the data sets; run: that made the first of them"""

    def __init__(self, dest: Path, folders: list[Path], run: RunFacts | None, limits: Limits = ALL_LIMITS):
        if dest.suffix != _SUFFIX:
            raise UsageError(f"{dest}: the name of a report ends with {_SUFFIX}")
        self._dest, self._folders, self._limits = dest, folders, limits
        self._files = PageFiles(dest)
        self._run = run or _earlier_run(dest.with_suffix(".json"))
        self._chunks: dict[str, Any] = {}
        self._is_single = True

    def write(self, progress: Progress) -> Path:
        """Returns the path of the page; raises DatasetError, UsageError."""
        try:
            self._write(
                [self._analysed(place, folder, progress) for place, folder in enumerate(self._folders)]
            )
        except BaseException:
            self._files.remove_unfinished()
            raise
        return self._dest

    def _write(self, sets: list[tuple[dict[str, Any], list[str]]]) -> None:
        data = self._page_data(sets)
        title = " and ".join(result["name"] for result, _ in sets)
        summary = "; ".join(_summary(result) for result, _ in sets)
        content = page(data, self._chunks, title, summary)
        if len(content) > SINGLE_FILE_BYTES and self._chunks:
            self._use_folder()
            content = page(data, {}, title, summary)
        self._files.finish(content, _json_bytes(self._run, [result for result, _ in sets]))

    def _analysed(self, place: int, folder: Path, progress: Progress) -> tuple[dict[str, Any], list[str]]:
        def begin(images: int) -> None:
            if images > SINGLE_FILE_IMAGES:
                self._use_folder()
            progress.begin(images, "row")

        def sink(name: str, value: Any) -> None:
            self._add_chunk(f"{_set_id(place)}/{name}", value)

        return analysed(folder, sink, self._limits, begin, progress.advance)

    def _page_data(self, sets: list[tuple[dict[str, Any], list[str]]]) -> dict[str, Any]:
        names = _distinct_names(self._folders, [result["name"] for result, _ in sets])
        return {
            "files_folder": self._files.scripts_folder,
            "rows_per_chunk": ROWS,
            "records_per_chunk": RECORDS,
            "thumbnails_per_sheet": SHEET,
            "thumbnails_per_row": SHEET_SIDE,
            "thumbnail_px": THUMBNAIL_PX,
            "sets": [
                {
                    **result,
                    "id": _set_id(place),
                    "name_here": names[place],
                    "folder": _relative(self._folders[place], self._dest.parent),
                    "columns": columns,
                    "classes": len({one["label"] for one in result["images_per_class_and_split"]}),
                    "facts": facts(result, self._run if place == 0 else None),
                    "alerts": alerts(result),
                    "parameter_notes": notes(result),
                    "split_shares": split_shares(result),
                    "generate_again": _GENERATE_AGAIN,
                }
                for place, (result, columns) in enumerate(sets)
            ],
        }

    def _add_chunk(self, name: str, value: Any) -> None:
        if self._is_single:
            self._chunks[name] = value
        else:
            self._files.write_script(name, value)

    def _use_folder(self) -> None:
        self._is_single = False
        for name, value in self._chunks.items():
            self._files.write_script(name, value)
        self._chunks = {}


def write_report(
    folder: Path,
    dest: Path | None,
    compare: Path | None,
    run: RunFacts | None,
    progress: Progress,
    measured: int | None = None,
) -> Path:
    """Write the report of a data set, or of two, and return its path; see api.report."""
    folders = [folder] if compare is None else [folder, compare]
    place = dest or folder / ("report.html" if compare is None else "report-compare.html")
    limits = ALL_LIMITS if measured is None else Limits(measured)
    return ReportWriter(place, folders, run, limits).write(progress)


def is_report_of(page: Path, images: int) -> bool:
    """Whether a page is a report of this program, about a data set of so many images."""
    if not is_report_file(page):
        return False
    try:
        return bool(_earlier(page.with_suffix(".json"))["data_sets"][0]["images"] == images)
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        return False


def _set_id(place: int) -> str:
    return "ab"[place]


def _summary(result: dict[str, Any]) -> str:
    classes = len({one["label"] for one in result["images_per_class_and_split"]})
    splits = ", ".join(f"{one['images']:,} {one['split']}" for one in split_shares(result))
    return f"{result['images']:,} images of {classes:,} classes ({splits})"


def _distinct_names(folders: list[Path], names: list[str]) -> list[str]:
    """Names of data sets for a legend: of their folders, if their own are the same."""
    if len(set(names)) == len(names):
        return names
    own = [folder.resolve().name for folder in folders]
    return own if len(set(own)) == len(own) else [str(folder) for folder in folders]


def _relative(folder: Path, start: Path) -> str:
    """The path of a folder from another one, with "/"; "" for the same."""
    relative = os.path.relpath(folder, start).replace(os.sep, "/")
    return "" if relative == "." else relative


def _json_bytes(run: RunFacts | None, results: list[dict[str, Any]]) -> bytes:
    known = {"report": REPORT_MARK.decode(), "schema_version": 1, "run": run and run.model_dump()}
    return (json.dumps({**known, "data_sets": results}, indent=1, ensure_ascii=False) + "\n").encode()


def _earlier_run(path: Path) -> RunFacts | None:
    """What an earlier report of the data set states of the run that made it."""
    try:
        return RunFacts.model_validate(_earlier(path)["run"])
    except (OSError, ValueError, KeyError, TypeError, ValidationError):
        return None


def _earlier(path: Path) -> Any:
    """The values of an earlier report.json; raises OSError, ValueError."""
    return parsed_json(read_bounded(path, _MAX_JSON_BYTES), _MAX_JSON_BYTES)
