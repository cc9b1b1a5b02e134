"""Checkpoint: how far a training is, in one file that is replaced after each epoch.

In: stages by name. Out: what was finished, and the state of the stage that was being trained. A training that
was killed goes on from its last epoch and gives the same numbers. The key says what the training is of: with
another one, or if the file is damaged, it begins at the start.
"""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import Any

import torch

from blendgen.files.folder import Folder
from blendgen.files.regular_file import read_bounded
from blendgen.learn.run_folder import CHECKPOINT

_MAX_BYTES = 4 * 2**30
# what torch.load raises for a damaged file
_ODD = (
    OSError,
    ValueError,
    RuntimeError,
    EOFError,
    KeyError,
    TypeError,
    AttributeError,
    pickle.UnpicklingError,
)


class Checkpoint:
    """finished: name of a stage -> its result; tensors and plain values"""

    def __init__(self, folder: Path, key: str):
        self._folder, self._key = Folder(folder), key
        stored = _read(folder / CHECKPOINT, key)
        self.finished: dict[str, Any] = stored.get("finished", {})
        self._current: dict[str, Any] = stored.get("current", {})

    def current(self, stage: str) -> dict[str, Any] | None:
        """The state that `save` was given last, if it was of this stage."""
        return self._current if self._current.get("stage") == stage else None

    def save(self, stage: str, state: dict[str, Any]) -> None:
        """Store the state of a stage; raises DatasetError."""
        self._current = {"stage": stage, **state}
        self._write()

    def finish(self, stage: str, result: Any) -> None:
        """Store the result of a stage; raises DatasetError."""
        self.finished[stage], self._current = result, {}
        self._write()

    def _write(self) -> None:
        buffer = io.BytesIO()
        torch.save({"key": self._key, "finished": self.finished, "current": self._current}, buffer)
        self._folder.write(CHECKPOINT, buffer.getvalue())


def _read(path: Path, key: str) -> dict[str, Any]:
    try:
        stored = torch.load(io.BytesIO(read_bounded(path, _MAX_BYTES)), weights_only=True)
        return stored if stored["key"] == key else {}
    except _ODD:
        return {}
