"""What other packages import to add an export format or a family of models (docs/plugins.md)."""

from __future__ import annotations

import os
from pathlib import Path

from blendgen.dataset.source import Source
from blendgen.exporters.destination import Destination
from blendgen.exporters.exporter import Exporter, Options
from blendgen.models.scan import scan_directory
from blendgen.models.source import Source as ModelSource

__all__ = ["Destination", "Exporter", "ModelSource", "Options", "Source", "models_in"]


def models_in(
    folder: str | os.PathLike[str], unit: str | None = None, up: str | None = None
) -> list[ModelSource]:
    """The model files in a folder and below it, for a family.

    unit: "m", "cm", "mm", "in" or "ft" of files that do not state it; overrides those that do
    up: "x", "y" or "z" of files that do not state it
    raises: CatalogError for a folder that is missing or contains no model
    """
    return scan_directory(Path(folder), os.fspath(folder), unit, up)
