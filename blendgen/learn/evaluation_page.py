"""Evaluation page: accuracy, confusion, calibration, arms and the worst mistakes, for people.

In: the facts of an evaluation, and the pictures that it shows. Out: HTML.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from blendgen.learn.line_chart import CHART_STYLE, arms_chart, reliability_chart
from blendgen.learn.measures import percent
from blendgen.learn.paired import points
from blendgen.learn.pictures import PictureSet
from blendgen.reports.html_page import figure, page, paragraph, table, text

if TYPE_CHECKING:
    from blendgen.learn.evaluate import Mistake

_SHOWN = 24
_STYLE = """
.pictures { display: flex; flex-wrap: wrap; gap: 8px; align-items: flex-start; }
figure.mistake { margin-right: 12px; }
table.plain td.cell { text-align: right; padding: 4px 8px; min-width: 3.2em;
  font-variant-numeric: tabular-nums; }
table.plain td.right { outline: 2px solid var(--accent); outline-offset: -2px; }
"""


def evaluation_page(
    facts: dict[str, Any], mistakes: Sequence[Mistake], photos: PictureSet, renders: PictureSet | None
) -> bytes:
    name = facts["dataset"]["name"]
    sections = [("Accuracy", _accuracy(facts))]
    sections += [("Compared with other runs", _against(facts["against"]))] if facts["against"] else []
    sections += [("What else could be trained", _arms(facts["arms"]))] if facts["arms"] else []
    sections += [
        ("Which class was taken for which", _confusion(facts)),
        ("Files of the run", _models(facts["models"])),
        ("Calibration", _calibration(facts["calibration"])),
        ("The surest mistakes", _mistakes(mistakes, photos, renders)),
        ("Made of", _made_of(facts)),
    ]
    summary = f"{facts['photos']['count']} photos of {len(facts['classes'])} classes"
    return page(f"{name}: evaluation on photos", summary, sections, facts["notes"], _STYLE + CHART_STYLE)


def _accuracy(facts: dict[str, Any]) -> str:
    rows = [
        [one["label"], one["recall"]["count"], percent(one["recall"]), percent(one["precision"])]
        for one in facts["per_class"]
    ]
    return (
        paragraph(percent(facts["accuracy"]), "big")
        + paragraph(
            f"of the photos are right; in brackets, here and below, the 95 % interval (Wilson). Mean of the "
            f"classes: {100 * facts['balanced_accuracy']:.1f} %.",
            "quiet",
        )
        + table(["class", "photos", "recall", "precision"], rows, (1, 2, 3))
    )


def _against(others: Sequence[dict[str, Any]]) -> str:
    rows = [
        [
            one["run"], one["photos"], percent(one["accuracy"]), percent(one["accuracy_of_other"]),
            points(one["gain"]), f"{one['only_this_right']} / {one['only_other_right']}",
            f"{one['chance']:.3f}",
        ]
        for one in others
    ]  # fmt: skip
    head = [
        "other run", "photos", "this run", "the other", "gain, points", "right in one only: this / other",
        "by chance",
    ]  # fmt: skip
    return paragraph(
        "On photos that neither run was trained on. Where the interval of the gain (95 %, bootstrap over the "
        "photos) contains 0, the difference may be chance; the last column is how likely one as large is by "
        "chance (McNemar's exact test).",
        "quiet",
    ) + table(head, rows, (1, 2, 3, 4, 5, 6))


def _arms(arms: dict[str, Any]) -> str:
    rows = [
        [
            one["arm"], one["photos"], percent(one["accuracy"]),
            " ".join(f"{100 * value:.1f}" for value in one["per_seed"]),
            points(one["gain"]) if one["gain"] else "",
            f"{one['seeds_with_renders']} of {arms['seeds']}" if one["kind"] == "photos and renders" else "",
        ]
        for one in arms["table"]
    ]  # fmt: skip
    head = [
        "trained on", "photos", "accuracy", "of each seed, %", "gain, points",
        "seeds in which renders were used",
    ]  # fmt: skip
    return (
        paragraph(arms["worth"]["sentence"], "big")
        + paragraph(
            f"Each arm is a linear head on the same features, tested on {arms['test_photos']} photos "
            f"({arms['tested_on']}), mean of {arms['seeds']} seeds. The gain is that over the "
            "same arm without renders (of aligned renders: over those that are not), on the same photos, "
            "with its 95 % interval: where that contains 0, the gain may be chance.",
            "quiet",
        )
        + arms_chart(arms["table"])
        + table(head, rows, (1, 2))
    )


def _confusion(facts: dict[str, Any]) -> str:
    classes = facts["classes"]
    head = "".join(f'<th scope="col" class="number">{text(label)}</th>' for label in classes)
    rows = "".join(
        f'<tr><th scope="row">{text(label)}</th>{_cells(row, number)}</tr>'
        for number, (label, row) in enumerate(zip(classes, facts["confusion"], strict=True))
    )
    return (
        paragraph("Rows: the class of a photo. Columns: what was predicted.", "quiet")
        + f'<div class="scroll"><table class="plain"><thead><tr><th></th>{head}</tr></thead>'
        + f"<tbody>{rows}</tbody></table></div>"
    )


def _models(facts: dict[str, Any]) -> str:
    rows = [
        [
            one["file"], f"{one['file_bytes'] / 1e6:.1f} MB", percent(one["accuracy"]),
            "-" if one["threshold"] is None else percent(one["accepted"]),
            "-" if one["threshold"] is None else percent(one["accuracy_of_accepted"]),
        ]
        for one in facts.values()
    ]  # fmt: skip
    head = ["file", "size", "accuracy", "photos that are not rejected", "accuracy of these"]
    return table(head, rows, (1, 2, 3, 4))


def _cells(row: Sequence[int], right: int) -> str:
    total = max(1, sum(row))
    return "".join(
        f'<td class="cell{" right" if place == right else ""}" style="background:color-mix(in srgb,'
        f'var(--bar) {round(80 * count / total)}%,transparent)">{count}</td>'
        for place, count in enumerate(row)
    )


def _calibration(facts: dict[str, Any]) -> str:
    error = facts["expected_calibration_error"]
    return paragraph(
        f"Expected calibration error: {100 * error:.1f} points. Where the line is below the diagonal, "
        "the classifier is surer than it is right."
    ) + reliability_chart(facts["bins"])


def _mistakes(mistakes: Sequence[Mistake], photos: PictureSet, renders: PictureSet | None) -> str:
    if not mistakes:
        return paragraph("There are none.")
    shown = "".join(_mistake(one, photos, renders) for one in mistakes[:_SHOWN])
    near = "" if renders is None else " Next to each photo are the renders that are nearest by features."
    return (
        paragraph(f"{min(_SHOWN, len(mistakes))} of {len(mistakes)} wrong photos, the surest first.{near}")
        + f'<div class="grid pair">{shown}</div>'
    )


def _mistake(one: Mistake, photos: PictureSet, renders: PictureSet | None) -> str:
    photo, classes = photos.pictures[one.photo], photos.classes
    caption = (
        f"{photo.name}: {classes[photo.label_id]}, taken for {classes[one.predicted]} "
        f"({100 * one.probability:.0f} %)"
    )
    figures = figure(photo.read(), caption, "mistake")
    if renders is not None:
        near = [renders.pictures[position] for position in one.nearest]
        figures += "".join(figure(render.read(), classes[render.label_id]) for render in near)
    return f'<div class="card pictures">{figures}</div>'


def _made_of(facts: dict[str, Any]) -> str:
    backbone, dataset = facts["backbone"], facts["dataset"]
    rows = [
        ["run", facts["run"]],
        ["photos", facts["photos"]["folder"]],
        ["backbone", f"{backbone['name']} ({backbone['package']} {backbone['package_version']})"],
        ["weights", f"sha256 {backbone['weights_sha256']}"],
        ["data set", f"{dataset['name']}, digest {dataset['digest']}"],
        ["blendgen", facts["blendgen"]],
    ]
    return table(["", ""], rows)
