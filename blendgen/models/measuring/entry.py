"""Entry: one measured model on disk, as three files in a folder of the cache.

asset.blend holds the object "product", hull.npy its convex hull, product.json all other numbers and
the digests of the first two; it is written last, so a torn entry has none or one that does not fit.
A model that was refused has an entry too, with only the reason: it need not be tried again.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from blendgen.files.regular_file import open_regular
from blendgen.models.product import Colorway, Keypoint, MaterialOverride, Matrix4, StablePose

ASSET_FILE = "asset.blend"
_HULL_FILE = "hull.npy"
_NUMBERS_FILE = "product.json"


class TornEntry(Exception):
    """The folder does not hold a whole entry."""


@dataclass(frozen=True, eq=False)
class Measured:
    """What measuring one model gives; fields as in Product.

    keypoints: on the surface; of a model file the `points` of its source's options, named "0", "1", ...
    """

    shape: str
    size_m: tuple[float, float, float]
    hull_m: np.ndarray
    stable_poses: tuple[StablePose, ...]
    colorways: tuple[Colorway, ...]
    parts: tuple[str, ...]
    triangles: int
    missing_textures: tuple[str, ...] = ()
    keypoints: tuple[Keypoint, ...] = ()
    file_to_product: Matrix4 | None = None


def write_measured(folder: Path, measured: Measured) -> None:
    """Complete an entry in which asset.blend already lies."""
    np.save(folder / _HULL_FILE, np.asarray(measured.hull_m, dtype=np.float64), allow_pickle=False)
    numbers = {
        "shape": measured.shape,
        "size_m": measured.size_m,
        "stable_poses": [asdict(pose) for pose in measured.stable_poses],
        "colorways": [asdict(colorway) for colorway in measured.colorways],
        "parts": measured.parts,
        "triangles": measured.triangles,
        "missing_textures": measured.missing_textures,
        "keypoints": [asdict(keypoint) for keypoint in measured.keypoints],
        "file_to_product": measured.file_to_product,
        "sha256": {name: file_sha256(folder / name) for name in (ASSET_FILE, _HULL_FILE)},
    }
    (folder / _NUMBERS_FILE).write_text(json.dumps(numbers, indent=1), encoding="utf-8")


def write_refusal(folder: Path, reason: str) -> None:
    """Make the folder the entry of a model that cannot be used, whatever lies in it already."""
    (folder / _NUMBERS_FILE).write_text(json.dumps({"refusal": reason}), encoding="utf-8")


def read_entry(folder: Path) -> Measured | str:
    """The measured model, or the reason for which it was refused.

    raises: TornEntry where the folder is missing, not complete or damaged
    """
    try:
        numbers = json.loads((folder / _NUMBERS_FILE).read_text(encoding="utf-8"))
        if "refusal" in numbers:
            return str(numbers["refusal"])
        for name, sha256 in numbers["sha256"].items():
            if file_sha256(folder / name) != sha256:
                raise TornEntry(f"{folder / name} is damaged")
        return _measured(numbers, np.load(folder / _HULL_FILE, allow_pickle=False))
    except (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise TornEntry(f"{folder}: {error}") from error


def _measured(numbers: dict, hull_m: np.ndarray) -> Measured:
    poses = tuple(
        StablePose(_rows(pose["rotation"]), pose["probability"]) for pose in numbers["stable_poses"]
    )
    colorways = tuple(
        Colorway(entry["name"], {part: MaterialOverride(**new) for part, new in entry["materials"].items()})
        for entry in numbers["colorways"]
    )
    return Measured(
        shape=numbers["shape"],
        size_m=tuple(numbers["size_m"]),
        hull_m=hull_m,
        stable_poses=poses,
        colorways=colorways,
        parts=tuple(numbers["parts"]),
        triangles=numbers["triangles"],
        missing_textures=tuple(numbers["missing_textures"]),
        keypoints=tuple(_keypoint(entry) for entry in numbers["keypoints"]),
        file_to_product=_rows(numbers["file_to_product"]),
    )


def _keypoint(entry: dict) -> Keypoint:
    return Keypoint(entry["name"], tuple(entry["position_m"]), entry["mirrored"])


def _rows(matrix: list[list[float]] | None) -> Matrix4 | None:
    return None if matrix is None else tuple(tuple(row) for row in matrix)


def file_sha256(path: Path, max_bytes: int | None = None) -> str:
    """Hex digest of a file's bytes; raises OSError, also for what is no regular file or larger than that."""
    with open_regular(path, max_bytes) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
