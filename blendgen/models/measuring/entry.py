"""Entry: one measured model on disk, as three files in a folder of the cache.

asset.blend holds the object "product", hull.npy its convex hull, product.json the other fields of Measured
and the digests of the first two files. product.json is written last: an incomplete entry has none, or one
whose digests do not match. A refused model has an entry too, with only the reason, so it is not tried again.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path

import numpy as np
from pydantic import TypeAdapter

from blendgen.files.regular_file import open_regular
from blendgen.models.product import Measured

ASSET_FILE = "asset.blend"
_HULL_FILE = "hull.npy"
_NUMBERS_FILE = "product.json"


class IncompleteEntry(Exception):
    """The folder does not hold a complete entry."""


@cache
def _adapter() -> TypeAdapter[Measured]:
    return TypeAdapter(Measured)


def write_measured(folder: Path, measured: Measured) -> None:
    """Complete an entry; its asset.blend is already there."""
    np.save(folder / _HULL_FILE, np.asarray(measured.hull_m, dtype=np.float64), allow_pickle=False)
    numbers = _adapter().dump_python(measured, mode="json", exclude={"hull_m"})
    numbers["sha256"] = {name: file_sha256(folder / name) for name in (ASSET_FILE, _HULL_FILE)}
    (folder / _NUMBERS_FILE).write_text(json.dumps(numbers, indent=1), encoding="utf-8")


def write_refusal(folder: Path, reason: str) -> None:
    """Make the folder the entry of a model that cannot be used, whatever it contains."""
    (folder / _NUMBERS_FILE).write_text(json.dumps({"refusal": reason}), encoding="utf-8")


def read_entry(folder: Path) -> Measured | str:
    """The measured model, or the reason for which it was refused.

    raises: IncompleteEntry if the folder is missing, incomplete or damaged
    """
    try:
        numbers = json.loads((folder / _NUMBERS_FILE).read_text(encoding="utf-8"))
        if "refusal" in numbers:
            return str(numbers["refusal"])
        for name, sha256 in numbers.pop("sha256").items():
            if file_sha256(folder / name) != sha256:
                raise IncompleteEntry(f"{folder / name} is damaged")
        hull_m = np.load(folder / _HULL_FILE, allow_pickle=False)
        return _adapter().validate_python({**numbers, "hull_m": hull_m})
    except (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise IncompleteEntry(f"{folder}: {error}") from error


def file_sha256(path: Path, max_bytes: int | None = None) -> str:
    """Hex digest of a file's bytes; raises OSError, also for a file that is not regular or too large."""
    with open_regular(path, max_bytes) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
