"""Feature cache: features of images that were seen before, in one file for each backbone.

In: sha256 of image files. Out: their features. Rows are added in one transaction a batch, so a killed run
loses one batch at most, and several processes may share the file. It may be deleted at any time.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from blendgen.errors import SetupError
from blendgen.geometry.arrays import AnyArray

_WAIT_S = 60.0  # for another process that writes
_ASKED_AT_ONCE = 500
_TABLE = "CREATE TABLE IF NOT EXISTS features (sha256 TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID"


class FeatureCache:
    """path: of the file, which is created with the folders above it; raises SetupError"""

    def __init__(self, path: Path):
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with self._opened() as database:
                database.execute(_TABLE)
        except OSError as error:
            raise SetupError(f"{path}: cannot be written: {error.strerror or error}") from None

    def get(self, keys: Sequence[str]) -> dict[str, AnyArray]:
        """Key -> (d,) float32, of those that are there."""
        values: dict[str, AnyArray] = {}
        with self._opened() as database:
            for start in range(0, len(keys), _ASKED_AT_ONCE):
                some = keys[start : start + _ASKED_AT_ONCE]
                marks = ",".join("?" * len(some))
                query = f"SELECT sha256, value FROM features WHERE sha256 IN ({marks})"
                values |= {key: np.frombuffer(data, "<f4") for key, data in database.execute(query, some)}
        return values

    def put(self, values: Mapping[str, AnyArray]) -> None:
        rows = [(key, value.astype("<f4").tobytes()) for key, value in values.items()]
        with self._opened() as database:
            database.executemany("INSERT OR REPLACE INTO features VALUES (?, ?)", rows)

    @contextlib.contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        """A connection whose changes are stored at the end, all or none."""
        try:
            with contextlib.closing(sqlite3.connect(self.path, timeout=_WAIT_S)) as database, database:
                yield database
        except sqlite3.Error as error:
            raise SetupError(f"{self.path}: {error}; delete this file, which is only a cache") from None
