"""Shards: equal parts of a data set that several machines make at the same time.

In: a spec and "I/N", I from 0 to N-1. Out: the images of that shard and the folder that they are made in,
OUT/shards/00003-of-00010. A shard is a range of shots, with all their images, so that no shot is rendered
twice; the folder is a data set of its own, and `merge` makes one of all of them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from blendgen.dataset.layout import Layout
from blendgen.dataset.store import read_record
from blendgen.errors import DatasetError, UsageError
from blendgen.spec.model import Spec

MAX_SHARDS = 10_000_000
_TEXT = re.compile(r"([0-9]{1,20})/([0-9]{1,20})")
_NAME = re.compile(r"([0-9]{5,8})-of-([0-9]{5,8})")


@dataclass(frozen=True)
class Shard:
    """Shard `index`, from 0, of `count`; raises UsageError for one that does not exist."""

    index: int
    count: int

    def __post_init__(self) -> None:
        if not 1 <= self.count <= MAX_SHARDS:
            raise UsageError(f"shard: expected 1 to {MAX_SHARDS} shards, got {self.count}")
        if not 0 <= self.index < self.count:
            raise UsageError(
                f"shard: expected 0 to {self.count - 1} of {self.count} shards, got {self.index}"
            )

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"

    @property
    def name(self) -> str:
        """Of its folder; has the form of the names of TFRecord shards."""
        return f"{self.index:05d}-of-{self.count:05d}"

    def images(self, images: int, exposures_per_shot: int) -> range:
        """The indices of its images, of `images` in all; empty if there are more shards than shots."""
        shots = -(-images // exposures_per_shot)
        first, end = (number * shots // self.count for number in (self.index, self.index + 1))
        return range(first * exposures_per_shot, min(end * exposures_per_shot, images))


def shards_of(images: range, count: int, all_images: int, exposures_per_shot: int) -> Iterator[Shard]:
    """The shards, of `count`, that have some of these images, of `all_images` in all."""
    shots = -(-all_images // exposures_per_shot)
    if images and shots:
        first, last = (
            (min(index // exposures_per_shot, shots - 1) + 1) * count - 1 for index in (images[0], images[-1])
        )
        shards = (Shard(index, count) for index in range(first // shots, last // shots + 1))
        yield from (shard for shard in shards if shard.images(all_images, exposures_per_shot))


def parse_shard(text: str) -> Shard:
    """The shard of a text such as 3/10; raises UsageError."""
    match = _TEXT.fullmatch(text.strip())
    if match is None:
        raise UsageError(f"shard: expected I/N such as 0/10, with I from 0 to N-1, got {text[:80]!r}")
    return Shard(int(match[1]), int(match[2]))


def named_shard(name: str) -> Shard | None:
    """The shard whose folder has this name; None for other names."""
    match = _NAME.fullmatch(name)
    try:
        shard = Shard(int(match[1]), int(match[2])) if match else None
    except UsageError:
        return None
    return shard if shard is not None and shard.name == name else None


def shards_in(layout: Layout) -> list[Shard]:
    """The shards that have a folder, not a link, in that of a data set, in order; raises OSError."""
    try:
        entries = os.scandir(layout.shards)
    except (FileNotFoundError, NotADirectoryError):
        return []
    with entries:
        shards = [named_shard(entry.name) for entry in entries if entry.is_dir(follow_symlinks=False)]
    return sorted(filter(None, shards), key=lambda shard: (shard.count, shard.index))


def refuse_other_number(spec: Spec, shards: int) -> None:
    """Raises UsageError for a number of shards of which some would be empty."""
    shots = -(-spec.images // spec.exposures_per_shot)
    if not 1 <= shards <= shots:
        raise UsageError(f"shards: the spec has {shots} shots, so expected 1 to {shots} shards, got {shards}")


def shard_place(
    spec: Spec, folder: Path, shard: Shard | None, indices: Sequence[int] | None
) -> tuple[Path, Sequence[int] | None]:
    """The folder and the indices of a run over the data set in `folder`: those of a shard if there is one.

    raises: UsageError for a shard with indices; DatasetError if the folder is a data set already, or has
        shards of another number
    """
    if shard is None:
        return folder, indices
    if indices is not None:
        raise UsageError("a shard and indices (--shard and --index) exclude each other")
    layout = Layout(folder)
    place = layout.shards / shard.name
    if not place.exists() and read_record(layout):
        raise DatasetError(
            f"{folder}: is a data set already, and a shard of it cannot be made; leave out the shard to make "
            "the images that are missing"
        )
    _refuse_other_count(layout, shard)
    return place, shard.images(spec.images, spec.exposures_per_shot)


def is_later_shard(shard: Shard | None) -> bool:
    """Whether the first shots of the data set are in another shard."""
    return shard is not None and shard.index > 0


def _refuse_other_count(layout: Layout, shard: Shard) -> None:
    """So that an array with the failed tasks alone, which counts only these, is not taken for all tasks."""
    for other in shards_in(layout):
        if other.count != shard.count:
            raise DatasetError(
                f"{layout.shards / other.name}: is one of {other.count} shards, not of {shard.count}; make "
                f"shards of {other.count}, or move {layout.shards} away"
            )
