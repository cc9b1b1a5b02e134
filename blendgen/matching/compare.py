"""Compare: how images of a data set differ from photos, and which field of the spec moves each difference.

In: a folder of photos and a finished data set. Out: a Comparison, a page and a JSON file. Photos are shrunk
to the size of the images for the statistics of single pictures; how far apart both are for a network is said
by their Appearance.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from blendgen.dataset.dataset import Dataset, open_dataset
from blendgen.dataset.report_files import REPORT_MARK, is_report_file
from blendgen.errors import DatasetError, UsageError
from blendgen.files.folder import Folder
from blendgen.files.json_bytes import json_bytes
from blendgen.matching.appearance import Appearance, appearance
from blendgen.matching.appearance_section import appearance_section
from blendgen.matching.compare_page import comparison_page
from blendgen.matching.photo_set import MOST_PHOTOS, PhotoSet, read_photo_set, thumbnail
from blendgen.photos.measure import Measure
from blendgen.photos.sets import FEWEST, Difference, SetStatistic, differences, of_set
from blendgen.photos.statistics import measured
from blendgen.system.progress import Progress

PAGE = "compare-photos.html"
_SHOWN = 24


@dataclass(frozen=True)
class Comparison:
    """photos, images: statistics of both by name; differences: largest first

    appearance: for a network, or the reason why that is not known
    page: the HTML file; its numbers are in a JSON file of the same name
    """

    page: Path
    photo_count: int
    image_count: int
    photos: dict[str, SetStatistic]
    images: dict[str, SetStatistic]
    differences: tuple[Difference, ...]
    appearance: Appearance | str
    warnings: tuple[str, ...]
    left_out: tuple[str, ...]

    @property
    def differing(self) -> tuple[Difference, ...]:
        return tuple(one for one in self.differences if one.verdict == "differs")

    @property
    def varying(self) -> tuple[Difference, ...]:
        """Those of which photos or images vary more than the others."""
        return tuple(one for one in self.differences if one.varies)

    def as_dict(self) -> dict[str, Any]:
        """All of it as plain values, for JSON."""
        return {
            "page": str(self.page),
            "photos": self.photo_count,
            "images": self.image_count,
            "differences": [
                {
                    **one.as_dict(),
                    "of_photos": self.photos[one.name].as_dict(),
                    "of_images": self.images[one.name].as_dict(),
                }
                for one in self.differences
            ],
            "appearance": self._appearance(),
            "warnings": list(self.warnings),
            "left_out": list(self.left_out),
        }

    def _appearance(self) -> dict[str, Any]:
        apart = self.appearance
        return {"reason": apart} if isinstance(apart, str) else apart.as_dict()


def compare(place: Path, folder: Path, dest: Path | None, progress: Progress) -> Comparison:
    """Write the page of a comparison; dest: None for compare-photos.html in the data set's folder.

    raises: UsageError for the photos, or a file of somebody else in the way; DatasetError
    """
    page = folder / PAGE if dest is None else dest
    numbers = page.with_suffix(".json")
    _refuse_others(page, numbers)
    dataset = open_dataset(folder)
    if len(dataset) < FEWEST:
        raise UsageError(f"{folder}: has {len(dataset)} images; at least {FEWEST} are needed to compare")
    row = dataset.row(0)
    photos = read_photo_set(place, (row.width, row.height), progress)
    measures, thumbnails = _images(dataset, progress)
    result = _comparison(page, photos, measures, appearance(place, dataset, progress))
    shown = [photo.thumbnail for photo in photos.photos[:_SHOWN]], thumbnails
    target = Folder(page.parent, ".blendgen-partial")
    values = {"report": REPORT_MARK.decode(), "schema_version": 1, **result.as_dict()}
    target.write(numbers.name, json_bytes(values))
    names = place.resolve().name, folder.resolve().name
    section = "\n".join(appearance_section(result.appearance))
    target.write(page.name, comparison_page(result.as_dict(), names, shown, _values(result), section))
    target.remove_temporary_files()
    return result


def _comparison(
    page: Path, photos: PhotoSet, measures: list[dict[str, Measure]], apart: Appearance | str
) -> Comparison:
    images = of_set(measures)
    return Comparison(
        page, len(photos.photos), len(measures), photos.statistics, images,
        tuple(differences(photos.statistics, images)), apart, photos.warnings, photos.left_out,
    )  # fmt: skip


def _values(result: Comparison) -> dict[str, tuple[tuple[float, ...], tuple[float, ...]]]:
    """The values of single photos and images, by statistic."""
    return {name: (one.values, result.images[name].values) for name, one in result.photos.items()}


def _images(dataset: Dataset, progress: Progress) -> tuple[list[dict[str, Measure]], list[np.ndarray]]:
    """Statistics of at most 100 images, evenly chosen, and small pictures of some of them."""
    count = min(len(dataset), MOST_PHOTOS)
    positions = sorted({int(one) for one in np.linspace(0, len(dataset) - 1, count).round()})
    progress.begin(len(positions), "image")
    measures: list[dict[str, Measure]] = []
    thumbnails: list[np.ndarray] = []
    for position in positions:
        image = dataset.image(position)
        measures.append(measured(image))
        if len(thumbnails) < _SHOWN:
            thumbnails.append(thumbnail(image))
        progress.advance(1)
    return measures, thumbnails


def _refuse_others(page: Path, numbers: Path) -> None:
    if page.suffix != ".html":
        raise UsageError(f"{page}: the name of a page ends with .html")
    for path in (page, numbers):
        if os.path.lexists(path) and not is_report_file(path):
            raise DatasetError(
                f"{path}: exists and is not part of a report of blendgen; move it away, or choose another "
                "file name for the page (-o)"
            )
