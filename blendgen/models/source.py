"""Source: one thing to be measured, before it is a Product; and the protocol of what measures it.

A source is a model file, a built-in item or an analytic shape, with the options that change how it is read.
It is plain data (JSON), because it is sent to the process that measures.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from blendgen.models.product import Refusal

# coordinates as Blender shows them after importing a file, instead of those in the file
AS_SHOWN: Literal["blender"] = "blender"


@dataclass(frozen=True)
class Source:
    """One model to measure.

    name, folder: as in Product
    kind: "mesh" (a file), "phone" (a description), "clutter" (an item by its name) or "shape"
    options: JSON
        of a mesh: {"path", "unit", "up"}; "root", the models directory, below which its other files may be
        (by default the folder of the file), or "allow_outside": true for files anywhere; "textures", their
        folder, relative to that of the file; to round its edges "bevel_mm"; for keypoints "points"
        ([[x, y, z], ...] in the file's axes and unit, or with "coordinates": AS_SHOWN as Blender shows it);
        for convex_parts_m {"convex_parts": true}
        of a phone: its description; in a case also {"in_case": true}
        of clutter: {"item", "colorways", "limp"} (see models/families/clutter.py)
        of a shape: {"shape": "box" | "sphere", "size_m": [x, y, z], "base_color_srgb"}
    display: how messages name it (the path as the user wrote it)
    file: of a mesh, its path relative to the scanned folder, in NFC
    former_name: of a mesh, its name by the rule of former_names.py; "" if that rule did not know its format
    """

    name: str
    folder: str
    kind: str
    options: dict[str, Any] = field(hash=False)
    display: str
    file: str = ""
    former_name: str = ""


class Measurer(Protocol):
    """Turns sources into entries of the cache (models/measuring/entry.py)."""

    @property
    def digest(self) -> str:
        """A digest of the code that measures; part of the cache's keys."""

    def measure(self, jobs: list[tuple[Source, Path]]) -> Generator[Refusal | None]:
        """Measure each source into the folder next to it, perhaps several at once.

        yields: in the order of the jobs, None for a complete entry, else a Refusal; a bad model never raises
        raises: SetupError if nothing can be measured on this machine
        """
