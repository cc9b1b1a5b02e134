"""Where things lie in a data set's folder; see docs/dataset.md.

OUT/images/<split>/<label>/000042.png is a plain ImageFolder: nothing else lives under images/.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from blendgen.develop.encode import SUFFIXES
from blendgen.shot import Shot
from blendgen.spec.model import Output


@dataclass(frozen=True)
class Layout:
    """Paths of one data set; relative ones are relative to `root` and use "/"."""

    root: Path

    @property
    def manifest(self) -> Path:
        return self.root / "manifest.jsonl"

    @property
    def record(self) -> Path:
        return self.root / "dataset.json"

    @property
    def spec(self) -> Path:
        return self.root / "spec.yaml"

    @property
    def contact_sheet(self) -> Path:
        return self.root / "contact_sheet.jpg"

    @property
    def log(self) -> Path:
        return self.root / "blender.log"

    @property
    def temporary(self) -> Path:
        """Files on their way; same file system, so that a rename is atomic."""
        return self.root / ".partial"

    @property
    def lock(self) -> Path:
        return self.root / ".lock"

    def owned(self) -> list[Path]:
        """Everything that a data set consists of, for a forced fresh start."""
        folders = [self.root / name for name in ("images", "masks", "clean", "depth")]
        files = [self.manifest, self.spec, self.contact_sheet, self.log, self.temporary]
        return [*folders, *files, self.record]  # the record last: until then the folder is known as ours


def image_name(shot: Shot, image_index: int, output: Output) -> str:
    """Relative path of an image: its folder is the class of the shot's subject."""
    return f"images/{_stem(shot, image_index)}{SUFFIXES[output.format]}"


def clean_name(shot: Shot, image_index: int) -> str:
    """Relative path of the twin without noise; it is never compressed with loss."""
    return f"clean/{_stem(shot, image_index)}.png"


def mask_name(shot: Shot, image_index: int) -> str:
    return f"masks/{_stem(shot, image_index)}.png"


def depth_name(shot: Shot, image_index: int) -> str:
    return f"depth/{_stem(shot, image_index)}.png"


def _stem(shot: Shot, image_index: int) -> str:
    return f"{shot.split}/{shot.products[0].label}/{image_index:06d}"
