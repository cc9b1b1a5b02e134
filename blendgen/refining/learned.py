"""Learned: a refiner that is trained on a data set and photos, and what it makes of an image.

In: a data set, photos, settings. Out: a Learned. The training is stored in the cache while it lasts, so the
same call goes on where it was stopped.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import torch

from blendgen import __version__
from blendgen.dataset.source import Source
from blendgen.errors import UsageError
from blendgen.geometry.arrays import ImageHW3U8
from blendgen.learn.checkpoint import Checkpoint
from blendgen.learn.tuning import device
from blendgen.photos.folder import PhotoFolder
from blendgen.refining.adversarial import Settings, Training
from blendgen.refining.crops import photo_crops, render_crops
from blendgen.refining.networks import LEAST_SIDE_PX, Refiner, refined
from blendgen.scene.row import Row
from blendgen.system.progress import Progress

_FACTS = "facts"


@dataclass(frozen=True)
class Learned:
    """facts: how it was trained; notes: photos that were left out"""

    refiner: Refiner
    facts: dict[str, Any]
    notes: tuple[str, ...] = ()

    def changed(self, source: Source, row: Row) -> ImageHW3U8:
        """(h, w, 3) uint8"""
        return refined(self.refiner.to(device()), source.image(row), device())

    def to_bytes(self) -> bytes:
        """Weights and facts as .npz; the same give the same bytes."""
        buffer = io.BytesIO()
        arrays: dict[str, Any] = {name: one.cpu().numpy() for name, one in self.refiner.state_dict().items()}
        arrays[_FACTS] = np.array(json.dumps([self.facts, self.notes]))
        np.savez(buffer, **arrays)
        return buffer.getvalue()


def learned_from(data: bytes) -> Learned | None:
    """What to_bytes made; None for other bytes."""
    refiner = Refiner()
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            weights = {name: torch.from_numpy(arrays[name]) for name in arrays.files if name != _FACTS}
            facts, notes = json.loads(str(arrays[_FACTS]))
        refiner.load_state_dict(weights)
    except (OSError, EOFError, KeyError, RuntimeError, TypeError, ValueError, zipfile.BadZipFile):
        return None
    return Learned(refiner.eval(), facts, tuple(notes))


def learned(
    source: Source, photos: PhotoFolder, side: int, settings: Settings, place: Path, progress: Progress
) -> Learned:
    """place: folder in the cache for the checkpoint; raises UsageError, DatasetError"""
    first = source.row(0)
    side = min(side, first.width, first.height)
    if side < LEAST_SIDE_PX:
        raise UsageError(
            f"{source.root}: images of {first.width} x {first.height} pixels are too small to train on; a "
            f"side (--size) needs at least {LEAST_SIDE_PX}"
        )
    renders = render_crops(source, side, settings.seed, progress)
    of_photos = photo_crops(photos, max(first.width, first.height), side, settings.seed, progress)
    torch_version = metadata.version("torch")
    key = [
        __version__, torch_version, str(device()), renders.digest, of_photos.digest,
        settings.regularization, settings.seed,
    ]  # fmt: skip
    digest = hashlib.sha256(json.dumps(key).encode()).hexdigest()
    training = Training(renders, of_photos, settings, Checkpoint(place, digest))
    refiner = training.run(progress)
    facts = {
        "steps": training.step, "size": side, "regularization": settings.regularization,
        "seed": settings.seed, "device": str(device()), "torch": torch_version,
        "renders": renders.pictures, "photos": of_photos.pictures, "history": training.history,
    }  # fmt: skip
    return Learned(refiner, facts, tuple(of_photos.left_out))
