"""Detect: what a detector finds in photos.

In: a Detector and photos. Out: Findings in the order of the files, and CSV of them.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from blendgen.detection.coco_photos import READ_PX
from blendgen.detection.detector import Boxes, Detector
from blendgen.files.photos import opened_photo, upright_size
from blendgen.photos.folder import photo_folder
from blendgen.system.progress import Progress


@dataclass(frozen=True)
class FoundBox:
    """box: x0, y0, x1, y1 in pixels of the photo, upright; score: probability of the class"""

    label: str
    score: float
    box: tuple[float, float, float, float]

    def facts(self) -> dict[str, Any]:
        return {"label": self.label, "score": self.score, "box": [round(one, 2) for one in self.box]}


@dataclass(frozen=True)
class Finding:
    """A photo, and what is in it, the surest first."""

    photo: Path
    size_px: tuple[int, int]
    boxes: tuple[FoundBox, ...]

    def facts(self) -> dict[str, Any]:
        width, height = self.size_px
        boxes = [one.facts() for one in self.boxes]
        return {"photo": str(self.photo), "width": width, "height": height, "boxes": boxes}


@dataclass(frozen=True)
class Findings:
    """left_out: a message for each file that could not be read"""

    classes: tuple[str, ...]
    threshold: float
    findings: tuple[Finding, ...]
    left_out: tuple[str, ...]

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.findings)

    def __len__(self) -> int:
        return len(self.findings)

    def facts(self) -> dict[str, Any]:
        return {
            "schema_version": 1, "classes": [*self.classes], "threshold": self.threshold,
            "photos": [one.facts() for one in self.findings], "left_out": [*self.left_out],
        }  # fmt: skip

    def csv(self) -> str:
        """A line for each box."""
        text = io.StringIO(newline="")
        table = csv.writer(text, lineterminator="\n")
        table.writerow(["photo", "label", "score", "x0", "y0", "x1", "y1"])
        for one in self.findings:
            for box in one.boxes:
                table.writerow(
                    [one.photo, box.label, f"{box.score:.6g}", *(f"{number:.2f}" for number in box.box)]
                )
        return text.getvalue()


def detect(
    detector: Detector, places: Sequence[Path], threshold: float | None, progress: Progress
) -> Findings:
    """places: photos, and folders of photos, at any depth; threshold: of the score, None for the model's

    raises: UsageError where there are no photos that can be read
    """
    limit = detector.threshold if threshold is None else threshold
    folders = [photo_folder(place) for place in places]
    progress.begin(sum(len(folder.files) for folder in folders), "photo")
    findings: list[Finding] = []
    for folder in folders:
        before = len(findings)
        for path, image in folder.images(READ_PX):
            with opened_photo(path) as opened:
                size = upright_size(opened)
            detections = detector.boxes_of(detector.input(image), size).above(limit)
            findings.append(Finding(path, size, _boxes(detector, detections)))
            progress.advance(1)
        folder.require(len(findings) - before)
    left_out = tuple(message for folder in folders for message in folder.left_out)
    return Findings(detector.classes, limit, tuple(findings), left_out)


def _boxes(detector: Detector, detections: Boxes) -> tuple[FoundBox, ...]:
    rows = zip(detections.labels, detections.scores, detections.boxes.tolist(), strict=True)
    return tuple(FoundBox(detector.classes[label], float(score), tuple(box)) for label, score, box in rows)
