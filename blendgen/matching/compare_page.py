"""Compare page: photos and images side by side, and a table of what differs, as HTML that works offline.

In: the plain values of a Comparison, and small pictures. Out: one file without scripts. Its style is that of
reports/page.
"""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from blendgen.photos.statistics import BY_NAME
from blendgen.reports.html_page import page, picture

_WIDTH, _HEIGHT = 260, 44  # of a strip of values
_MOST_DOTS = 100
_STYLE = """
.strip { width: 260px; height: 44px; display: block; }
.strip .photo { fill: var(--second); } .strip .image { fill: var(--accent); }
.strip text { fill: var(--quiet); }
.strip line { stroke: var(--line); }
.pictures { display: grid; grid-template-columns: repeat(auto-fill, minmax(110px, 1fr)); gap: 8px; }
.pictures img { width: 100%; height: auto; display: block; border-radius: 4px; }
table.plain th[scope="row"] { min-width: 150px; }
.key { display: inline-block; width: 10px; height: 10px; border-radius: 5px; }
"""
_VERDICTS = {"differs": "differs", "alike": "no difference shown", "unknown": "cannot be determined"}

Values = Mapping[str, tuple[Sequence[float], Sequence[float]]]


def comparison_page(
    comparison: dict[str, Any],
    names: tuple[str, str],
    pictures: tuple[Sequence[np.ndarray], Sequence[np.ndarray]],
    values: Values,
    appearance: str,
) -> bytes:
    """names: of the folder of photos and of the data set; values: of single pictures by statistic

    appearance: HTML of what a network finds
    """
    differing = sum(one["verdict"] == "differs" for one in comparison["differences"])
    titles = f"Photos: {names[0]}", f"Images: {names[1]}"
    sections = [
        ("What differs, and what moves it", "".join(_differences(comparison, values))),
        ("How far apart they are for a network", appearance),
    ]
    for title, images in zip(titles, pictures, strict=True):
        sections.append((title, f'<div class="pictures">{"".join(map(picture, images))}</div>'))
    return page(
        f"{names[0]} and {names[1]}: photos compared with images",
        summary(comparison),
        sections,
        comparison["warnings"],
        _STYLE,
        f"Made by blendgen; {differing} of {len(values)} statistics differ.",
    )


def _differences(comparison: dict[str, Any], values: Values) -> Iterator[str]:
    yield (
        "<p>Medians, and their difference in units of the photos&#39; own spread from photo to photo, with "
        "its 99 % bootstrap interval. A small difference is called one only if it matters and the interval "
        "excludes zero. Separated: how often the statistic alone tells the photo from the image of a pair; "
        "50 % is chance. "
        '<span class="key" style="background:var(--second)"></span> photos '
        '<span class="key" style="background:var(--accent)"></span> images</p>'
    )
    yield '<div class="scroll" tabindex="0"><table class="plain"><thead><tr>'
    heads = ("statistic", "", "photos", "images", "difference", "separated", "verdict", "what to do")
    yield "".join(f'<th scope="col">{one}</th>' for one in heads) + "</tr></thead><tbody>"
    yield from (_row(one, values[one["name"]]) for one in comparison["differences"])
    yield "</tbody></table></div>"


def summary(comparison: dict[str, Any]) -> str:
    """One sentence on both sets."""
    differing = [one for one in comparison["differences"] if one["verdict"] == "differs"]
    unknown = sum(one["verdict"] == "unknown" for one in comparison["differences"])
    sets = f"{comparison['photos']} photos, {comparison['images']} images"
    count = len(comparison["differences"])
    left = f"; {unknown} cannot be determined" if unknown else ""
    return f"{sets}: {len(differing)} of {count} statistics differ{left}"


def _row(one: dict[str, Any], values: tuple[Sequence[float], Sequence[float]]) -> str:
    statistic = BY_NAME[one["name"]]
    low, high = one["interval"]
    known = one["verdict"] != "unknown"
    difference = f"{one['spreads']:+.1f} ({low:+.1f} to {high:+.1f})" if known else ""
    separated = f"{100 * one['separability']:.0f} %" if known else ""
    verdict = _VERDICTS[one["verdict"]]
    if one["varies"]:
        verdict += f"; images vary {one['varies']}"
    strong = f'<span class="badge">{verdict}</span>' if one["verdict"] == "differs" else verdict
    cells = [
        f'<th scope="row">{html.escape(statistic.title)}<br><span class="quiet">{statistic.unit}</span></th>',
        f"<td>{_strip(*values) if known else ''}</td>",
        f'<td class="number">{_median(one["of_photos"])}</td>',
        f'<td class="number">{_median(one["of_images"])}</td>',
        f'<td class="number">{difference}</td><td class="number">{separated}</td><td>{strong}</td>',
        f"<td>{html.escape(one['move'] or _reason(one))}</td>",
    ]
    return f"<tr>{''.join(cells)}</tr>"


def _median(statistic: dict[str, Any]) -> str:
    if "median" not in statistic:
        return "–"
    return f"{statistic['median']:.3g} ± {statistic['spread']:.2g}"


def _reason(one: dict[str, Any]) -> str:
    reasons = {"photos": one["of_photos"].get("reason"), "images": one["of_images"].get("reason")}
    return "; ".join(f"{name}: {reason}" for name, reason in reasons.items() if reason)


def _strip(photos: Sequence[float], images: Sequence[float]) -> str:
    """The values of both as dots on a common line."""
    low, high = float(min(*photos, *images)), float(max(*photos, *images))
    scale = (_WIDTH - 16) / ((high - low) or 1.0)
    dots = "".join(
        f'<circle class="{name}" cx="{8 + (value - low) * scale:.1f}" cy="{row}" r="3" opacity="0.55"/>'
        for name, values, row in (("photo", photos, 10), ("image", images, 24))
        for value in values[:_MOST_DOTS]
    )
    ends = f'<text x="8" y="42" font-size="10">{low:.3g}</text>'
    ends += f'<text x="{_WIDTH - 8}" y="42" font-size="10" text-anchor="end">{high:.3g}</text>'
    label = f"photos and images from {low:.3g} to {high:.3g}"
    line = f'<line x1="8" x2="{_WIDTH - 8}" y1="31" y2="31"/>'
    return (
        f'<svg class="strip" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{label}">'
        f"{line}{dots}{ends}</svg>"
    )
