"""Layout: where the files of a data set are; see docs/dataset.md.

OUT/images/<split>/<label>/000042.png is a plain ImageFolder: README.md next to the
splits tells a loader what they are, and metadata.jsonl in them where an image is in a folder
of its thousand, as in 0012/012345.png.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from blendgen.files.disk import raise_if_passing

RECORD_NAME = "dataset.json"
OBJECTS_NAME = ".blendgen-objects.jsonl"  # what a data set in an object store consists of; see cloud/index.py
PROBE_NAME = ".blendgen-probe"  # an object that is written and removed to see whether a store allows that
PENDING_SUFFIX = ".names"  # of lists in Layout.temporary: files that may not have a row yet


@dataclass(frozen=True)
class Layout:
    """Paths of one data set; relative ones are relative to `root` and use "/"."""

    root: Path

    @property
    def manifest(self) -> Path:
        return self.root / "manifest.jsonl"

    @property
    def failures(self) -> Path:
        return self.root / "failed.jsonl"

    @property
    def record(self) -> Path:
        return self.root / RECORD_NAME

    @property
    def spec(self) -> Path:
        return self.root / "spec.yaml"

    @property
    def contact_sheet(self) -> Path:
        return self.root / "contact_sheet.jpg"

    @property
    def images_card(self) -> Path:
        return self.root / "images" / "README.md"

    @property
    def image_lists(self) -> tuple[Path, ...]:
        """Those of image_lists.py that there are, or files of somebody else in their places."""
        return tuple(sorted((self.root / "images").glob("*/metadata.jsonl")))

    @property
    def own_files(self) -> tuple[Path, ...]:
        """The files that do not belong to an image."""
        described = (self.record, self.manifest, self.failures, self.spec, self.log)
        return (*described, self.contact_sheet, self.images_card, *self.image_lists)

    @property
    def packs(self) -> Path:
        """The folder of the large files that hold the images; see pack_plan.py."""
        return self.root / "data"

    @property
    def packs_card(self) -> Path:
        """In place of images_card, if images are in packs."""
        return self.packs / "README.md"

    @property
    def log(self) -> Path:
        return self.root / "blender.log"

    @property
    def temporary(self) -> Path:
        """Files that are being written; on the same file system, so that a rename is atomic."""
        return self.root / ".partial"

    @property
    def run_status(self) -> Path:
        """How far the run is that works on this data set; see run_status.py."""
        return self.temporary / "run-status.json"

    @property
    def suspects(self) -> Path:
        """The shots that were being rendered when a run was killed."""
        return self.temporary / "suspects.json"

    @property
    def lock(self) -> Path:
        return self.root / ".blendgen-lock"

    @property
    def shards(self) -> Path:
        """The data sets of which farm/merge.py makes this one."""
        return self.root / "shards"

    def name(self, path: Path) -> str:
        """A path as manifest.jsonl has it: relative to the root, with "/"."""
        return path.relative_to(self.root).as_posix()

    def file(self, name: str) -> Path:
        """The path of a file that a row names (rows.py has checked the name); the file may be missing.

        raises: ValueError if a link leads out of the data set, or for a folder, device or pipe;
            DiskUnavailable
        """
        path = self.root / name
        try:
            status = path.stat()
        except FileNotFoundError:
            return path
        except OSError as error:
            raise_if_passing(path, error)
            raise ValueError(f"{name} cannot be read: {error.strerror}") from None
        root = os.path.realpath(self.root)
        if os.path.commonpath([root, os.path.realpath(path)]) != root:
            raise ValueError(f"{name} leads out of the data set through a link")
        if not stat.S_ISREG(status.st_mode):
            raise ValueError(f"{name} is not a file")
        return path
