"""HTML page: the parts that the pages of runs and evaluations share; offline, without scripts.

In: plain text, numbers, pictures. Out: HTML; every text is escaped. The style is that of reports.
"""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Iterable, Sequence
from importlib import resources
from typing import Any

from PIL import Image

from blendgen.dataset.report_files import REPORT_MARK
from blendgen.geometry.arrays import ImageHW3U8
from blendgen.learn.pixels import fitted

THUMBNAIL_PX = 96
_QUALITY = 70
_OWN_STYLE = """
.pictures { display: flex; flex-wrap: wrap; gap: 8px; align-items: flex-start; }
figure { margin: 0; width: 96px; } figure.mistake { margin-right: 12px; }
figcaption { font-size: 0.8rem; overflow-wrap: anywhere; }
img { border-radius: 4px; display: block; }
table.plain td.cell { text-align: right; padding: 4px 8px; min-width: 3.2em;
  font-variant-numeric: tabular-nums; }
table.plain td.right { outline: 2px solid var(--accent); outline-offset: -2px; }
svg text { fill: var(--quiet); font: 12px system-ui, sans-serif; }
svg .line { stroke: var(--accent); fill: none; stroke-width: 2; }
svg .second { stroke: var(--second); fill: none; stroke-width: 2; }
svg .axis { stroke: var(--line); fill: none; } svg .bar { stroke: var(--accent); }
svg .dot { fill: var(--accent); } svg .second-dot { fill: var(--second); }
.big { font-size: 1.6rem; font-weight: 600; margin: 0 0 4px; }
"""


def page(title: str, summary: str, sections: Iterable[tuple[str, str]], alerts: Sequence[str] = ()) -> bytes:
    """sections: heading and HTML of each; alerts: texts that must not be missed"""
    css = resources.files("blendgen.reports").joinpath("page/page.css").read_text("utf-8") + _OWN_STYLE
    notes = "".join(f"<li>{text(one)}</li>" for one in alerts)
    body = "".join(f"<section><h2>{text(heading)}</h2>{inner}</section>" for heading, inner in sections)
    mark = REPORT_MARK.decode()
    return (
        f'<!doctype html>\n<html lang="en"><!-- {mark} -->\n<head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{text(title)}</title><style>{css}</style></head>\n<body><header><h1>{text(title)}</h1>"
        f'<p class="summary">{text(summary)}</p>'
        + (f'<ul class="alerts">{notes}</ul>' if notes else "")
        + f"</header><main>{body}</main></body></html>\n"
    ).encode("utf-8", "replace")


def text(value: Any) -> str:
    return html.escape(str(value))


def table(head: Sequence[str], rows: Iterable[Sequence[Any]], numbers: Sequence[int] = ()) -> str:
    """numbers: columns that are aligned to the right"""

    def cells(values: Sequence[Any], tag: str) -> str:
        scope = ' scope="col"' if tag == "th" else ""
        classes = [' class="number"' if place in numbers else "" for place in range(len(values))]
        return "".join(
            f"<{tag}{scope}{own}>{text(value)}</{tag}>" for own, value in zip(classes, values, strict=True)
        )

    body = "".join(f"<tr>{cells(row, 'td')}</tr>" for row in rows)
    return (
        f'<div class="scroll"><table class="plain"><thead><tr>{cells(head, "th")}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def percent(share: dict[str, Any] | None) -> str:
    """A share with its interval, from Share.facts."""
    if not share or share["value"] is None:
        return "-"
    return f"{100 * share['value']:.1f} % ({100 * share['low']:.1f} to {100 * share['high']:.1f})"


def figure(image: ImageHW3U8, caption: str, kind: str = "") -> str:
    """A thumbnail; kind: class of its element"""
    buffer = io.BytesIO()
    Image.fromarray(fitted(image, THUMBNAIL_PX)).save(buffer, "WEBP", quality=_QUALITY)
    data = base64.b64encode(buffer.getvalue()).decode("ascii")
    size = f'width="{THUMBNAIL_PX}" height="{THUMBNAIL_PX}"'
    return (
        f'<figure class="{kind}"><img {size} alt="{text(caption)}" src="data:image/webp;base64,{data}">'
        f"<figcaption>{text(caption)}</figcaption></figure>"
    )


def paragraph(value: str, kind: str = "") -> str:
    return f'<p class="{kind}">{text(value)}</p>'
