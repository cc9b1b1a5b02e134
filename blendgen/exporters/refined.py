"""Refined: a data set with the same labels as another one, and other pixels where these were changed.

In: a data set, and for each row a Change. Out: files in a Destination: the same lines of the manifest with
the new sha256 of the images, all other files linked or copied, and refined.jsonl with a line for each image.
dataset.json states what the images were and what has changed them; it is written last.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from blendgen.dataset.image_lists import image_lists
from blendgen.dataset.label_registry import IMAGE, LABEL_FILES
from blendgen.dataset.layout import Layout
from blendgen.dataset.manifest import read_lines
from blendgen.dataset.ownership import SUBSET_KEY
from blendgen.dataset.refined import REFINED_KEY, RESULTS_NAME
from blendgen.dataset.rows import json_line, line_with_image
from blendgen.dataset.source import Source
from blendgen.exporters.derived import derived_record, write_own_files
from blendgen.exporters.destination import Destination
from blendgen.scene.row import Row


@dataclass(frozen=True)
class Change:
    """data: the new file of an image, None where it stays as it was; why_left: in that case, for counts

    facts: its line of refined.jsonl, which states more
    """

    data: bytes | None
    why_left: str
    facts: dict[str, Any]


def write_refined(
    source: Source,
    destination: Destination,
    origin: dict[str, Any],
    change_of: Callable[[Row], Change],
    advance: Callable[[int], None],
) -> dict[str, Any]:
    """Returns dataset.json. origin: of the images, to which counts are added; raises DatasetError"""
    writing = _Writing(source, destination, change_of)
    with (
        destination.opened(Layout(source.root).manifest.name) as manifest,
        destination.opened(RESULTS_NAME) as results,
        image_lists(destination.opened) as lists,
    ):
        for position, line in enumerate(read_lines(Layout(source.root).manifest)):
            row = source.row(position)
            new_line, facts = writing.add(row, line)
            manifest.write(new_line)
            results.write(json_line(facts).encode())
            lists.add_row(row)
            advance(1)
    left = dict(sorted(writing.left.items()))
    origin = _origin(source) | origin | {"refined": writing.refined, "left": left}
    record = derived_record(source, writing.pairs, REFINED_KEY, origin)
    if SUBSET_KEY in record:  # it is now what the refined images are of
        origin[SUBSET_KEY] = record.pop(SUBSET_KEY)
    write_own_files(source, record, writing.digest, destination, lists.are_needed)
    return record


class _Writing:
    """pairs: labels and splits of the images so far; refined: how many have new pixels; left: why not"""

    def __init__(self, source: Source, destination: Destination, change_of: Callable[[Row], Change]):
        self._source, self._destination, self._change_of = source, destination, change_of
        self.pairs: Counter[tuple[str, str]] = Counter()
        self.refined, self.left = 0, Counter[str]()
        self._images = hashlib.sha256()

    @property
    def digest(self) -> str:
        """Of all images so far."""
        return self._images.hexdigest()

    def add(self, row: Row, line: bytes) -> tuple[bytes, dict[str, Any]]:
        """Add the files of an image; returns its lines of the manifest and of refined.jsonl."""
        for name, file in row.files.items():
            if name != IMAGE.name:
                self._destination.place(self._source.path(row, LABEL_FILES[name]), file.name)
        change = self._change_of(row)
        self.pairs[row.label, row.split] += 1
        sha256 = row.image.sha256
        if change.data is None:
            self._destination.place(self._source.path(row), row.image.name)
            self.left[change.why_left] += 1
        else:
            self._destination.write_bytes(row.image.name, change.data)
            sha256 = hashlib.sha256(change.data).hexdigest()
            line = line_with_image(line, sha256, len(change.data))
            self.refined += 1
        self._images.update(f"{row.image.name} {sha256}\n".encode())
        head = {"index": row.index, "file_name": row.image.name, "refined": change.data is not None}
        return line, {**head, "sha256": sha256, **change.facts}


def _origin(source: Source) -> dict[str, Any]:
    """What the images were; of images that had been refined before also that."""
    earlier = {key: source.record[key] for key in (REFINED_KEY,) if key in source.record}
    place = {"folder": str(source.root.resolve()), "images": source.images}
    return {**place, "rows_sha256": source.rows_sha256, **earlier}
