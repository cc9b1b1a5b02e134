"""Verify: a data set on disk against itself: every file, every row, every label that can be checked.

In: a folder. Out: Faults in the order of the manifest. Nothing is changed. A fault names the file and what is
wrong with it; which of two that disagree is wrong, it cannot know.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Container, Generator, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from blendgen.dataset.failures import FailedImage, count_reasons, failure_lines, read_failures
from blendgen.dataset.json_lines import BLOCK_BYTES
from blendgen.dataset.label_array import Channels
from blendgen.dataset.label_file import decode
from blendgen.dataset.label_registry import IMAGE
from blendgen.dataset.layout import Layout
from blendgen.dataset.own_files import NOT_A_DATA_SET, is_mixture, spec_sha256_of
from blendgen.dataset.ownership import MERGING_KEY, NOT_MERGED, UNFINISHED_MERGE
from blendgen.dataset.packed import ImageFiles, read_file
from blendgen.dataset.rows import MAX_ROW_BYTES, head_from, row_from, row_values_of
from blendgen.dataset.schema import validation_fault
from blendgen.dataset.store import read_record
from blendgen.errors import DatasetError
from blendgen.files.disk import raise_if_passing
from blendgen.files.regular_file import links_outside
from blendgen.scene.row import Row, RowFile, RowHead
from blendgen.verification.earlier import Earlier
from blendgen.verification.label_checks import label_faults
from blendgen.verification.pack_checks import pack_faults, strays
from blendgen.verification.row_checks import row_faults

# what a dataset.json of wrong types raises where rows are compared with it
_WRONG_TYPES = (KeyError, TypeError, ValueError, AttributeError, IndexError, ArithmeticError)


@dataclass(frozen=True)
class Fault:
    """place: file, or manifest.jsonl:line; what: in one line.

    index: of the image whose row or file it is
    """

    place: str
    what: str
    index: int | None = None

    def __str__(self) -> str:
        return f"{self.place}: {self.what}"


def verify(
    folder: Path,
    advance: Callable[[int], None] = lambda count: None,
    record: dict[str, Any] | None = None,
    only: Container[int] | None = None,
) -> Iterator[Fault]:
    """All faults of a data set; advance(1) for each row.

    record: instead of dataset.json; only: of other images, only that their rows can be read is checked
    """
    layout, earlier = Layout(Path(folder)), Earlier()
    record = read_record(layout) if record is None else record
    if not record and is_mixture(layout):
        yield Fault(layout.record.name, NOT_A_DATA_SET)
        return
    if MERGING_KEY in record:
        yield Fault(layout.record.name, UNFINISHED_MERGE)
        return
    if not record and layout.shards.is_dir():
        yield Fault(layout.shards.name, NOT_MERGED)
        return
    if links_outside(layout.record):
        yield Fault(layout.record.name, "is a link that leads out of the data set")
    elif not record:
        yield Fault(layout.record.name, "is missing or cannot be read")
    try:
        files = ImageFiles.of(layout, record)
    except DatasetError as error:
        yield Fault(layout.record.name, str(error).removeprefix("dataset.json: "))
        return
    manifest = layout.manifest.name
    for number, line in enumerate(_lines(layout.manifest), start=1):
        place = f"{manifest}:{number}"
        try:
            values = _values(line)
            head = head_from(values)
        except ValueError as error:
            yield Fault(place, f"is not a row ({error})")
            continue
        faults = chain(
            _head_faults(head, place, earlier),
            _row_faults(files, record, values, head, place, earlier)
            if only is None or head.index in only
            else (),
        )
        yield from (replace(fault, index=head.index) for fault in faults)
        advance(1)
    if links_outside(layout.manifest):
        yield Fault(layout.manifest.name, "is a link that leads out of the data set")
    elif not layout.manifest.is_file():
        yield Fault(layout.manifest.name, "is missing")
    yield from _failure_faults(layout, record, earlier)
    yield from _record_faults(record, earlier)
    yield from _spec_faults(layout, record)
    if files.plan is None:
        yield from (Fault(*one) for one in earlier.lists.faults(layout))
    yield from (Fault(*one) for one in chain(strays(files, earlier), pack_faults(files, record)))


def _lines(path: Path) -> Iterator[bytes]:
    """Lines; only the beginning of one that is too long for a row."""
    if path.is_file() and not links_outside(path):
        with path.open("rb", buffering=BLOCK_BYTES) as file:
            while line := file.readline(MAX_ROW_BYTES + 1):
                yield line
                while line and not line.endswith(b"\n"):
                    line = file.readline(MAX_ROW_BYTES)


def _values(line: bytes) -> dict[str, Any]:
    if not line.endswith(b"\n"):
        raise ValueError("torn off" if len(line) <= MAX_ROW_BYTES else "too long")
    return row_values_of(line)


def _whole_row(values: dict[str, Any], head: RowHead) -> Row:
    """The row of some columns, with a Shot and an Exposure that can be read; raises ValueError."""
    row = row_from(values, head)
    for name in ("shot", "exposure"):
        try:
            getattr(row, name)
        except ValidationError as error:
            raise ValueError(f"{name}.{validation_fault(error)}") from None
    return row


def _head_faults(row: RowHead, place: str, earlier: Earlier) -> Iterator[Fault]:
    if earlier.has_index(row.index):
        yield Fault(place, f"index {row.index} occurs twice")
    earlier.counts["split"][row.split] += 1
    earlier.counts["label"][row.label] += 1
    earlier.lists.add(row)
    for name in row.file_names:
        if earlier.has_file(name, row.index):
            yield Fault(place, f"{name} belongs to another row too")


def _row_faults(
    files: ImageFiles,
    record: dict[str, Any],
    values: dict[str, Any],
    head: RowHead,
    place: str,
    earlier: Earlier,
) -> Iterator[Fault]:
    try:
        row = _whole_row(values, head)
    except ValueError as error:
        yield Fault(place, f"is not a whole row ({error})")
        return
    try:
        yield from _whole_row_faults(files, record, row, place, earlier)
    except _WRONG_TYPES as error:
        yield Fault(place, f"cannot be checked: {type(error).__name__}: {error}")


def _whole_row_faults(
    files: ImageFiles, record: dict[str, Any], row: Row, place: str, earlier: Earlier
) -> Iterator[Fault]:
    if earlier.is_in_other_split(row.shot_index, row.split):
        yield Fault(place, f"shot {row.shot_index} is in two splits")
    if row.shot_index != row.index // record.get("exposures_per_shot", 1):
        yield Fault(place, f"index {row.index} does not belong to shot {row.shot_index}")
    images: dict[str, Channels] = {}
    for name, file in row.files.items():
        channels = yield from _file_faults(files, row, file, place, earlier)
        if channels is not None and name != IMAGE.name:
            images[name] = channels
    mask = images["mask"][""] if "mask" in images else None
    for what in row_faults(row, record.get("classes", ()), mask):
        yield Fault(place, what)
    for what in label_faults(row, record, images):
        yield Fault(place, what)


def _file_faults(
    files: ImageFiles, row: Row, file: RowFile, place: str, earlier: Earlier
) -> Generator[Fault, None, Channels | None]:
    """Faults of a file; returns its channels where it can be decoded and has the size of the image."""
    try:
        path = files.file(file.name)
        data = read_file(path)
    except ValueError as error:
        yield Fault(place, str(error))
        return None
    except FileNotFoundError:
        yield Fault(file.name, "is missing")
        return None
    except OSError as error:
        raise_if_passing(files.layout.root / file.name, error)
        yield Fault(file.name, f"cannot be read: {error.strerror}")
        return None
    yield from (Fault(file.name, what) for what in _content_faults(row, file, data, earlier))
    channels = decode(data, path.suffix, row.width * row.height)
    if channels is None:
        yield Fault(file.name, "cannot be decoded")
        return None
    height, width = next(iter(channels.values())).shape
    if (width, height) != (row.width, row.height):
        yield Fault(file.name, f"is {width} x {height} pixels, not {row.width} x {row.height}")
        return None
    return channels


def _content_faults(row: Row, file: RowFile, data: bytes, earlier: Earlier) -> Iterator[str]:
    if file.size_bytes is not None and file.size_bytes != len(data):
        yield f"is not the file that was written: {len(data)} bytes, not {file.size_bytes}"
    digest = hashlib.sha256(data).hexdigest()
    if digest != file.sha256:
        yield "is not the file that was written: its sha256 differs"
    if file == row.image and (other := earlier.image_with(digest, row.index)) is not None:
        yield f"is the same picture as that of image {other}"


def _failure_faults(layout: Layout, record: dict[str, Any], earlier: Earlier) -> Iterator[Fault]:
    """No image has a row and a failure, or two failures. Images with neither are not a fault, since a run
    may make any part of the images."""
    place = layout.failures.name
    try:
        failures, is_torn = read_failures(layout), failure_lines(layout).is_torn()
    except DatasetError as error:
        yield Fault(place, str(error).removeprefix(f"{layout.failures}:").lstrip())
        return
    if is_torn:
        yield Fault(f"{place}:{len(failures) + 1}", "is not a failed image (torn off)")
    try:
        yield from (Fault(place, what) for what in _failed_image_faults(failures, record, earlier))
    except _WRONG_TYPES as error:
        yield Fault(place, f"cannot be checked: {type(error).__name__}: {error}")
    counted = {"images_failed": len(failures), "images_failed_per_reason": count_reasons(failures)}
    for key, count in counted.items():
        if record and record.get(key, type(count)()) != count:
            yield Fault("dataset.json", f"{key} says {record.get(key)}, {place} says {count}")


def _failed_image_faults(
    failures: list[FailedImage], record: dict[str, Any], earlier: Earlier
) -> Iterator[str]:
    indices: set[int] = set()
    per_shot = record.get("exposures_per_shot", 1)
    for failure in failures:
        if failure.index in indices:
            yield f"index {failure.index} occurs twice"
        indices.add(failure.index)
        if failure.index in earlier.indices:
            yield f"index {failure.index} has a row in the manifest"
        if failure.shot_index != failure.index // per_shot:
            yield f"index {failure.index} does not belong to shot {failure.shot_index}"


def _record_faults(record: dict[str, Any], earlier: Earlier) -> Iterator[Fault]:
    if not record:
        return
    for key, counts in earlier.counts.items():
        recorded = record.get(f"images_per_{key}")
        if recorded != dict(counts):
            yield Fault("dataset.json", f"images_per_{key} says {recorded}, the rows say {dict(counts)}")
    images = len(earlier.indices)
    if record.get("images") != images:
        yield Fault("dataset.json", f"says {record.get('images')} images, the manifest has {images}")


def _spec_faults(layout: Layout, record: dict[str, Any]) -> Iterator[Fault]:
    """Without its spec, a data set can be neither repaired nor continued."""
    if links_outside(layout.spec):
        yield Fault(layout.spec.name, "is a link that leads out of the data set")
    elif "spec_sha256" in record and not layout.spec.is_file():
        yield Fault(layout.spec.name, "is missing")
    elif "spec_sha256" in record and spec_sha256_of(layout) != record["spec_sha256"]:
        yield Fault(layout.spec.name, "is not the file that was written: its sha256 differs")
