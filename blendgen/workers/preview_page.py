"""Preview page: the sheet of a preview and its file, finished or not.

In: the folder of the preview's data set, or rows as they come. Out: the sheet, as a Pillow image and perhaps
a file, which is replaced whole.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from blendgen.dataset.layout import Layout
from blendgen.dataset.packed import ImageFiles
from blendgen.dataset.store import read_record
from blendgen.files.result_file import write_result
from blendgen.reports.contact_sheet import Cell, SheetLayout, dataset_cells, encoded_sheet
from blendgen.scene.row import Row

_EVERY_S = 0.4  # between two files of a sheet that is not finished


@dataclass(frozen=True)
class PreviewPage:
    """The sheet of a preview, and the file that it is written to.

    count: of its images
    """

    layout: SheetLayout
    count: int
    output: Path | None

    def of(self, folder: Path) -> Image.Image:
        """The sheet with the images of a data set, which is also written."""
        return self.write(dataset_cells(folder, self.count, self.layout))

    def write(self, cells: Mapping[int, Cell]) -> Image.Image:
        sheet = self.layout.sheet(cells)
        if self.output is not None:
            write_result(self.output, encoded_sheet(sheet, self.output.suffix))
        return sheet

    def unfinished(self, layout: Layout) -> str:
        """Write the sheet of a run that did not end; returns what there is, in words. Raises nothing, so that
        the user sees why the run did not end."""
        images = read_record(layout).get("images", 0)
        if self.output is None or not images:
            return "no sheet was made"
        try:
            self.of(layout.root)
        except Exception as error:  # noqa: BLE001 - the reason why the run did not end is more important
            return f"the sheet could not be written: {error or type(error).__name__}"
        return f"{self.output} shows {images} of {self.count} images"


@dataclass
class LiveCells:
    """The cells of a sheet that is made again and again: while new images come, those of the sheet before
    stay, faded.

    cells: of the last sheet, by image index
    """

    cells: dict[int, Cell] = field(default_factory=dict)
    _new: dict[int, Cell] = field(default_factory=dict)
    _written_s: float = float("-inf")

    def begin(self) -> None:
        """A new sheet begins."""
        self.cells = {index: cell.faded() for index, cell in (self.cells | self._new).items()}
        self._new, self._written_s = {}, float("-inf")

    def add(self, page: PreviewPage, files: ImageFiles, rows: Sequence[Row]) -> None:
        """Show the images of these rows, at once if the file was not written just now."""
        self._new |= page.layout.cells(files, rows)
        is_last = len(self._new) >= page.count
        if not is_last and time.monotonic() - self._written_s >= _EVERY_S:
            page.write(self.cells | self._new)
            self._written_s = time.monotonic()

    def end(self) -> None:
        """The sheet is finished: nothing of the one before is left."""
        self.cells, self._new = self._new, {}
