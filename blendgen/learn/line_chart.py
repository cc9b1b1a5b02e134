"""Line chart: small diagrams as inline SVG.

In: the facts of an evaluation or a training. Out: SVG, whose numbers are also in a table or text next to it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP, _RIGHT = 560, 260, 46, 34, 12, 14
_TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)
# of pages with a diagram
CHART_STYLE = """
svg text { fill: var(--quiet); font: 12px system-ui, sans-serif; }
svg .line { stroke: var(--accent); fill: none; stroke-width: 2; }
svg .second { stroke: var(--second); fill: none; stroke-width: 2; }
svg .axis { stroke: var(--line); fill: none; } svg .bar { stroke: var(--accent); }
svg .dot { fill: var(--accent); } svg .second-dot { fill: var(--second); }
"""

Point = tuple[float, float]


def reliability_chart(bins: Sequence[dict[str, Any]]) -> str:
    """Accuracy against confidence, with intervals."""
    points = [(one["confidence"], one["accuracy"]["value"]) for one in bins]
    marks = [(f"{one:g}", one) for one in _TICKS]
    bars = "".join(_interval(one["confidence"], one["accuracy"]) for one in bins)
    diagonal = _path([(0.0, 0.0), (1.0, 1.0)], "axis")
    inner = diagonal + bars + _path(points, "line") + _dots(points, "dot")
    return _chart(inner, marks, "confidence", "accuracy by confidence")


def arms_chart(rows: Sequence[dict[str, Any]]) -> str:
    """Accuracy against photos of each class, of photos alone and of photos with renders."""
    counts = sorted({one["photos_per_class"] for one in rows if one["photos_per_class"]})
    if not counts:
        return ""
    most = math.log(counts[-1]) or 1.0
    place = {count: 0.06 + 0.9 * math.log(count) / most for count in counts}
    lines = []
    for kind, style in (("photos", "line"), ("photos and renders", "second")):
        own = [one for one in rows if one["kind"] == kind and one["photos_per_class"]]
        points = [(place[one["photos_per_class"]], one["accuracy"]["value"]) for one in own]
        dot = "dot" if style == "line" else "second-dot"
        lines.append(_path(points, style) + _dots(points, dot))
    alone = next(one for one in rows if one["kind"] == "renders")["accuracy"]["value"]
    flat = _path([(0.0, alone), (1.0, alone)], "axis") + _text(0.01, alone + 0.015, "renders only")
    marks = [(str(count), place[count]) for count in counts]
    return (
        _chart(flat + "".join(lines), marks, "photos a class", "accuracy by photos a class")
        + '<p class="quiet"><span style="color:var(--accent)">&#9679;</span> photos only &ensp;'
        '<span style="color:var(--second)">&#9679;</span> photos and renders</p>'
    )


def losses_chart(histories: Mapping[str, Sequence[dict[str, float]]]) -> str:
    """Loss of each epoch, as a share of the largest one, a line for each stage."""
    losses = [one["loss"] for history in histories.values() for one in history]
    if not losses:
        return ""
    most, longest = max(losses), max(map(len, histories.values()))
    lines, place = [], {number + 1: (number + 0.5) / longest for number in range(longest)}
    for name, history in histories.items():
        points = [(place[number + 1], one["loss"] / most) for number, one in enumerate(history)]
        x, y = points[0]
        lines.append(_path(points, "line") + _dots(points, "dot") + _text(x, y - 0.08, name))
    marks = [(str(number), x) for number, x in place.items()]
    return _chart("".join(lines), marks, "epoch", f"loss, as a share of {most:.3g}")


def _chart(inner: str, marks: Sequence[tuple[str, float]], below: str, title: str) -> str:
    across = "".join(
        _path([(0.0, one), (1.0, one)], "axis") + _text(-0.075, one - 0.015, f"{100 * one:.0f} %")
        for one in _TICKS
    )
    names = "".join(_text(place - 0.008, -0.075, name) for name, place in marks)
    axis = _text(0.42, -0.145, below)
    return (
        f'<svg role="img" aria-label="{title}" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        f'style="max-width:{_WIDTH}px;width:100%">{across}{names}{axis}{inner}</svg>'
    )


def _at(point: Point) -> Point:
    x, y = point
    width, height = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _BOTTOM - _TOP
    return _LEFT + x * width, _TOP + (1 - y) * height


def _path(points: Sequence[Point], style: str) -> str:
    steps = " L ".join(f"{x:.1f} {y:.1f}" for x, y in map(_at, points))
    return f'<path class="{style}" d="M {steps}"/>' if points else ""


def _dots(points: Sequence[Point], style: str) -> str:
    return "".join(f'<circle class="{style}" cx="{x:.1f}" cy="{y:.1f}" r="4"/>' for x, y in map(_at, points))


def _interval(x: float, share: dict[str, Any]) -> str:
    return _path([(x, share["low"]), (x, share["high"])], "bar")


def _text(x: float, y: float, value: str) -> str:
    left, top = _at((x, y))
    return f'<text x="{left:.1f}" y="{top:.1f}">{value}</text>'
