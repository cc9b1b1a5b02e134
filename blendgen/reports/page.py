"""Page: a report as HTML that works offline, opened from a disk.

In: plain values and the chunks of galleries. Out: one file that holds everything; or, for many images, a page
and scripts next to it, which it loads when they are needed, as a page from a disk may not fetch other files.
All text of the data set is in JSON whose "<" are escaped; the scripts show it as text only.
"""

from __future__ import annotations

import html
import json
from importlib import resources
from typing import Any

from blendgen.dataset.report_files import REPORT_MARK

_VENDOR_SCRIPTS = (
    "vega/vega.min.js",
    "vega-lite/vega-lite.min.js",
    "vega-embed/vega-embed.min.js",
    "tabulator-tables/tabulator.min.js",
    "photoswipe/photoswipe.umd.min.js",
)
_VENDOR_STYLES = ("tabulator-tables/tabulator.min.css", "photoswipe/photoswipe.css")
_LICENCES = (
    "vega/LICENSE",
    "vega/BUNDLED.txt",
    "vega-lite/LICENSE",
    "vega-embed/LICENSE",
    "vega-embed/BUNDLED.txt",
    "tabulator-tables/LICENSE",
    "photoswipe/LICENSE",
)
_OWN_SCRIPTS = ("core.js", "charts.js", "sections.js", "viewer.js", "rows.js", "images.js", "start.js")


def page(data: dict[str, Any], chunks: dict[str, Any], title: str, summary: str) -> bytes:
    """The page; chunks: those that it holds itself, by name."""
    own = "".join(f"<script>{_chunk_call(name, value)}</script>\n" for name, value in chunks.items())
    scripts = "".join(f"<script>\n{_text('page', name)}</script>\n" for name in _OWN_SCRIPTS)
    vendor = "".join(f"<script>{_text('vendor', name)}</script>\n" for name in _VENDOR_SCRIPTS)
    styles = "".join(_text("vendor", name) + "\n" for name in _VENDOR_STYLES)
    parts = {
        "title": html.escape(f"{title}: report"),
        "styles": styles + _text("page", "page.css"),
        "heading": html.escape(title),
        "summary": html.escape(summary),
        "data": _json(data),
        "licences": html.escape("\n\n".join(f"{name}\n{_text('vendor', name)}" for name in _LICENCES)),
        "chunks": own,
        "scripts": vendor + scripts,
    }
    text = _text("page", "page.html")
    for name, part in parts.items():
        before, mark, after = text.partition(f"<!--{name}-->")
        if not mark:
            raise ValueError(f"page.html does not have <!--{name}-->")
        text = before + part + after
    return text.encode()


def chunk_file(name: str, value: Any) -> bytes:
    """A script that hands a chunk to the page which loads it."""
    return f"/* {REPORT_MARK.decode()} */\n{_chunk_call(name, value)}\n".encode()


def _chunk_call(name: str, value: Any) -> str:
    return f"blendgenReport.chunk({_json(name)},{_json(value)})"


def _json(value: Any) -> str:
    """JSON that cannot end the script in which it stands."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _text(folder: str, name: str) -> str:
    return (resources.files("blendgen.reports") / folder / name).read_text("utf-8")
