"""Subset: some images of a data set as a data set of their own, with all their files.

In: a data set and a Selection. Out: DEST with the chosen files, in their places, and the chosen lines of the
manifest, unchanged: numbers of images and classes stay what they are. dataset.json states what the images
were chosen from; it is written last, so that a killed run leaves nothing that can be opened.
"""

from __future__ import annotations

import itertools
from array import array
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from blendgen.dataset.expression import Expression
from blendgen.dataset.image_lists import image_lists
from blendgen.dataset.label_registry import LABEL_FILES
from blendgen.dataset.layout import Layout
from blendgen.dataset.manifest import read_lines
from blendgen.dataset.ownership import SUBSET_KEY
from blendgen.dataset.source import Source, open_source
from blendgen.errors import UsageError, did_you_mean
from blendgen.exporters.derived import counts, derived_record, write_own_files
from blendgen.exporters.destination import Destination

LINKS = ("hard", "copy")  # a link that leads out of a data set is a fault of it


@dataclass(frozen=True)
class Selection:
    """Which images are chosen; raises UsageError for values that are not possible.

    where: an Expression; None: all images
    splits: names of splits; none: all of them
    every: of the images that match, the first and then every `every`-th
    limit: at most so many of these
    """

    where: str | None = None
    splits: tuple[str, ...] = ()
    every: int = 1
    limit: int | None = None

    def __post_init__(self) -> None:
        if self.where is not None:
            Expression(self.where)
        for name, count in (("every", self.every), ("limit", self.limit)):
            if count is not None and count < 1:
                raise UsageError(f"{name}: expected at least 1, got {count}")

    def positions(self, source: Source, advance: Callable[[int], None]) -> array[int]:
        """Where the chosen rows are in the manifest; advance(1) for each image that is looked at.

        raises: UsageError for an expression that has no value for a row, DatasetError
        """
        matching = self._matching(source, advance)
        return array("q", itertools.islice(itertools.islice(matching, 0, None, self.every), self.limit))

    def hint(self, source: Source) -> str:
        """The labels and splits of the condition that are not in the data set."""
        if self.where is None:
            return ""
        condition, known = Expression(self.where), {"label": source.classes, "split": source.splits}
        unknown = (
            f"; there is no {column} {text!r}{did_you_mean(text, names)}"
            for column, names in known.items()
            for text in condition.texts_of(column)
            if text not in names
        )
        return next(unknown, "")

    def _matching(self, source: Source, advance: Callable[[int], None]) -> Iterator[int]:
        expression = None if self.where is None else Expression(self.where)
        names = list(source.split_names)
        for position, split in enumerate(source.row_splits):
            advance(1)
            in_split = not self.splits or names[split] in self.splits
            if in_split and (expression is None or expression.matches(source.row(position))):
                yield position


def subset(
    folder: Path,
    dest: Path,
    selection: Selection,
    link: str = "hard",
    force: bool = False,
    advance: Callable[[int], None] = lambda count: None,
    begin: Callable[[int], None] = lambda total: None,
) -> dict[str, Any]:
    """Returns counts; raises UsageError where no image matches, DatasetError."""
    if link not in LINKS:
        raise UsageError(f"link: expected one of {', '.join(LINKS)}, got {link!r}")
    source = open_source(folder)
    for split in selection.splits:
        if split not in source.split_names:
            raise UsageError(f"{source.root}: has no split {split!r}{did_you_mean(split, source.splits)}")
    begin(source.images)
    chosen = selection.positions(source, advance)  # all of them, before anything is written
    if not chosen:
        hint = selection.hint(source)
        raise UsageError(f"{source.root}: none of its {source.images} images match{hint}; nothing is written")
    identity = {"format": "subset", **source.identity, **asdict(selection)}
    with Destination(dest, identity, link, force, (source.root,)) as destination:
        begin(len(chosen))
        pairs, has_lists = _place_images(source, chosen, destination, advance)
        origin = _origin(source, selection)
        record = derived_record(source, pairs, SUBSET_KEY, origin)
        write_own_files(source, record, origin, destination, has_lists)
    return counts(pairs)


def _place_images(
    source: Source, chosen: array[int], destination: Destination, advance: Callable[[int], None]
) -> tuple[Counter[tuple[str, str]], bool]:
    """Add the files and the lines of the chosen images; returns how many there are of each label and split,
    and whether there are lists of images."""
    pairs: Counter[tuple[str, str]] = Counter()
    with (
        destination.opened(Layout(source.root).manifest.name) as manifest,
        image_lists(destination.opened) as lists,
    ):
        for position, line in _lines(source, chosen):
            row = source.row(position)
            for name, file in row.files.items():
                destination.place(source.path(row, LABEL_FILES[name]), file.name)
            manifest.write(line)
            lists.add_row(row)
            pairs[row.label, row.split] += 1
            advance(1)
    return pairs, lists.are_needed


def _lines(source: Source, positions: array[int]) -> Iterator[tuple[int, bytes]]:
    """The positions, which are in order, with the lines of the manifest there."""
    wanted = iter(positions)
    following = next(wanted, None)
    for position, line in enumerate(read_lines(Layout(source.root).manifest)):
        if position == following:
            yield position, line
            following = next(wanted, None)


def _origin(source: Source, selection: Selection) -> dict[str, Any]:
    """What the images were chosen from, and how; for a subset of a subset also what that is one of."""
    earlier = {key: source.record[key] for key in (SUBSET_KEY,) if key in source.record}
    place = {"folder": str(source.root.resolve()), "images": source.images, "rows_sha256": source.rows_sha256}
    return {**place, **asdict(selection), **earlier}
