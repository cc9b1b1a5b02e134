"""Destination: the folder that an export fills; a killed export goes on with the same command.

Every file appears whole or not at all. Images are hard links where the file system allows it: they
take no room, and neither side changes the other's files. A marker names what is being exported, so that
a folder with anything else in it is refused; it stays, and a finished export is made again only when
asked to (`force`).
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from blendgen.dataset.write import disk_error
from blendgen.errors import DatasetError

LINKS = ("hard", "copy", "symlink")
_MARKER = ".blendgen-export.json"


class Destination:
    """root: the folder; use as a context manager."""

    def __init__(self, root: Path, identity: dict[str, Any], link: str = "hard", force: bool = False):
        self.root, self._identity, self._link, self._force = Path(root), identity, link, force

    def __enter__(self) -> Destination:
        marker = self.root / _MARKER
        if self.root.exists() and not self.root.is_dir():
            raise DatasetError(f"{self.root}: is a file; name a folder")
        try:
            known = json.loads(marker.read_text("utf-8"))
        except (OSError, ValueError):
            known = None
        if known is None and self.root.is_dir() and any(self.root.iterdir()):
            raise DatasetError(f"{self.root}: is not empty and holds no export; name another folder")
        if known is not None and known != self._identity:
            if not self._force:
                raise DatasetError(f"{self.root}: holds another export; name another folder, or use --force")
            shutil.rmtree(self.root)
        self.write_text(_MARKER, json.dumps(self._identity))
        return self

    def __exit__(self, *_) -> None:
        for left in self.root.rglob("*.partial"):
            left.unlink(missing_ok=True)

    def has(self, name: str) -> bool:
        return (self.root / name).exists()

    def place(self, source: Path, name: str) -> None:
        """Put a file there under a name, relative to the root with /; raises DatasetError."""
        target = self.root / name
        try:
            if target.exists() and target.stat().st_size == source.stat().st_size:
                return
            target.parent.mkdir(parents=True, exist_ok=True)
            partial = _partial(target)
            partial.unlink(missing_ok=True)
            self._put(source, partial)
            partial.replace(target)
            partial.unlink(missing_ok=True)  # a link onto its own file is not renamed
        except FileNotFoundError:
            raise DatasetError(f"{source}: is missing; `blendgen verify` tells what else is") from None
        except OSError as error:
            raise disk_error(target, error) from None

    def _put(self, source: Path, target: Path) -> None:
        if self._link == "symlink":
            target.symlink_to(source.resolve(strict=True))
            return
        if self._link == "hard":
            try:
                target.hardlink_to(source)
                return
            except FileNotFoundError:
                raise
            except OSError:
                pass  # another file system, or one without links
        shutil.copyfile(source, target)

    def write_text(self, name: str, text: str) -> None:
        with self.opened(name) as file:
            file.write(text.encode())

    def write_bytes(self, name: str, data: bytes) -> None:
        with self.opened(name) as file:
            file.write(data)

    @contextmanager
    def opened(self, name: str) -> Iterator[IO[bytes]]:
        """A binary file that takes its name only when the block ends without an error."""
        target = self.root / name
        partial = _partial(target)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with partial.open("wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            partial.replace(target)
        except OSError as error:
            partial.unlink(missing_ok=True)
            raise disk_error(target, error) from None


def _partial(target: Path) -> Path:
    return target.with_name(target.name + ".partial")
