"""Options of an export, and what it reports."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from blendgen.dataset.source import Source
from blendgen.exporters.destination import Destination


@dataclass(frozen=True)
class Options:
    """crops: margin round each product, None for whole images; outlines: of coco; task: of yolo;
    shard_bytes: of webdataset and parquet, about how large a file becomes; extras: other files of an
    image that go along in hf, parquet and webdataset, as mask for the manifest's mask_file_name;
    quote_formulas: of csv, for spreadsheets."""

    crops: float | None = None
    outlines: str = "rle"
    task: str = "detect"
    shard_bytes: int = 256 * 2**20
    extras: tuple[str, ...] = ()
    quote_formulas: bool = False


# (source, destination, options, advance) -> counts; advance(1) for each row
Exporter = Callable[[Source, Destination, Options, Callable[[int], None]], dict[str, Any]]
