"""Run page: what was trained, on what, how it was chosen, and what it gave, for people.

In: the record of a run. Out: HTML.
"""

from __future__ import annotations

from typing import Any

from blendgen.learn.line_chart import CHART_STYLE, losses_chart
from blendgen.learn.measures import percent
from blendgen.reports.html_page import page, paragraph, table


def run_page(record: dict[str, Any]) -> bytes:
    dataset, photos = record["dataset"], record["photos"]
    used = f"{dataset['renders']} renders" + (f" and {photos['count']} photos" if photos else "")
    sections = [
        *([("Training of all layers", _tuning(record))] if record["tuning"] else []),
        ("Choice" if record["recipe"] else "The head before that", _choice(record)),
        *([("On renders", _val(val))] if (val := record["metrics"]["val_renders"]) else []),
        ("Classes", _classes(record)),
        ("Made of", made_of(record)),
        ("Use the model", _use(record)),
    ]
    summary = f"{len(record['classes'])} classes, {used}, {record['backbone']['name']}{_how(record)}"
    return page(f"{dataset['name']}: classifier", summary, sections, record["notes"], CHART_STYLE)


def _how(record: dict[str, Any]) -> str:
    return " with a linear head" if record["recipe"] else ", all layers trained"


def _tuning(record: dict[str, Any]) -> str:
    """What each stage gave, and the curve of the loss."""
    tuning = record["tuning"]
    rows = [
        [
            stage.replace("_", " "), number + 1, f"{one['loss']:.3f}",
            f"{one['left_out_loss']:.3f}" if "left_out_loss" in one else "-",
            f"{100 * one['left_out_accuracy']:.1f} %" if "left_out_accuracy" in one else "-",
        ]
        for stage, history in tuning["history"].items()
        for number, one in enumerate(history)
    ]  # fmt: skip
    compared = [
        [name.replace("_", " "), percent(one["accuracy"]), f"{one['log_loss']:.3f}"]
        for name, one in (tuning["cross_validation"] or {}).items()
    ]
    return (
        paragraph(f"Chosen: {tuning['chosen'].replace('_', ' ')}.")
        + (
            table(["on photos left out in turn", "accuracy", "log loss"], compared, (1, 2))
            if compared
            else ""
        )
        + paragraph("Loss after each epoch, as a share of the largest:", "quiet")
        + losses_chart({stage: one for stage, one in tuning["history"].items() if " of " not in stage})
        + table(["stage", "epoch", "loss", "loss on renders left out", "accuracy"], rows, (1, 2, 3, 4))
    )


def _choice(record: dict[str, Any]) -> str:
    measured = record["metrics"]["cross_validation"]
    names = {
        "chosen": "chosen",
        "photos_alone": "best without renders",
        "with_renders": "best with renders",
    }
    rows = [
        [
            name, f"{100 * one['photo_share']:.0f} %", "yes" if one["is_aligned"] else "no",
            f"{one['strength']:.3g}", percent(one["accuracy"]), f"{one['log_loss']:.3f}",
        ]
        for key, name in names.items()
        if (one := measured[key])
    ]  # fmt: skip
    head = ["", "weight of photos", "renders aligned", "regularisation", "accuracy", "log loss"]
    return paragraph(
        f"Cross-validation on {measured['on']}, each time on pictures that were left out."
    ) + table(head, rows, (1, 3, 4, 5))


def _val(share: dict[str, Any]) -> str:
    return paragraph(f"{percent(share)} of {share['count']} renders that were left out are right.")


def _classes(record: dict[str, Any]) -> str:
    photos = record["photos"]
    rows = [
        [number, label, photos["per_class"][label] if photos else 0]
        for number, label in enumerate(record["classes"])
    ]
    return table(["number", "class", "real photos"], rows, (0, 2))


def made_of(record: dict[str, Any]) -> str:
    backbone, dataset = record["backbone"], record["dataset"]
    rows = [
        ["backbone", f"{backbone['name']} ({backbone['package']} {backbone['package_version']})"],
        ["weights", f"ImageNet, {backbone['license']}, sha256 {backbone['weights_sha256']}"],
        ["data set", f"{dataset['name']}, digest {dataset['digest']}, {dataset['images']} images"],
        ["versions", ", ".join(f"{name} {version}" for name, version in record["versions"].items())],
        ["blendgen", record["blendgen"]],
        ["seed", record["seed"]],
        ["time", f"{record['seconds']:.1f} s"],
    ]
    return table(["", ""], rows)


def _use(record: dict[str, Any]) -> str:
    values = record["preprocessing"]
    rows = [[name, value] for name, value in values.items()]
    return paragraph(
        "model.onnx takes image, (n, 3, side, side) float32, and gives scores and probabilities, (n, c)."
    ) + table(["preprocessing", ""], rows)
