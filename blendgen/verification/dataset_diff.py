"""Dataset diff: what differs between two data sets: spec, dataset.json, classes, rows, pixels.

In: two finished data sets. Out: a DatasetDiff. Files are compared by the sha256 in the rows, which `verify`
compares with the files; nothing is changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from blendgen.dataset.layout import Layout
from blendgen.dataset.own_files import spec_bytes
from blendgen.dataset.source import Source, open_source
from blendgen.errors import UsageError
from blendgen.spec.yaml_source import parse
from blendgen.system.progress import Progress
from blendgen.verification.changes import Change, changes
from blendgen.verification.pixel_diff import PixelDiff, pixel_diff, spread
from blendgen.verification.row_diff import RowDiff, row_diff

# keys of dataset.json that follow from the classes, the spec and the rows, which are compared themselves
_DERIVED = ("classes", "spec_sha256", "images", "images_per_split", "images_per_label")


@dataclass(frozen=True)
class ClassDiff:
    """Labels that only one of the data sets has, and label -> its numbers in both, where they differ."""

    only_a: list[str]
    only_b: list[str]
    renumbered: dict[str, tuple[int, int]]

    @property
    def equal(self) -> bool:
        return not (self.only_a or self.only_b or self.renumbered)


@dataclass(frozen=True)
class DatasetDiff:
    """What differs between the data sets a and b.

    images: of each; spec: fields of spec.yaml; record: facts of dataset.json
    """

    a: Path
    b: Path
    images: tuple[int, int]
    spec: list[Change]
    record: list[Change]
    classes: ClassDiff
    rows: RowDiff
    pixels: PixelDiff

    @property
    def equal(self) -> bool:
        return not (self.spec or self.record) and self.classes.equal and self.rows.equal

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "a": {"folder": str(self.a), "images": self.images[0]},
            "b": {"folder": str(self.b), "images": self.images[1]},
            "equal": self.equal,
            "spec": [change.as_dict() for change in self.spec],
            "dataset": [change.as_dict() for change in self.record],
            "classes": vars(self.classes),
            "rows": self.rows.as_dict(),
            "pixels": self.pixels.as_dict(),
        }


def dataset_diff(folder_a: Path, folder_b: Path, pixels: int | None, progress: Progress) -> DatasetDiff:
    """Compare two data sets.

    pixels: how many of the images whose files differ are opened, evenly spaced; None for all of them
    raises: UsageError, DatasetError; SpecError for a spec.yaml that is not YAML
    """
    if pixels is not None and pixels < 0:
        raise UsageError(f"pixels: expected 0 or more images, got {pixels}")
    a, b = open_source(folder_a), open_source(folder_b)
    progress.begin(max(a.images, b.images), "row")
    rows = row_diff(a, b, progress.advance)
    progress.begin(len(spread(rows.images, pixels)))
    return DatasetDiff(
        a=a.root,
        b=b.root,
        images=(a.images, b.images),
        spec=list(changes(_spec(a), _spec(b))),
        record=list(changes(_facts(a), _facts(b))),
        classes=_class_diff(a.classes, b.classes),
        rows=rows,
        pixels=pixel_diff(a, b, rows.images, pixels, progress.advance),
    )


def _spec(source: Source) -> Any:
    layout = Layout(source.root)
    return parse(spec_bytes(layout).decode("utf-8", "replace"), str(layout.spec)).value


def _facts(source: Source) -> dict[str, Any]:
    return {key: value for key, value in source.record.items() if key not in _DERIVED}


def _class_diff(a: tuple[str, ...], b: tuple[str, ...]) -> ClassDiff:
    numbers_b = {label: number for number, label in enumerate(b)}
    numbers = {label: (number, numbers_b[label]) for number, label in enumerate(a) if label in numbers_b}
    return ClassDiff(
        [label for label in a if label not in numbers],
        [label for label in b if label not in numbers],
        {label: pair for label, pair in numbers.items() if pair[0] != pair[1]},
    )
