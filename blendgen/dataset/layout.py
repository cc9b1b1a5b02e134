"""Where things lie in a data set's folder; see docs/dataset.md.

OUT/images/<split>/<label>/000042.png is a plain ImageFolder: nothing else lives under images/.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from blendgen.develop.encode import SUFFIXES
from blendgen.shot import Shot
from blendgen.spec.output import Output

# what belongs to an image, and the folder of each kind
FOLDERS = {
    "image": "images",
    "mask": "masks",
    "clean": "clean",
    "depth": "depth",
    "semantic": "semantic",
    "parts": "parts",
    "coverage": "coverage",
    "normals": "normals",
    "albedo": "albedo",
    "nocs": "nocs",
}
_SUFFIXES = dict.fromkeys(("coverage", "normals", "nocs"), ".exr")


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
        folders = [self.root / name for name in FOLDERS.values()]
        files = [self.manifest, self.spec, self.contact_sheet, self.log, self.temporary]
        return [*folders, *files, self.record]  # the record last: until then the folder is known as ours


def file_key(kind: str) -> str:
    """The manifest's column with the path of such a file."""
    return "file_name" if kind == "image" else f"{kind}_file_name"


def file_name(kind: str, shot: Shot, image_index: int, output: Output) -> str:
    """Relative path of a file of an image; its folder is the class of the shot's subject."""
    suffix = {"image": SUFFIXES[output.format], "depth": output.depth_suffix}.get(kind)
    stem = f"{shot.split}/{shot.products[0].label}/{image_index:06d}"
    return f"{FOLDERS[kind]}/{stem}{suffix or _SUFFIXES.get(kind, '.png')}"
