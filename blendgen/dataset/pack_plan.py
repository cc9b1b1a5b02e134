"""Pack plan: in which large file an image is, if `output.container` asks for few large files.

In: the `output` section of a spec, or dataset.json. Out: names. A pack has the images of one split in a
block: a fixed number of images that follow each other. Which images these are depends on the spec alone, so
packs do not depend on the order of the images, on workers, or on shards of a farm.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Self

from blendgen.dataset.label_registry import LABEL_FILES
from blendgen.errors import DatasetError
from blendgen.files.names import name_fault
from blendgen.spec.model import Spec

SUFFIXES = {"webdataset": ".tar", "parquet": ".parquet"}
INDEX_SUFFIX = ".index.npy"
FOLDER = "data"
CONTAINER_KEY, IMAGES_KEY = "container", "images_per_file"  # of dataset.json
_PACK_BYTES = 500 * 10**6
# estimates, for the size of a block; bytes of an image, and of each of its pixels
_BYTES_PER_ROW, _BYTES_PER_PIXEL = 4000, {".jpg": 0.5, ".exr": 4.0, ".png": 0.5}
_BYTES_PER_PIXEL_OF = {"image": 2.0, "clean": 2.0}  # of PNG files with many colours
_NAME = re.compile(rf"{FOLDER}/(.+)-([0-9]{{6,9}})(\.tar|\.parquet|\.index\.npy)")
_MAX_IMAGES = 10**8


@dataclass(frozen=True)
class PackPlan:
    """container: webdataset or parquet; images_per_file: of a block, all splits together"""

    container: str
    images_per_file: int

    @classmethod
    def of_spec(cls, spec: Spec) -> Self | None:
        """The plan of a spec; None for loose files."""
        output = spec.output
        if output.container == "files":
            return None
        images = output.images_per_file or max(1, _PACK_BYTES // _bytes_per_image(spec))
        shots = max(1, math.ceil(images / spec.exposures_per_shot))
        return cls(output.container, shots * spec.exposures_per_shot)

    @classmethod
    def of_record(cls, record: Mapping[str, Any]) -> Self | None:
        """The plan of a dataset.json; None for loose files. raises: DatasetError for values of others"""
        container, images = record.get(CONTAINER_KEY), record.get(IMAGES_KEY)
        if container is None:
            return None
        if container not in SUFFIXES or type(images) is not int or not 0 < images <= _MAX_IMAGES:
            raise DatasetError(
                f"dataset.json: {CONTAINER_KEY} {ascii(container)[:80]} with {IMAGES_KEY} "
                f"{ascii(images)[:80]} is not known to this blendgen"
            )
        return cls(container, images)

    @property
    def suffix(self) -> str:
        return SUFFIXES[self.container]

    @property
    def record(self) -> dict[str, Any]:
        """What dataset.json states."""
        return {CONTAINER_KEY: self.container, IMAGES_KEY: self.images_per_file}

    def block(self, index: int) -> int:
        """The number of the block of an image."""
        return index // self.images_per_file

    def images_of(self, block: int) -> range:
        """The indices of the images of a block."""
        return range(block * self.images_per_file, (block + 1) * self.images_per_file)

    def pack(self, split: str, block: int) -> str:
        """The name of a pack, relative to the data set."""
        return f"{FOLDER}/{split}-{block:06d}{self.suffix}"

    def index_file(self, split: str, block: int) -> str:
        """The name of its index."""
        return f"{FOLDER}/{split}-{block:06d}{INDEX_SUFFIX}"

    def files_of(self, split: str, index: int) -> tuple[str, str]:
        """The names of the pack of an image, and of its index."""
        block = self.block(index)
        return self.pack(split, block), self.index_file(split, block)

    def named(self, name: str) -> tuple[str, int] | None:
        """(split, block) of a pack or of an index of this plan; None for other names."""
        match = _NAME.fullmatch(name)
        if match is None or match[3] not in (self.suffix, INDEX_SUFFIX) or name_fault(match[1]):
            return None
        split, block = match[1], int(match[2])
        return (split, block) if name in (self.pack(split, block), self.index_file(split, block)) else None


@dataclass(frozen=True)
class ImagePlace:
    """What the name of a loose file says: the kind of file, its split and its image."""

    kind: str
    split: str
    index: int


def place_of_file(name: str) -> ImagePlace | None:
    """The place of an image file with that name; None for names of other files."""
    folder, *inner = name.split("/")
    kind = _KIND_OF_FOLDER.get(folder)
    stem = PurePosixPath(name).stem
    if kind is None or len(inner) < 2 or not (stem.isascii() and stem.isdecimal() and len(stem) <= 15):
        return None
    return ImagePlace(kind, inner[0], int(stem))


_KIND_OF_FOLDER = {kind.folder: name for name, kind in LABEL_FILES.items()}


def _bytes_per_image(spec: Spec) -> int:
    """About how large all files of an image are."""
    pixels, total = math.prod(spec.resolution), _BYTES_PER_ROW
    for name, kind in LABEL_FILES.items():
        if kind.is_wanted(spec.output):
            suffix = kind.suffix_of(spec.output) if kind.suffix_of else kind.suffixes[0]
            estimates = _BYTES_PER_PIXEL_OF if suffix == ".png" else {}
            total += round(pixels * estimates.get(name, _BYTES_PER_PIXEL[suffix]))
    return total
