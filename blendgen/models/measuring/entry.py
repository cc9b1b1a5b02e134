"""Entry: one measured model on disk, as a few files in a folder of the cache.

asset.blend holds the object "product", hull.npy its convex hull, convex_parts.npz the convex parts of a
hollow one, product.json the other fields of Measured, all other files that the importer looked for, and the
digests of the files before it. product.json is written last: an incomplete entry has none, or one whose
digests do not match. A refused model has an entry too, with only the reason and those files, so it is not
tried again.

The process that measures writes these. The cache adds reads.json, the state of each of the other files.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

import numpy as np
from pydantic import TypeAdapter

from blendgen.files.regular_file import open_regular
from blendgen.models.product import Measured

ASSET_FILE = "asset.blend"
_HULL_FILE = "hull.npy"
_PARTS_FILE = "convex_parts.npz"
_ARRAYS = {"hull_m", "convex_parts_m"}
_NUMBERS_FILE = "product.json"
_READS_FILE = "reads.json"


class IncompleteEntry(Exception):
    """The folder does not hold a complete entry."""


@cache
def _adapter() -> TypeAdapter[Measured]:
    return TypeAdapter(Measured)


def write_measured(folder: Path, measured: Measured, looked_for: Iterable[str] = ()) -> None:
    """Complete an entry; its asset.blend is already there.

    looked_for: all other files that decide the result, whether they exist or not (Companions.looked_for)
    """
    np.save(folder / _HULL_FILE, np.asarray(measured.hull_m, dtype=np.float64), allow_pickle=False)
    files = [ASSET_FILE, _HULL_FILE]
    if measured.convex_parts_m:
        np.savez(folder / _PARTS_FILE, *measured.convex_parts_m)
        files.append(_PARTS_FILE)
    numbers = _adapter().dump_python(measured, mode="json", exclude=_ARRAYS)
    numbers["looked_for"] = sorted(looked_for)
    numbers["sha256"] = {name: file_sha256(folder / name) for name in files}
    (folder / _NUMBERS_FILE).write_text(json.dumps(numbers, indent=1), encoding="utf-8")


def write_refusal(folder: Path, reason: str, looked_for: Iterable[str] = ()) -> None:
    """Make the folder the entry of a model that cannot be used, whatever it contains."""
    numbers = {"refusal": reason, "looked_for": sorted(looked_for)}
    (folder / _NUMBERS_FILE).write_text(json.dumps(numbers), encoding="utf-8")


def read_entry(folder: Path) -> Measured | str:
    """The measured model, or the reason for which it was refused.

    raises: IncompleteEntry if the folder is missing, incomplete or damaged
    """
    return read_new_entry(folder)[0]


def read_new_entry(folder: Path) -> tuple[Measured | str, list[str]]:
    """As read_entry; and what was looked for to measure it."""
    try:
        numbers = json.loads((folder / _NUMBERS_FILE).read_text(encoding="utf-8"))
        looked_for = [str(name) for name in numbers.pop("looked_for")]
        if "refusal" in numbers:
            return str(numbers["refusal"]), looked_for
        files = numbers.pop("sha256")
        for name, sha256 in files.items():
            if file_sha256(folder / name) != sha256:
                raise IncompleteEntry(f"{folder / name} is damaged")
        hull_m = np.load(folder / _HULL_FILE, allow_pickle=False)
        parts_m = _read_parts(folder / _PARTS_FILE) if _PARTS_FILE in files else ()
        return _adapter().validate_python(
            {**numbers, "hull_m": hull_m, "convex_parts_m": parts_m}
        ), looked_for
    except (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise IncompleteEntry(f"{folder}: {error}") from error


def _read_parts(path: Path) -> tuple[np.ndarray, ...]:
    with np.load(path, allow_pickle=False) as parts:
        return tuple(parts.values())


def write_states(folder: Path, states: Mapping[str, str]) -> None:
    """Store the states of the other files (measuring/reads.py) with an entry."""
    (folder / _READS_FILE).write_text(json.dumps(states), encoding="utf-8")


def read_states(folder: Path) -> dict[str, str]:
    """What write_states stored; raises IncompleteEntry."""
    try:
        states = json.loads((folder / _READS_FILE).read_text(encoding="utf-8"))
        return {str(name): str(state) for name, state in states.items()}
    except (OSError, ValueError, AttributeError, RecursionError) as error:
        raise IncompleteEntry(f"{folder}: {error}") from error


def file_sha256(path: Path, max_bytes: int | None = None) -> str:
    """Hex digest of a file's bytes; raises OSError, also for a file that is not regular or too large."""
    with open_regular(path, max_bytes) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
