"""Failures: OUT/failed.jsonl, one line per image that cannot be made, with the reason.

The file exists only in a data set with such images. Whether an image fails follows from the spec, the seed
and its index, as its pixels do, unless Blender was the reason. A later run tries none of them again, unless
it is asked to: a shot that takes Blender down would take it down in every run. Only the parent process
writes (see json_lines.py). At the end the lines are sorted by index.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError

from blendgen.dataset.json_lines import JsonLines
from blendgen.dataset.layout import Layout
from blendgen.dataset.rows import MAX_ROW_BYTES
from blendgen.errors import InfeasibleShot, Reason
from blendgen.files.folder import Folder
from blendgen.scene.frozen import FrozenModel
from blendgen.scene.row import Index

_HEAD = b'{"index": '  # of every line


class FailedImage(FrozenModel):
    """An image that cannot be made.

    reason: of errors.Reason; message: why, and a way out
    attempts: how often its shot was drawn
    """

    index: Index
    shot_index: Index
    reason: str
    message: str
    attempts: Annotated[int, Field(ge=1)]


def failed_images(image_indices: Iterable[int], shot: InfeasibleShot) -> list[FailedImage]:
    """The images of a shot of which no attempt was feasible."""
    attempts = len(shot.faults)
    return failed_together(image_indices, shot.shot_index, shot.reason, str(shot.fault), attempts)


def failed_together(
    image_indices: Iterable[int], shot_index: int, reason: Reason, message: str, attempts: int = 1
) -> list[FailedImage]:
    """The images of a shot, which all fail for the same reason."""
    facts = {"shot_index": shot_index, "reason": str(reason), "message": message, "attempts": attempts}
    return [FailedImage(index=index, **facts) for index in image_indices]


def count_reasons(failures: Iterable[FailedImage]) -> dict[str, int]:
    """Reason -> number of images, sorted by reason."""
    return dict(sorted(Counter(failure.reason for failure in failures).items()))


def open_failures(layout: Layout) -> dict[int, FailedImage]:
    """The failures of a data set by index, for a run that continues it; removes a torn last line.

    raises: DatasetError as read_failures
    """
    return {failure.index: failure for failure in _recovered(layout)}


def remove_failures(layout: Layout, indices: Collection[int]) -> None:
    """Forget that some images failed, so that they are tried again; raises DatasetError."""
    recorded = _recovered(layout)
    others = [failure for failure in recorded if failure.index not in indices]
    if others != recorded:
        _replace(layout, others)


def read_failures(layout: Layout) -> list[FailedImage]:
    """The failures in the order of the file, without a torn last line.

    raises: DatasetError for any other line that is not a failure
    """
    return [failure for _, failure in read_failure_lines(layout)]


def read_failure_lines(layout: Layout) -> Iterator[tuple[bytes, FailedImage]]:
    """The lines of the file with their failures, one by one; raises DatasetError as read_failures."""
    lines = failure_lines(layout)
    return ((line, _parsed(line, lines, number)) for number, line in enumerate(lines.lines(), start=1))


def append_failures(layout: Layout, failures: Iterable[FailedImage]) -> None:
    """Record failures at once; raises DatasetError where the disk refuses."""
    text = "".join(map(_line, failures))
    if text:
        lines = failure_lines(layout)
        with lines.opened_to_append() as file:
            lines.append(file, text)


def sort_failures(layout: Layout) -> list[FailedImage]:
    """Sort the file by index, each index once; returns its failures."""
    recorded = _recovered(layout)
    by_index = {failure.index: failure for failure in recorded}
    ordered = [by_index[index] for index in sorted(by_index)]
    if ordered != recorded:
        _replace(layout, ordered)
    return ordered


def _replace(layout: Layout, failures: list[FailedImage]) -> None:
    """Write the file with exactly these failures; without any, remove it."""
    if failures:
        _folder(layout).write(layout.failures.name, "".join(map(_line, failures)).encode())
    else:
        _folder(layout).remove(layout.failures.name)


def is_failure_file(path: Path) -> bool:
    """Whether blendgen wrote a file: it begins with a failure, or a killed run left it empty or torn."""
    with path.open("rb") as file:
        line = file.readline(MAX_ROW_BYTES)
    if not line.endswith(b"\n"):
        torn = line.rstrip(b"\0")  # a crash of the machine can leave zeros
        return torn.startswith(_HEAD) or _HEAD.startswith(torn)
    try:
        FailedImage.model_validate_json(line, strict=True)
    except ValidationError:
        return False
    return True


def failure_lines(layout: Layout) -> JsonLines:
    return JsonLines(layout.failures, "a failed image", "remove this line to have its image tried again")


def _recovered(layout: Layout) -> list[FailedImage]:
    """The failures, after a torn last line was removed, and the file with it where no line is left."""
    folder, name = _folder(layout), layout.failures.name
    with folder.disk_errors(name):
        failure_lines(layout).drop_torn_line()
        failures = read_failures(layout)
        if not failures:
            folder.remove(name)
    return failures


def _folder(layout: Layout) -> Folder:
    return Folder(layout.root, layout.temporary.name)


def _line(failure: FailedImage) -> str:
    return json.dumps(failure.model_dump(), ensure_ascii=False) + "\n"


def _parsed(line: bytes, lines: JsonLines, number: int) -> FailedImage:
    try:
        return FailedImage.model_validate_json(line, strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"])) or "the line"
        raise lines.fault(number, f"{field}: {first['msg']}") from None
