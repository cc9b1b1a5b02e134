"""Failures: OUT/failed.jsonl, one line per image that cannot be made, with the reason.

The file exists only in a data set with such images. Whether an image fails follows from the spec, the seed
and its index, as its pixels do: a later run does not try it again. Only the parent process writes. A torn
last line (power cut, full disk) is dropped when the file is opened again, and its image is tried again. At
the end the lines are sorted by index.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from typing import Annotated

from pydantic import Field, ValidationError

from blendgen.dataset.layout import Layout
from blendgen.errors import DatasetError, InfeasibleShot
from blendgen.files.folder import Folder
from blendgen.files.regular_file import links_outside, read_bounded
from blendgen.scene.frozen import FrozenModel
from blendgen.scene.row import Index

_MAX_BYTES = 2**30


class FailedImage(FrozenModel):
    """An image that cannot be made.

    reason: of errors.Reason; message: what did not go together, and a way out
    attempts: how often its shot was drawn
    """

    index: Index
    shot_index: Index
    reason: str
    message: str
    attempts: Annotated[int, Field(ge=1)]


def failed_images(image_indices: Iterable[int], shot: InfeasibleShot) -> list[FailedImage]:
    """The images of a shot of which no attempt was feasible."""
    facts = {
        "shot_index": shot.shot_index,
        "reason": str(shot.reason),
        "message": str(shot.fault),
        "attempts": len(shot.faults),
    }
    return [FailedImage(index=index, **facts) for index in image_indices]


def count_reasons(failures: Iterable[FailedImage]) -> dict[str, int]:
    """Reason -> number of images, sorted by reason."""
    return dict(sorted(Counter(failure.reason for failure in failures).items()))


def open_failures(layout: Layout) -> dict[int, FailedImage]:
    """The failures of a data set by index; removes a torn last line. Raises DatasetError as read_failures."""
    data = _content(layout)
    whole = data[: data.rfind(b"\n") + 1]
    if whole != data:
        _folder(layout).write(layout.failures.name, whole)
    return {failure.index: failure for failure in read_failures(layout)}


def read_failures(layout: Layout) -> list[FailedImage]:
    """The failures in the order of the file, without a torn last line.

    raises: DatasetError for any other line that is not a failure
    """
    *lines, _ = _content(layout).split(b"\n")
    return [_parsed(line, layout, number) for number, line in enumerate(lines, start=1)]


def append_failures(layout: Layout, failures: Iterable[FailedImage]) -> None:
    """Record failures at once; raises DatasetError where the disk refuses."""
    lines = "".join(map(_line, failures))
    if lines:
        _folder(layout).append(layout.failures.name, lines.encode())


def sort_failures(layout: Layout) -> list[FailedImage]:
    """Bring the file into the order of the index, each index once; returns its failures."""
    failures = open_failures(layout)
    ordered = [failures[index] for index in sorted(failures)]
    lines = "".join(map(_line, ordered)).encode()
    if lines != _content(layout):
        _folder(layout).write(layout.failures.name, lines)
    return ordered


def is_failure_line(line: bytes) -> bool:
    """Whether blendgen wrote a line."""
    try:
        FailedImage.model_validate_json(line, strict=True)
    except ValidationError:
        return False
    return True


def _folder(layout: Layout) -> Folder:
    return Folder(layout.root, layout.temporary.name)


def _line(failure: FailedImage) -> str:
    return json.dumps(failure.model_dump(), ensure_ascii=False) + "\n"


def _content(layout: Layout) -> bytes:
    path = layout.failures
    if links_outside(path):
        raise DatasetError(f"{path}: is a link that leads out of the data set; put the file itself there")
    try:
        return read_bounded(path, _MAX_BYTES)
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read: {error.strerror}") from None


def _parsed(line: bytes, layout: Layout, number: int) -> FailedImage:
    try:
        return FailedImage.model_validate_json(line, strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"])) or "the line"
        raise DatasetError(
            f"{layout.failures}:{number}: not a failed image ({field}: {first['msg']}); remove this line, "
            "and its image is tried again"
        ) from None
