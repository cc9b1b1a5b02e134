"""Probe page: what changes the answers of a classifier, for people.

In: the facts of a probe, and drafts that show its faults. Out: HTML.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from blendgen.experiments.effects import LEAST_DROP, LEAST_P, LEAST_PULL, Verdict
from blendgen.geometry.arrays import ImageHW3U8
from blendgen.learn.measures import percent
from blendgen.reports.html_page import figure, page, paragraph, table, text

_STYLE = ".pictures { display: flex; flex-wrap: wrap; gap: 8px; align-items: flex-start; }"


@dataclass(frozen=True)
class Shown:
    """A draft and what is written under it"""

    image: ImageHW3U8
    caption: str


def probe_page(facts: dict[str, Any], shown: Mapping[str, Sequence[Shown]]) -> bytes:
    design = facts["design"]
    sections = [("What was found", _findings(facts))]
    sections += [(name, _fault(facts, name, own)) for name, own in shown.items()]
    sections += [
        ("All parameters", _all(facts)),
        ("Changes to the spec", _changes(facts)),
    ]
    width, height = design["resolution"]
    summary = (
        f"{design['images']} drafts of {width} x {height} px: {design['shots']} shots of {design['classes']} "
        f"classes, each at {design['runs_per_shot']} combinations of {len(facts['parameters'])} parameters"
    )
    title = "Probe: what changes the answers of the classifier"
    return page(title, summary, sections, facts["notes"], _STYLE)


def sentences(facts: dict[str, Any]) -> list[str]:
    """What was found, faults first."""
    faults = [_sentence(one) for one in facts["parameters"] if _is_fault(one)]
    return faults or ["no shortcut and no blind spot was found in these parameters"]


def _is_fault(one: dict[str, Any]) -> bool:
    return one["verdict"] in (Verdict.SHORTCUT, Verdict.BLIND)


def _sentence(one: dict[str, Any]) -> str:
    if one["verdict"] == Verdict.SHORTCUT:
        pull = one["pull"]
        first, second, a, b = pull["class"], pull["other_class"], pull["level"], pull["other_level"]
        return (
            f"shortcut: {one['parameter']} decides in place of the product: {first} is recognised at {a} "
            f"({_recall(one, a, first)}) rather than at {b} ({_recall(one, b, first)}), {second} at {b} "
            f"({_recall(one, b, second)}) rather than at {a} ({_recall(one, a, second)})"
        )
    levels = sorted(one["levels"], key=lambda level: level["accuracy"]["value"])
    worst, best = levels[0], levels[-1]
    return (
        f"blind: {one['parameter']}: {100 * worst['accuracy']['value']:.0f} % right at {worst['level']}, "
        f"{100 * best['accuracy']['value']:.0f} % at {best['level']}"
    )


def _recall(one: dict[str, Any], level: str, label: str) -> str:
    value = next(own["recall"][label] for own in one["levels"] if own["level"] == level)
    return f"{100 * value:.0f} %"


def _findings(facts: dict[str, Any]) -> str:
    return (
        paragraph(percent(facts["accuracy"]), "big")
        + paragraph("of the drafts are right; in brackets the 95 % interval (Wilson).", "quiet")
        + "".join(paragraph(one) for one in sentences(facts))
    )


def _fault(facts: dict[str, Any], name: str, shown: Sequence[Shown]) -> str:
    one = next(own for own in facts["parameters"] if own["parameter"] == name)
    classes = [label for label in facts["classes"] if one["levels"][0]["recall"][label] is not None]
    rows = [
        [level["level"], percent(level["accuracy"]), *(_share(level["recall"][label]) for label in classes)]
        for level in one["levels"]
    ]
    return (
        paragraph(_sentence(one))
        + table(["level", "right", *classes], rows, range(1, len(classes) + 2))
        + paragraph(
            "Drafts of one shot of a class, of which the other parameters of the design differ too.", "quiet"
        )
        + f'<div class="pictures">{"".join(figure(one.image, one.caption, "mistake") for one in shown)}</div>'
    )


def _share(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.0f} %"


def _all(facts: dict[str, Any]) -> str:
    rows = [
        [
            one["parameter"], one["verdict"],
            ", ".join(f"{level['level']}: {_share(level['accuracy']['value'])}" for level in one["levels"]),
            *(cell for term in (one["effect"], one["effect_by_class"]) for cell in _term(term)),
            _share(one["pull"] and one["pull"]["recall"]),
        ]
        for one in facts["parameters"]
    ]  # fmt: skip
    head = [
        "parameter", "verdict", "right at each level", "variance", "p", "variance by class", "p by class",
        "exchange of recall",
    ]  # fmt: skip
    return paragraph(
        "Analysis of variance of the log odds of the right class: which share of its variance within shots "
        "each parameter explains, and which it explains in another way for each class; p values of the F "
        f"tests, corrected for their number (Holm). Shortcut: p by class below {LEAST_P}, and recall of one "
        f"class rises by {100 * LEAST_PULL:.0f} % and that of another falls by as much. Blind: p below "
        f"{LEAST_P}, and accuracy differs by {100 * LEAST_DROP:.0f} % between levels.",
        "quiet",
    ) + table(head, rows, range(3, 8))


def _term(term: dict[str, Any]) -> tuple[str, str]:
    p = term["p_corrected"]
    return f"{100 * term['share_of_variance']:.1f} %", "-" if p is None else f"{p:.2g}"


def _changes(facts: dict[str, Any]) -> str:
    advice = "".join(paragraph(one) for one in facts["advice"])
    if not facts["diff"]:
        return advice or paragraph("There is nothing to change.")
    return advice + f'<div class="scroll"><pre>{text(facts["diff"])}</pre></div>'
