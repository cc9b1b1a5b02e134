"""Merge input: a shard, or another data set of the same spec, that becomes a part of a larger one.

In: its folder, which a stranger may have written. Out: its record, and its rows and failures one after the
other. Store.finish has sorted both, each index once; a file that is not sorted, or that has another number of
lines than dataset.json states, is that of a run that was killed, and the error says how to finish it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from blendgen.dataset.failures import FailedImage, failure_lines, read_failure_lines
from blendgen.dataset.json_lines import JsonLines
from blendgen.dataset.layout import Layout
from blendgen.dataset.lock import FolderLock
from blendgen.dataset.manifest import index_of, manifest_lines
from blendgen.dataset.own_files import finished_record, spec_bytes
from blendgen.dataset.ownership import MERGING_KEY, SUBSET_KEY
from blendgen.dataset.packed import ImageFiles
from blendgen.dataset.refined import refuse_refined
from blendgen.dataset.store import devices_of, read_record
from blendgen.errors import DatasetError, SpecError
from blendgen.farm.shards import Shard, named_shard
from blendgen.spec.yaml_source import parse


@dataclass(frozen=True, eq=False)
class MergeInput:
    """record: its dataset.json; is_output: whether it is the folder that is merged into.

    state: of its files when it was opened
    """

    layout: Layout
    record: dict[str, Any]
    state: tuple[Any, ...]
    is_output: bool = False

    @property
    def root(self) -> Path:
        return self.layout.root

    @cached_property
    def files(self) -> ImageFiles:
        """The files of its images; raises DatasetError."""
        return ImageFiles.of(self.layout, self.record)

    @property
    def shard(self) -> Shard | None:
        """As the name of its folder says; None for other names."""
        return named_shard(self.root.name)

    @cached_property
    def spec(self) -> bytes:
        """The content of its spec.yaml; raises DatasetError."""
        return spec_bytes(self.layout)

    @property
    def wanted_images(self) -> int:
        """How many images its spec asks for, those of other shards included; raises DatasetError."""
        images = _images_of(self.spec)
        if images is None:
            raise DatasetError(f"{self.layout.spec}: does not state a number of images")
        return images

    @cached_property
    def devices(self) -> list[dict[str, str]]:
        """The devices that its images were made on; raises DatasetError."""
        devices = devices_of(self.record)
        for device in devices:
            if not isinstance(device, dict) or not all(isinstance(text, str) for text in device.values()):
                raise DatasetError(f"{self.layout.record}: device: expected names and texts")
        return devices

    @property
    def counted(self) -> tuple[int, int]:
        """How many images dataset.json states, and how many that cannot be made."""
        failed = self.record.get("images_failed", 0)
        return sum(self.record["images_per_split"].values()), failed if isinstance(failed, int) else 0

    @property
    def exposures_per_shot(self) -> int:
        exposures = self.record.get("exposures_per_shot")
        return exposures if isinstance(exposures, int) and exposures > 0 else 1

    @cached_property
    def first_index(self) -> int | None:
        """The lowest index of its images and failures; None if it has none."""
        firsts = (next((index for index, _ in lines), None) for lines in (self.rows(), self.failures()))
        return min((first for first in firsts if first is not None), default=None)

    @property
    def has_changed(self) -> bool:
        """Whether its files are others than when it was opened."""
        return self.state != _state(self.layout)

    @property
    def is_merging(self) -> bool:
        return MERGING_KEY in self.record

    def rows(self) -> Iterator[tuple[int, tuple[bytes, int]]]:
        """The index, the line and the number of the line of each row; raises DatasetError where it is not
        finished."""
        path, count, last = self.layout.manifest, 0, -1
        for count, line in enumerate(self._whole(manifest_lines(path)).lines(), start=1):
            index = index_of(path, count, line)
            if index <= last:
                raise self.unfinished(f"row {count} of {path.name} is not in its place")
            last = index
            yield index, (line, count)
        if not self.is_merging:
            self._check_count(path, count, self.counted[0])

    def failures(self) -> Iterator[tuple[int, tuple[bytes, FailedImage]]]:
        """The index and the line of each image that cannot be made; raises DatasetError as rows does."""
        count, last = 0, -1
        self._whole(failure_lines(self.layout))
        for count, (line, failure) in enumerate(read_failure_lines(self.layout), start=1):
            if failure.index <= last:
                raise self.unfinished(f"line {count} of {self.layout.failures.name} is not in its place")
            last = failure.index
            yield failure.index, (line, failure)
        if not self.is_merging:
            self._check_count(self.layout.failures, count, self.counted[1])

    def unfinished(self, why: str) -> DatasetError:
        return unfinished_error(self.layout, why)

    def _whole(self, lines: JsonLines) -> JsonLines:
        if lines.is_torn():
            raise self.unfinished(f"the last line of {lines.path.name} is torn off")
        return lines

    def _check_count(self, path: Path, count: int, recorded: int) -> None:
        if count != recorded:
            raise self.unfinished(f"{path.name} has {count} lines, dataset.json says {recorded}")


def opened_input(folder: Path) -> MergeInput:
    """A finished shard; raises DatasetError where it is not one, or while a process writes to it."""
    layout = Layout(folder)
    if not folder.is_dir():
        raise DatasetError(f"{folder}: is not a folder; name those of the shards, or none for OUT/shards")
    if layout.lock.exists():
        with FolderLock(layout):
            pass
    known = read_record(layout)
    if "images_per_split" not in known and (known or named_shard(folder.name)):
        raise unfinished_error(layout, "its run was stopped before it could write dataset.json")
    state, record = _state(layout), finished_record(layout)
    if SUBSET_KEY in record:
        raise DatasetError(f"{folder}: is a subset of another data set; merge the whole data set")
    refuse_refined(folder, record, "merge shards first, and refine the result")
    return MergeInput(layout, record, state)


def output_input(layout: Layout, known: dict[str, Any]) -> MergeInput | None:
    """The data set in the folder that is merged into; None if there is none, or none with rows yet."""
    if not known or (MERGING_KEY in known and not layout.manifest.exists()):
        return None
    record = known if MERGING_KEY in known else finished_record(layout)
    return MergeInput(layout, record, _state(layout), is_output=True)


def unfinished_error(layout: Layout, why: str) -> DatasetError:
    shard = named_shard(layout.root.name)
    out = layout.root.parent.parent
    command = "generate" if shard is None else f"generate SPEC -o {out} --shard {shard}"
    return DatasetError(f"{layout.root}: is not finished: {why}; run `blendgen {command}` again")


def _state(layout: Layout) -> tuple[Any, ...]:
    """Changes when a run writes to the folder."""
    files = (layout.manifest, layout.failures, layout.record)
    statuses = (path.lstat() for path in files if os.path.lexists(path))
    return tuple((status.st_ino, status.st_size, status.st_mtime_ns) for status in statuses)


@lru_cache(maxsize=8)
def _images_of(spec: bytes) -> int | None:
    """`images` of the text of a spec; shards usually have the same text."""
    try:
        values = parse(spec.decode("utf-8", "replace"), "spec.yaml").value
    except SpecError:
        return None
    images = values.get("images") if isinstance(values, dict) else None
    return images if isinstance(images, int) and images > 0 else None
