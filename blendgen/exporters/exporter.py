"""Exporter: one record for each export format, and the options that formats share.

A module of this package that sets EXPORTER adds a format, and so does another package (docs/plugins.md);
formats.py collects them.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from blendgen.dataset.object_limits import ObjectLimits
from blendgen.dataset.source import Source
from blendgen.errors import UsageError
from blendgen.exporters.destination import Destination
from blendgen.exporters.licenses import check_license
from blendgen.exporters.row_fields import NO_FIELDS, RowFields

# field of Options -> the option of an export, where its name differs
_OPTIONS = {"shard_bytes": "shard_mb", "extras": "include"}

OUTLINES = ("rle", "polygon", "none")
LIMITS = ("min_visible", "min_area")
TASKS = ("detect", "segment", "obb", "pose", "classify")
MAX_MARGIN = 2
MIN_SHARD_MB, MAX_SHARD_MB = 0.001, 100_000
_CHOICES = {"outlines": OUTLINES, "task": TASKS}


@dataclass(frozen=True)
class Options:
    """Options of an export; each format accepts some of them.

    crops: one picture for each product, its box wider by this share on each side; None: whole images
    outlines: segmentation of coco, "rle", "polygon" or "none"
    task: of yolo, "detect", "segment", "obb", "pose" or "classify"
    shard_bytes: approximate size of a file that holds many images
    extras: other files of each image to include, such as "mask" for the file in mask_file_name
    quote_formulas: whether spreadsheets must not run names as formulas
    min_visible, min_area: objects of which a smaller share, or fewer pixels, are visible are not labels
    fields: dotted names of values of the rows that the export carries
    push_ready: of hf, a folder that the hub takes as it is, which is that of parquet
    row_fields: these fields as formats.py looks them up in the data set
    license: identifier of the licence of the data set on the Hugging Face hub; None: not stated
    """

    crops: float | None = None
    outlines: str = "rle"
    task: str = "detect"
    shard_bytes: int = 500 * 2**20
    extras: tuple[str, ...] = ()
    quote_formulas: bool = False
    min_visible: float = 0.0
    min_area: float = 0.0
    license: str | None = None
    fields: tuple[str, ...] = ()
    push_ready: bool = False
    row_fields: RowFields = NO_FIELDS

    def __post_init__(self) -> None:
        """Raises UsageError for a value that no format accepts."""
        for name, values in _CHOICES.items():
            if getattr(self, name) not in values:
                raise UsageError(f"{name}: expected one of {', '.join(values)}, got {getattr(self, name)!r}")
        if self.crops is not None and not 0 <= self.crops <= MAX_MARGIN:
            raise UsageError(f"crops: expected a margin from 0 to {MAX_MARGIN}, got {self.crops}")
        if self.license is not None:
            check_license(self.license)
        if not 0 <= self.min_visible <= 1:
            raise UsageError(f"min_visible: expected a share from 0 to 1, got {self.min_visible}")
        if not 0 <= self.min_area < math.inf:
            raise UsageError(f"min_area: expected a number of pixels, 0 or more, got {self.min_area}")

    @property
    def limits(self) -> ObjectLimits:
        return ObjectLimits(self.min_visible, self.min_area)

    @property
    def identity(self) -> dict[str, Any]:
        """What was asked for, without what was looked up."""
        return {name: one for name, one in vars(self).items() if name != "row_fields"}

    def given(self) -> list[str]:
        """The fields that differ from their defaults."""
        return [one.name for one in dataclasses.fields(self) if getattr(self, one.name) != one.default]


def shard_bytes(megabytes: float) -> int:
    """Options.shard_bytes of a size in megabytes; raises UsageError for one that is not possible."""
    if not MIN_SHARD_MB <= megabytes <= MAX_SHARD_MB:
        raise UsageError(
            f"shard_mb: expected a number from {MIN_SHARD_MB} to {MAX_SHARD_MB}, got {megabytes}"
        )
    return int(megabytes * 2**20)


def _accept(options: Options) -> None:
    """Accept every combination of options."""


@dataclass(frozen=True)
class Exporter:
    """An export format.

    name: on the command line
    summary: one line about what it writes, for `blendgen export --help`
    write: (source, destination, options, advance) -> counts; fills the destination and calls advance(1) for
        each image
    options: the fields of Options that it accepts
    check: raises UsageError for values of the options that do not go together
    marks_unclear: whether the format has a mark for objects beyond min_visible and min_area; others leave
        them out
    """

    name: str
    summary: str
    write: Callable[[Source, Destination, Options, Callable[[int], None]], dict[str, Any]]
    options: tuple[str, ...] = ()
    check: Callable[[Options], None] = _accept
    marks_unclear: bool = False


def check_options(exporter: Exporter, options: Options, others: Iterable[Exporter]) -> None:
    """Refuse options that the format does not accept; raises UsageError that names formats that do.

    others: all formats; not used where every option is accepted
    """
    for name in options.given():
        if name not in exporter.options:
            accepting = ", ".join(sorted(other.name for other in others if name in other.options))
            raise UsageError(f"{_OPTIONS.get(name, name)}: an option of {accepting}, not of {exporter.name}")
    if options.crops is not None and options.extras:
        raise UsageError("include: adds files of whole images and does not go together with crops")
    exporter.check(options)
