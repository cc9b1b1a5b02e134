"""Where things lie in a data set's folder; see docs/dataset.md.

OUT/images/<split>/<label>/000042.png is a plain ImageFolder: nothing else lives under images/.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from blendgen.dataset.label_files import LABEL_FILES
from blendgen.files.names import path_fault
from blendgen.scene.shot import Row

_FILE_NAME = "file_name"
PENDING_SUFFIX = ".names"  # of a list in Layout.temporary of files that may not have a row yet


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
        return self.root / ".blendgen-lock"

    def file(self, name: str) -> Path:
        """The file of a path that has passed row_path_fault; it may be missing.

        raises: ValueError where a link leads out of the data set, or where it is a folder, device or pipe
        """
        path = self.root / name
        try:
            status = path.stat()
        except FileNotFoundError:
            return path
        except OSError as error:
            raise ValueError(f"{name} cannot be read: {error.strerror}") from None
        root = os.path.realpath(self.root)
        if os.path.commonpath([root, os.path.realpath(path)]) != root:
            raise ValueError(f"{name} leads out of the data set through a link")
        if not stat.S_ISREG(status.st_mode):
            raise ValueError(f"{name} is not a file")
        return path


def file_keys(row: Row) -> list[str]:
    """The columns of a row that name files."""
    return [key for key in row if key.endswith(_FILE_NAME)]


def kind_of_key(key: str) -> str:
    """ "mask" for mask_file_name, "image" for file_name."""
    return key.removesuffix(_FILE_NAME).removesuffix("_") or "image"


def row_path_fault(row: Row) -> str | None:
    """Why a row names a file that cannot be one of a data set, in one line; None where all can be."""
    for key in file_keys(row):
        name, kind = row[key], LABEL_FILES.get(kind_of_key(key))
        fault = path_fault(name)
        if fault is None and kind is None:
            fault = f"is not of a kind that a data set has ({', '.join(LABEL_FILES)})"
        elif fault is None:
            fault = kind.path_fault(name)
        if fault:
            return f"{key} {ascii(name)[:120]} {fault}"
    return None


def file_key(kind: str) -> str:
    """The manifest's column with the path of such a file."""
    return _FILE_NAME if kind == "image" else f"{kind}_{_FILE_NAME}"


def size_key(key: str) -> str:
    """The column with the size in bytes of the file that the column `key` names."""
    return key.replace(_FILE_NAME, "size_bytes")


def sha256_key(key: str) -> str:
    """The column with the sha256 of the file that the column `key` names."""
    return key.replace(_FILE_NAME, "sha256")
