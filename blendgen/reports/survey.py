"""Survey: one pass over the rows of a data set, which counts all that a report shows of them.

In: Rows in the order of their indices. Out: plain values for report.json. Memory does not grow with the rows.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

from blendgen.reports.histogram import Histogram, bins_of
from blendgen.reports.parameters import Parameters, Value
from blendgen.reports.shortcuts import BINS as NUISANCE_BINS
from blendgen.reports.shortcuts import Shortcut, judged
from blendgen.scene.row import Row

HEAT_SIDE = 24
_SHARE_BINS = 20
_MOST_COLORWAYS = 2000
_SUBJECT = 1
# the look of the subject itself
_NOT_NUISANCES = ("condition.",)


class Survey:
    """classes: labels by label_id; splits: names; parameters: what the spec lets vary"""

    def __init__(self, classes: tuple[str, ...], splits: tuple[str, ...], parameters: Parameters):
        self.classes, self.splits = classes, splits
        self.images = self.shots = self.objects = self.resampled_shots = 0
        self.per_class: Counter[tuple[str, str]] = Counter()
        self.colorways: Counter[tuple[str, str, str]] = Counter()
        self.attempts: Counter[int] = Counter()
        self.object_counts: Counter[int] = Counter()
        self.heat = [[0] * HEAT_SIDE for _ in range(HEAT_SIDE)]
        self.sizes, self.visible = [0] * _SHARE_BINS, [0] * _SHARE_BINS
        self._histograms = [Histogram(parameter) for parameter in parameters.recorded]
        self._not_recorded = parameters.not_recorded
        self._split_ids = {split: number for number, split in enumerate(splits)}
        self._split_shortcut = Shortcut("split", len(classes), len(splits))
        self._nuisances = [
            (histogram.parameter, bins_of(histogram.parameter, NUISANCE_BINS))
            for histogram in self._histograms
            if not histogram.parameter.name.startswith(_NOT_NUISANCES)
        ]
        self._shortcuts = [Shortcut(one.name, len(classes), len(bins)) for one, bins in self._nuisances]
        self._last_shot = -1

    def add(self, row: Row) -> dict[str, list[Value]]:
        """Count a row; returns the values of its parameters by name."""
        is_new_shot, self._last_shot = row.shot_index != self._last_shot, row.shot_index
        self.images += 1
        self.per_class[row.label, row.split] += 1
        self._add_objects(row)
        if is_new_shot:
            self._add_shot(row)
        values = {one.parameter.name: one.parameter.values(row) for one in self._histograms}
        self._add_values(row, values, is_new_shot)
        return values

    def _add_shot(self, row: Row) -> None:
        self.shots += 1
        attempt = row.shot_values.get("attempt")
        attempt = attempt if isinstance(attempt, int) and 0 <= attempt < 10**6 else 0
        self.attempts[min(attempt, 9)] += 1
        self.resampled_shots += attempt > 0
        self._split_shortcut.add(row.label_id, self._split_ids[row.split])

    def _add_values(self, row: Row, values: dict[str, list[Value]], is_new_shot: bool) -> None:
        for histogram in self._histograms:
            if is_new_shot or histogram.parameter.is_per_image:
                for value in values[histogram.parameter.name]:
                    histogram.add(value)
        for (parameter, bins), shortcut in zip(self._nuisances, self._shortcuts, strict=True):
            own = values[parameter.name]
            if own and (is_new_shot or parameter.is_per_image):
                shortcut.add(row.label_id, bins.number(own[0]))

    def _add_objects(self, row: Row) -> None:
        objects = row.objects
        self.objects += len(objects)
        self.object_counts[len(objects)] += 1
        for (x, y, width, height), visible in zip(objects.bbox, objects.visible_fraction, strict=True):
            self.heat[_bin((y + height / 2) / row.height, HEAT_SIDE)][
                _bin((x + width / 2) / row.width, HEAT_SIDE)
            ] += 1
            self.sizes[_bin(math.sqrt(width * height / (row.width * row.height)), _SHARE_BINS)] += 1
            self.visible[_bin(visible, _SHARE_BINS)] += 1
        for place in range(len(objects)):
            key = objects.category[place], objects.product[place], objects.colorway[place]
            if key in self.colorways or len(self.colorways) < _MOST_COLORWAYS:
                self.colorways[key] += 1

    def as_dict(self) -> dict[str, Any]:
        histograms = {one.parameter.name: one.as_dict() for one in self._histograms if any(one.counts)}
        empty = [one.parameter.name for one in self._histograms if not any(one.counts)]
        used = [one for one in self._shortcuts if one.counts.any()]
        return {
            "images": self.images,
            "shots": self.shots,
            "visible_objects": self.objects,
            "resampled_shots": self.resampled_shots,
            "attempts": dict(sorted(self.attempts.items())),
            "images_per_class_and_split": [
                {"label": label, "split": split, "images": self.per_class[label, split]}
                for label in self.classes
                for split in self.splits
            ],
            "colorways": [
                {"label": label, "product": product, "colorway": colorway, "objects": count}
                for (label, product, colorway), count in sorted(self.colorways.items())
            ],
            "images_per_object_count": dict(sorted(self.object_counts.items())),
            "box_centers": self.heat,
            "box_size_share": self.sizes,
            "visible_fraction": self.visible,
            "parameters": histograms,
            "parameters_without_values": sorted([*self._not_recorded, *empty]),
            "shortcuts": judged([self._split_shortcut, *used]),
        }


def subject_place(row: Row) -> int | None:
    """Position of the subject among the objects of a row; None where it is not visible."""
    ids = row.objects.instance_id
    return ids.index(_SUBJECT) if _SUBJECT in ids else None


def _bin(share: float, count: int) -> int:
    return min(max(int(share * count), 0), count - 1)
