"""Previews: a few small pictures of an export, which its dataset card shows."""

from __future__ import annotations

import io

from PIL import Image

from blendgen.errors import DatasetError
from blendgen.exporters.destination import Destination
from blendgen.exporters.markdown import plain
from blendgen.exporters.samples import Sample
from blendgen.files.photos import IMAGE_ERRORS

_COUNT, _COLUMNS, _SIDE_PX = 8, 4, 320


class Previews:
    """Some of `total` samples, evenly spaced, in preview/ of the destination."""

    def __init__(self, destination: Destination, total: int):
        self._destination = destination
        self._chosen = {total * number // _COUNT for number in range(_COUNT)}
        self._position, self._cells = 0, list[str]()

    def add(self, sample: Sample) -> None:
        """Take the next sample; writes a picture if it is one of the chosen."""
        if self._position in self._chosen:
            name = f"preview/{sample.name}.jpg"
            if not self._destination.has(name):
                self._destination.write_bytes(name, _small_jpeg(sample))
            self._cells.append(f"![{plain(sample.label)}]({name})")
        self._position += 1

    def table(self) -> str:
        """The pictures as a table in Markdown, after an empty line; nothing without samples."""
        rows = [self._cells[start : start + _COLUMNS] for start in range(0, len(self._cells), _COLUMNS)]
        if not rows:
            return ""
        width = len(rows[0])
        lines = [[""] * width, ["---"] * width, *rows]
        return "\n" + "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def _small_jpeg(sample: Sample) -> bytes:
    """The picture at most _SIDE_PX wide and high; raises DatasetError if it cannot be read."""
    buffer = io.BytesIO()
    try:
        with Image.open(io.BytesIO(sample.content())) as image:
            small = image.convert("RGB")
    except IMAGE_ERRORS as error:
        raise DatasetError(
            f"{sample.path}: cannot be read: {error}; run `blendgen verify` to list what else is wrong"
        ) from None
    small.thumbnail((_SIDE_PX, _SIDE_PX))
    small.save(buffer, "JPEG", quality=85)
    return buffer.getvalue()
