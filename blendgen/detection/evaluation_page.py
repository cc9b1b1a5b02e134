"""Evaluation page: average precision, the threshold, and the photos with most mistakes, for people.

In: the facts of an evaluation, and the photos with what was found in them. Out: HTML.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from blendgen.detection.boxed_picture import BoxedPicture
from blendgen.detection.detector import Boxes
from blendgen.detection.drawing import drawn
from blendgen.detection.mistakes import Mistakes
from blendgen.detection.run_page import precision_table, share
from blendgen.reports.html_page import page, paragraph, picture, table, text

_SHOWN = 24
_STYLE = """
.pictures { display: flex; flex-wrap: wrap; gap: 12px; align-items: flex-start; }
.pictures figure { width: auto; max-width: 240px; }
"""


def evaluation_page(
    facts: dict[str, Any], photos: Sequence[BoxedPicture], detections: Sequence[Boxes],
    mistakes: Sequence[Mistakes],
) -> bytes:  # fmt: skip
    sections = [
        ("Average precision", precision_table(facts)),
        ("At the threshold of the model", _at_threshold(facts)),
        ("Files of the run", _models(facts["models"])),
        ("Photos with most mistakes", _pictures(facts, photos, detections, mistakes)),
        ("Made of", _made_of(facts)),
    ]
    count = facts["photos"]
    summary = f"{count['count']} photos with {count['boxes']} boxes of {len(facts['classes'])} classes"
    title = f"{facts['dataset']['name']}: evaluation of a detector"
    return page(title, summary, sections, facts["notes"], _STYLE)


def _at_threshold(facts: dict[str, Any]) -> str:
    own = facts["at_threshold"]
    rows = [
        ["right", own["right"]], ["missed", own["missed"]], ["not right", own["extra"]],
        ["of these on a box of another class", own["of_another_class"]],
        ["precision", share(own["precision"])], ["recall", share(own["recall"])],
    ]  # fmt: skip
    return paragraph(
        f"Boxes with a score of at least {facts['threshold']:.3g}, which gave the largest F1 on pictures "
        "that were left out of the training.",
        "quiet",
    ) + table(["boxes", ""], rows, (1,))


def _models(models: dict[str, Any]) -> str:
    rows = [
        [one["file"], f"{one['file_bytes'] / 1e6:.1f} MB", share(one["map50"]), share(one["map50_95"])]
        for one in models.values()
    ]
    return table(["file", "size", "mAP50", "mAP50:95"], rows, (1, 2, 3))


def _pictures(
    facts: dict[str, Any], photos: Sequence[BoxedPicture], detections: Sequence[Boxes],
    mistakes: Sequence[Mistakes],
) -> str:  # fmt: skip
    worst = sorted(range(len(photos)), key=lambda number: (-mistakes[number].count, photos[number].name))
    shown = [number for number in worst[:_SHOWN] if mistakes[number].count]
    if not shown:
        return paragraph("None.")
    figures = "".join(_figure(facts, photos[n], detections[n], mistakes[n]) for n in shown)
    note = paragraph("Dashed: the boxes of the photo; solid: what was found, with its score.", "quiet")
    return f'{note}<div class="pictures">{figures}</div>'


def _figure(facts: dict[str, Any], photo: BoxedPicture, detections: Boxes, own: Mistakes) -> str:
    image = drawn(photo, detections.above(facts["threshold"]), facts["classes"])
    caption = f"{photo.name}: {own.missed} missed, {own.extra} not right"
    return f"<figure>{picture(image, photo.name)}<figcaption>{text(caption)}</figcaption></figure>"


def _made_of(facts: dict[str, Any]) -> str:
    backbone = facts["backbone"]
    rows = [
        ["run", facts["run"]],
        ["photos", facts["photos"]["folder"]],
        ["data set", f"{facts['dataset']['name']}, digest {facts['dataset']['digest']}"],
        ["backbone", f"{backbone['name']} ({backbone['package']} {backbone['package_version']})"],
        ["blendgen", facts["blendgen"]],
    ]
    return table(["", ""], rows)
