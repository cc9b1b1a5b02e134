"""Analysis: everything that a report shows of one data set.

In: its folder. Out: plain values, which are report.json, and the chunks of its gallery. Rows are read once.
Images are opened for measures and thumbnails: all of them up to 20,000, evenly spaced ones beyond.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from blendgen.dataset.failures import read_failure_lines
from blendgen.dataset.layout import Layout
from blendgen.dataset.source import Source, open_source
from blendgen.dataset.store import devices_of
from blendgen.errors import BlendgenError, DatasetError, UsageError
from blendgen.files.photos import IMAGE_ERRORS
from blendgen.geometry.arrays import ImageHW3U8
from blendgen.reports.gallery import Gallery, Sink, table_values
from blendgen.reports.histogram import rounded
from blendgen.reports.measures import Measures, blurred, measures, near_duplicates
from blendgen.reports.parameters import Parameters, varied_parameters
from blendgen.reports.survey import Survey
from blendgen.scene.row import Row
from blendgen.spec.load import load_spec
from blendgen.spec.model import Spec

MEASURED_LIMIT = 20_000
GALLERY_LIMIT = 100_000
_MOST_LISTED = 500
_MOST_FAILURES = 1000
_VERSIONS = ("blendgen_version", "blender_version", "python_version", "numpy_version", "pixels_version")
_FIRST_COLUMNS = ("index", "label", "split", "colorway", "shot", "objects", "visible_fraction", "size_share")
_LAST_COLUMNS = ("brightness", "sharpness", "noise", "file", "thumbnail")


@dataclass(frozen=True)
class Limits:
    """measured: images that are opened at most; gallery: rows of its table at most"""

    measured: int = MEASURED_LIMIT
    gallery: int = GALLERY_LIMIT

    def __post_init__(self) -> None:
        if self.measured < 0:
            raise UsageError(f"measured: expected a number of images, got {self.measured}")


ALL_LIMITS = Limits()


class Analysis:
    """source: the data set; sink: gets the chunks of the gallery; limits: of both"""

    def __init__(self, source: Source, sink: Sink, limits: Limits):
        self.source, self._limits = source, limits
        self._spec, self._spec_fault = _spec_of(source)
        self._parameters = varied_parameters(self._spec) if self._spec else Parameters((), ())
        names = [one.name for one in self._parameters.recorded]
        self.columns = [*_FIRST_COLUMNS, *names, *_LAST_COLUMNS]
        self._survey = Survey(source.classes, tuple(source.split_names), self._parameters)
        self._gallery = Gallery(source, self.columns, sink)
        self._measured: list[tuple[int, int, Measures]] = []
        self._unreadable: list[dict[str, Any]] = []  # the first _MOST_LISTED of them
        self._unreadable_count = 0
        self._kinds: Counter[str] = Counter()
        self._has_files = False

    def run(self, advance: Callable[[int], None]) -> dict[str, Any]:
        """Read all rows; returns what report.json states of the data set."""
        measured = Spread(self.source.images, self._limits.measured)
        shown = Spread(self.source.images, self._limits.gallery)
        for number, row in enumerate(self.source.rows()):
            self._add(number, row, number in measured, number in shown)
            advance(1)
        self._gallery.close()
        return self._result()

    def _add(self, number: int, row: Row, is_measured: bool, is_shown: bool) -> None:
        values = self._survey.add(row)
        self._kinds.update(row.files.keys())
        is_file = is_shown and (self.source.root / row.image.name).is_file()
        self._has_files = self._has_files or is_file
        image = self._image(row) if is_measured else None
        own = None if image is None else measures(image)
        if own is not None:
            self._measured.append((row.index, row.shot_index, own))
        if is_shown:
            is_there = is_file and not (is_measured and image is None)
            self._gallery.add(number + 1, row, table_values(row, values, own), image, is_there)

    def _image(self, row: Row) -> ImageHW3U8 | None:
        try:
            return self.source.image(row)
        except (DatasetError, *IMAGE_ERRORS) as error:
            self._unreadable_count += 1
            if len(self._unreadable) < _MOST_LISTED:
                self._unreadable.append({"index": row.index, "message": str(error)})
            return None

    def _result(self) -> dict[str, Any]:
        record = self.source.record
        return {
            "name": self.source.name,
            "digest": self.source.digest,
            "versions": {key: record[key] for key in _VERSIONS if key in record},
            "devices": devices_of(record),
            "seed": record.get("seed"),
            "resolution": record.get("resolution"),
            "exposures_per_shot": record.get("exposures_per_shot"),
            "wanted_images": self._spec.images if self._spec else None,
            "splits": dict(self._spec.splits) if self._spec else {},
            "hold_out": self._spec.hold_out if self._spec else {},
            "sampling": self._spec.sampling if self._spec else None,
            "spec_fault": self._spec_fault,
            "left_out": record.get("left_out", []),
            "label_files": dict(self._kinds),
            "has_image_files": self._has_files,  # not if they are in large files
            "gallery_images": self._gallery.rows,
            **self._survey.as_dict(),
            "failures": _failures(self.source),
            "quality": self._quality(),
        }

    def _quality(self) -> dict[str, Any]:
        """What the opened images show; lists have the numbers of images, at most 500 each."""
        own = [one for _, _, one in self._measured]
        indices = [index for index, _, _ in self._measured]
        blurred_places = blurred([one.sharpness for one in own])
        pairs, is_complete = near_duplicates(
            [one.picture for one in own], [shot for _, shot, _ in self._measured]
        )
        lists: dict[str, list[Any]] = {
            "dark": [index for index, one in zip(indices, own, strict=True) if one.is_dark],
            "bright": [index for index, one in zip(indices, own, strict=True) if one.is_bright],
            "blurred": [indices[place] for place in blurred_places],
            "near_duplicates": [[indices[a], indices[b]] for a, b in pairs],
        }
        return {
            "measured_images": len(own),
            "unreadable": self._unreadable,
            "near_duplicates_are_complete": is_complete,
            "counts": {
                "unreadable": self._unreadable_count,
                **{name: len(listed) for name, listed in lists.items()},
            },
            **{name: listed[:_MOST_LISTED] for name, listed in lists.items()},
            **{name: _spread_of([getattr(one, name) for one in own]) for name in _LAST_COLUMNS[:3]},
        }


class Spread:
    """At most `limit` of `total` positions, evenly spaced."""

    def __init__(self, total: int, limit: int):
        self._total, self._limit = total, limit

    def __contains__(self, number: int) -> bool:
        if self._total <= self._limit:
            return True
        return number * self._limit // self._total != (number - 1) * self._limit // self._total


def analysed(
    folder: Path, sink: Sink, limits: Limits, begin: Callable[[int], None], advance: Callable[[int], None]
) -> tuple[dict[str, Any], list[str]]:
    """(what report.json states, columns of the gallery's table) of the data set in a folder.

    raises: DatasetError where there is no finished data set, or a row that cannot be read
    """
    analysis = Analysis(open_source(folder), sink, limits)
    begin(analysis.source.images)
    return analysis.run(advance), analysis.columns


def _spec_of(source: Source) -> tuple[Spec | None, str | None]:
    """The spec of a data set, or why it cannot be read."""
    try:
        return load_spec(Layout(source.root).spec).spec, None
    except BlendgenError as error:
        return None, str(error)


def _failures(source: Source) -> dict[str, Any]:
    """Images that cannot be made, all of them by reason, the first ones with their messages."""
    layout, per_reason = Layout(source.root), Counter[str]()
    listed: list[dict[str, Any]] = []
    if layout.failures.exists():
        for _, failure in read_failure_lines(layout):
            per_reason[str(failure.reason)] += 1
            if len(listed) < _MOST_FAILURES:
                listed.append(failure.model_dump(mode="json"))
    return {"per_reason": dict(sorted(per_reason.items())), "listed": listed}


def _spread_of(values: list[float], bins: int = 24) -> dict[str, Any] | None:
    """A histogram of measured values; None without any."""
    if not values:
        return None
    import numpy as np

    counts, edges = np.histogram(values, bins)
    return {"edges": [rounded(float(edge), 4) for edge in edges], "counts": [int(one) for one in counts]}
