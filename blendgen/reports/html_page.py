"""HTML page: what pages of a few facts share, in the style of reports; offline, without scripts.

In: plain text, numbers, pictures. Out: HTML; every text is escaped.
"""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Iterable, Sequence
from importlib import resources
from typing import Any

import numpy as np
from PIL import Image

from blendgen.dataset.report_files import REPORT_MARK
from blendgen.geometry.arrays import ImageHW3U8

_STYLE = """
.big { font-size: 1.6rem; font-weight: 600; margin: 0 0 4px; }
figure { margin: 0; width: 96px; } figcaption { font-size: 0.8rem; overflow-wrap: anywhere; }
img { border-radius: 4px; display: block; }
"""
_THUMBNAIL_PX, _QUALITY = 96, 80


def page(
    title: str,
    summary: str,
    sections: Iterable[tuple[str, str]],
    alerts: Sequence[str] = (),
    style: str = "",
    footer: str = "",
) -> bytes:
    """A whole page.

    sections: heading and HTML of each; alerts: texts that must not be missed; style: more CSS
    """
    css = resources.files("blendgen.reports").joinpath("page/page.css").read_text("utf-8") + _STYLE + style
    notes = "".join(f"<li>{text(one)}</li>" for one in alerts)
    body = "".join(f"<section><h2>{text(heading)}</h2>{inner}</section>" for heading, inner in sections)
    mark = REPORT_MARK.decode()
    return (
        f'<!doctype html>\n<html lang="en"><!-- {mark} -->\n<head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{text(title)}</title><style>{css}</style></head>\n<body><header><h1>{text(title)}</h1>"
        f'<p class="summary">{text(summary)}</p>'
        + (f'<ul class="alerts">{notes}</ul>' if notes else "")
        + f"</header><main>{body}</main>"
        + (f"<footer>{text(footer)}</footer>" if footer else "")
        + "</body></html>\n"
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
        f'<div class="scroll" tabindex="0"><table class="plain"><thead><tr>{cells(head, "th")}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def picture(image: ImageHW3U8, caption: str = "") -> str:
    """An image of its own size; caption: for those who cannot see it"""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "WEBP", quality=_QUALITY)
    data = base64.b64encode(buffer.getvalue()).decode("ascii")
    height, width = image.shape[:2]
    size = f'width="{width}" height="{height}"'
    return f'<img {size} alt="{text(caption)}" src="data:image/webp;base64,{data}">'


def figure(image: ImageHW3U8, caption: str, kind: str = "") -> str:
    """A thumbnail with its caption; kind: class of its element"""
    small = Image.fromarray(image)
    small.thumbnail((_THUMBNAIL_PX, _THUMBNAIL_PX), Image.Resampling.BICUBIC)
    shown = picture(np.asarray(small), caption)
    return f'<figure class="{kind}">{shown}<figcaption>{text(caption)}</figcaption></figure>'


def paragraph(value: str, kind: str = "") -> str:
    return f'<p class="{kind}">{text(value)}</p>'
