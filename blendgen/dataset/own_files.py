"""Own files: dataset.json and spec.yaml of a finished data set, which a stranger may have written.

In: the layout of a folder. Out: the record, checked, and the text of the spec.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

from blendgen.dataset.layout import Layout
from blendgen.dataset.ownership import MERGING_KEY, MIXTURE_KEY, NOT_MERGED, UNFINISHED_MERGE
from blendgen.dataset.schema import MAX_RECORD_BYTES, parsed_json, record_fault
from blendgen.errors import DatasetError, DiskUnavailable
from blendgen.files.disk import read_error
from blendgen.files.regular_file import MAX_TEXT_BYTES, links_outside, read_bounded

NOT_A_DATA_SET = "is a mixture for training, not a data set; give the data set that `blendgen mix` read"


def finished_record(layout: Layout) -> dict[str, Any]:
    """dataset.json; raises DatasetError unless it is that of a finished data set."""
    if not os.path.lexists(layout.record):
        if layout.shards.is_dir():
            raise DatasetError(f"{layout.root}: {NOT_MERGED}")
        raise DatasetError(
            f"{layout.root}: does not contain a data set of blendgen (dataset.json is missing); give the OUT "
            "of `blendgen generate`"
        )
    try:
        record = parsed_json(_own_bytes(layout.record, MAX_RECORD_BYTES), MAX_RECORD_BYTES)
    except ValueError as error:
        raise DatasetError(f"{layout.record}: cannot be read: {error}") from None
    if not isinstance(record, dict):
        raise DatasetError(f"{layout.record}: is not the record of a data set")
    if _is_of_mixture(record):
        raise DatasetError(f"{layout.root}: {NOT_A_DATA_SET}")
    if MERGING_KEY in record:
        raise DatasetError(f"{layout.root}: {UNFINISHED_MERGE}")
    missing = [key for key in ("name", "digest", "classes", "images_per_split") if key not in record]
    if missing:
        raise DatasetError(
            f"{layout.record}: lacks {missing[0]!r}: the run has probably not finished; run `blendgen "
            "generate` again"
        )
    fault = record_fault(record)
    if fault:
        raise DatasetError(f"{layout.record}: is not the record of a data set: {fault}")
    return record


def is_mixture(layout: Layout) -> bool:
    """Whether `mix` made the folder, which then has a manifest and a dataset.json, but of other content.

    raises: DiskUnavailable
    """
    try:
        return _is_of_mixture(parsed_json(_own_bytes(layout.record, MAX_RECORD_BYTES), MAX_RECORD_BYTES))
    except DiskUnavailable:
        raise
    except (DatasetError, ValueError):
        return False


def _is_of_mixture(record: Any) -> bool:
    return isinstance(record, dict) and MIXTURE_KEY in record and "images_per_split" not in record


def spec_bytes(layout: Layout) -> bytes:
    """The content of spec.yaml; raises DatasetError if it cannot be read."""
    return _own_bytes(layout.spec, MAX_TEXT_BYTES)


def spec_sha256_of(layout: Layout) -> str:
    """Hex sha256 of spec.yaml; raises DatasetError if it cannot be read."""
    return hashlib.sha256(spec_bytes(layout)).hexdigest()


def _own_bytes(path: Path, max_bytes: int) -> bytes:
    """All of a file that is not part of an image; raises DatasetError."""
    if links_outside(path):
        raise DatasetError(
            f"{path}: is a link that leads out of the data set; replace it with the file itself"
        )
    try:
        return read_bounded(path, max_bytes)
    except OSError as error:
        raise read_error(path, error) from None
