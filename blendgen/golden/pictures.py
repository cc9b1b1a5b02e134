"""Pictures: what a smoke run made next to what was golden, as files that a CI job uploads.

Out: `actual/`, `golden/` and `difference/` with a picture for each image, a `montage.png` of all of them, and
`smoke.json`. The difference is four times that of the values, around grey.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from blendgen.errors import BlendgenError, DatasetError
from blendgen.files.folder import Folder
from blendgen.geometry.arrays import ImageHW3U8
from blendgen.golden.files import Golden
from blendgen.golden.made import Made
from blendgen.reports.contact_sheet import contact_sheet

REPORT_NAME, MONTAGE_NAME = "smoke.json", "montage.png"
_OURS = re.compile(r"(actual|golden|difference)/[0-9]{6,15}\.png|smoke\.json|montage\.png|\.partial/.*")
_CELL_PX = 128
_GAIN, _GREY = 4, 127


def refuse_others_output(folder: Path, junit: Path | None = None) -> None:
    """Raises DatasetError if the folder holds anything but pictures of an earlier smoke run, or `junit`."""
    if folder.exists() and not folder.is_dir():
        raise DatasetError(f"{folder}: is a file; choose a folder")
    others = sorted(name for name in _names(folder, junit) if not _OURS.fullmatch(name))
    if others:
        raise DatasetError(f"{folder}: contains {', '.join(others[:3])}; choose a new or empty folder")


def write_pictures(folder: Path, made: Made, golden: Golden | None) -> None:
    """Write the pictures; raises DatasetError."""
    pictures, cells = {}, []
    for index in made.rows:
        for kind, picture in _kinds(made, golden, index).items():
            pictures[f"{kind}/{index:06d}.png"] = picture
            cells.append((Image.fromarray(picture), f"{kind} {index} {made.plan.images[index]}"))
    target = Folder(folder)
    for name, picture in pictures.items():
        target.write(name, _png(Image.fromarray(picture)))
    if cells:
        columns = 4 if golden is None else 3
        target.write(MONTAGE_NAME, _png(contact_sheet(cells, columns, _CELL_PX)))


def remove_pictures(folder: Path, junit: Path | None = None) -> None:
    """Remove what an earlier run has written, so that it is not taken for a result of this one; raises
    DatasetError as refuse_others_output does."""
    refuse_others_output(folder, junit)
    for name in [*_names(folder, junit)]:
        Folder(folder).remove(name)


def _names(folder: Path, junit: Path | None) -> Iterator[str]:
    """Files in the folder, but for the JUnit XML."""
    own = None if junit is None else junit.absolute()
    return (name for name in Folder(folder).files() if (folder / name).absolute() != own)


def write_report(folder: Path, report: Mapping[str, Any]) -> None:
    """Write smoke.json next to the pictures; raises DatasetError."""
    target = Folder(folder)
    target.write(REPORT_NAME, (json.dumps(report, indent=2) + "\n").encode())
    target.remove_temporary_files()


def _kinds(made: Made, golden: Golden | None, index: int) -> dict[str, ImageHW3U8]:
    """Kind of picture -> pixels: golden, actual, difference; without a golden image only the actual one."""
    actual = made.clean(index)
    if golden is None or index not in golden.images:
        return {"actual": actual}
    try:
        before = golden.clean(index)
    except BlendgenError:  # the check of images says why
        return {"actual": actual}
    kinds = {"golden": before, "actual": actual}
    if before.shape == actual.shape:
        difference = _GREY + _GAIN * (actual.astype(int) - before)
        kinds["difference"] = np.clip(difference, 0, 255).astype(np.uint8)
    return kinds


def _png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()
