"""Run page: what a detector was trained on, what it gave after each epoch, and how to use it, for people.

In: the record of a run. Out: HTML.
"""

from __future__ import annotations

from typing import Any

from blendgen.learn.line_chart import CHART_STYLE, losses_chart
from blendgen.learn.run_page import made_of
from blendgen.reports.html_page import page, paragraph, table


def run_page(record: dict[str, Any]) -> bytes:
    dataset, photos, val = record["dataset"], record["photos"], record["metrics"]["val_renders"]
    used = f"{dataset['renders']} renders" + (f" and {photos['count']} photos" if photos else "")
    sections = [
        ("Training", _training(record["tuning"])),
        *([("On renders that were left out", precision_table(val))] if val else []),
        ("Boxes", _boxes(record)),
        ("Made of", made_of(record)),
        ("Use the model", _use(record)),
    ]
    summary = f"{len(record['classes'])} classes, {used}, {record['backbone']['name']} with an SSDLite head"
    return page(f"{dataset['name']}: detector", summary, sections, record["notes"], CHART_STYLE)


def precision_table(facts: dict[str, Any]) -> str:
    """mAP, and AP of each class."""
    rows = [
        [one["label"], one["boxes"], share(one["ap50"]), share(one["ap50_95"]), share(one["recall50"])]
        for one in facts["per_class"]
    ]
    return (
        paragraph(
            f"mAP50 {with_interval(facts['map50'])}, mAP50:95 {with_interval(facts['map50_95'])}", "big"
        )
        + paragraph(
            "AP50: average precision of boxes that overlap the right one by an IoU of 0.5; AP50:95: the mean "
            "over IoUs from 0.5 to 0.95, as COCO measures them; found: of all boxes, however low the score.",
            "quiet",
        )
        + table(["class", "boxes", "AP50", "AP50:95", "found"], rows, (1, 2, 3, 4))
    )


def share(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f} %"


def with_interval(facts: dict[str, Any]) -> str:
    """An AP, and its interval if it has one."""
    if facts["low"] is None:
        return share(facts["value"])
    return f"{share(facts['value'])} ({100 * facts['low']:.1f} to {100 * facts['high']:.1f})"


def _training(tuning: dict[str, Any]) -> str:
    rows = [
        [
            stage.replace("_", " "), number + 1, f"{one['loss']:.3f}", share(one.get("left_out_map50")),
            share(one.get("left_out_map50_95")),
        ]
        for stage, history in tuning["history"].items()
        for number, one in enumerate(history)
    ]  # fmt: skip
    compared = [
        [name.replace("_", " "), share(one["map50"]["value"]), share(one["map50_95"]["value"])]
        for name, one in (tuning["compared"] or {}).items()
    ]
    return (
        paragraph(f"Chosen: {tuning['chosen'].replace('_', ' ')}.")
        + (table(["on photos left out", "mAP50", "mAP50:95"], compared, (1, 2)) if compared else "")
        + paragraph("Loss after each epoch, as a share of the largest:", "quiet")
        + losses_chart({stage: one for stage, one in tuning["history"].items() if "," not in stage})
        + table(["stage", "epoch", "loss", "mAP50 on renders left out", "mAP50:95"], rows, (1, 2, 3, 4))
    )


def _boxes(record: dict[str, Any]) -> str:
    photos = record["photos"]
    rows = [
        [label, record["dataset"]["per_class"][label], photos["per_class"][label] if photos else 0]
        for label in record["classes"]
    ]
    return table(["class", "boxes in renders", "boxes in photos"], rows, (1, 2))


def _use(record: dict[str, Any]) -> str:
    rows = [[name, value] for name, value in record["preprocessing"].items()]
    rows.append(["threshold", f"{record['threshold']:.3g}"])
    return paragraph(
        "model.onnx takes image, (n, 3, side, side) float32, and gives for each box that it finds its "
        "picture, boxes (x0, y0, x1, y1 in pixels of the square), labels and scores."
    ) + table(["preprocessing", ""], rows)
