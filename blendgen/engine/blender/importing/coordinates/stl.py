"""Binary STL: its vertices, which are in single precision, and a moved copy. Does not load bpy."""

from __future__ import annotations

from pathlib import Path

import numpy as np

HEADER_BYTES = 84
_FACET = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])


def read_corners(path: Path) -> np.ndarray:
    """(n, 3) float64 coordinates of the corners of all facets."""
    return _facets(path)["corners"].reshape(-1, 3).astype(np.float64)


def moved_stl(path: Path, shift: np.ndarray) -> bytes:
    """The file with the shift subtracted from all corners."""
    facets = _facets(path)
    facets["corners"] = facets["corners"].astype(np.float64) - shift
    with path.open("rb") as file:
        return file.read(HEADER_BYTES) + facets.tobytes()


def _facets(path: Path) -> np.ndarray:
    count = int(np.fromfile(path, "<u4", 1, offset=HEADER_BYTES - 4)[0])
    return np.fromfile(path, _FACET, count, offset=HEADER_BYTES)
