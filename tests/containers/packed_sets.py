"""Data sets of the flat engine in few large files."""

from __future__ import annotations

from pathlib import Path

import blendgen.dataset.pack_index as pack_index_module
from blendgen.verification.dataset import verify
from tests.conftest import make_spec
from tests.farm.made import content, make
from tests.workers.flat_run import SOME_FAIL

CONTAINERS = ("webdataset", "parquet")
IMAGES = 15


def spec_of(container: str, images: int = IMAGES, **output):
    """Blocks of six images, each with several splits, some of them without an image; two images a shot."""
    packs = {} if container == "files" else {"images_per_file": 5}
    return make_spec(
        images=images, seed=3, splits={"train": 0.5, "val": 0.5}, resolution=[24, 16], exposures_per_shot=2,
        output={"container": container, **packs, **output}, **SOME_FAIL,
    )  # fmt: skip


def packed(folder: Path, container: str, indices=None, images: int = IMAGES) -> Path:
    make(folder, indices, spec_of(container, images))
    return folder


def faults(folder: Path) -> list[str]:
    pack_index_module._opened.cache_clear()  # tests change files within the resolution of clocks
    return [str(fault) for fault in verify(folder)]


def names(folder: Path) -> list[str]:
    return sorted(content(folder))
