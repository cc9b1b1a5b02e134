"""Destination: the folder that an export fills; a killed export goes on with the same command.

Every file appears whole or not at all, and a list is kept of those that the export wrote: only these
are ever removed, when an export is replaced or when a file is no longer part of it. A folder with
anything else in it is refused. Hard links take no room, but whoever changes a file in place changes
both: `copy` is for folders that are to be worked on.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from blendgen.dataset.write import disk_error
from blendgen.errors import DatasetError

_MARKER, _LIST = ".blendgen-export.json", ".blendgen-export-files.txt"
_PARTIAL = ".blendgen-partial"


class Destination:
    """root: the folder; use as a context manager.

    inputs: folders that are read; the destination neither holds nor lies in one of them
    """

    def __init__(
        self,
        root: Path,
        identity: dict[str, Any],
        link: str = "hard",
        force: bool = False,
        inputs: tuple[Path, ...] = (),
    ):
        self.root, self._link, self._force = Path(root).resolve(), link, force
        # as it comes back from the file
        self._identity = json.loads(json.dumps({**identity, "link": link}))
        self._inputs = [Path(path).resolve() for path in inputs]
        self._written: set[str] = set()
        self._folders: set[Path] = set()

    def __enter__(self) -> Destination:
        for path in self._inputs:
            if path.is_relative_to(self.root) or self.root.is_relative_to(path):
                raise DatasetError(
                    f"{self.root}: lies in {path}, or the other way round; name a folder beside it"
                )
        if self.root.exists() and not self.root.is_dir():
            raise DatasetError(f"{self.root}: is a file; name a folder")
        known = self._known()
        if known is None and self.root.is_dir() and any(self.root.iterdir()):
            raise DatasetError(f"{self.root}: is not empty and holds no export; name another folder")
        if known is not None and known != self._identity and not self._force:
            raise DatasetError(f"{self.root}: holds another export; name another folder, or use --force")
        if self._force:
            self._remove(self._listed())
        self._write(_MARKER, json.dumps(self._identity).encode())
        self._list = (self.root / _LIST).open("a", encoding="utf-8")
        return self

    def __exit__(self, kind, *_) -> None:
        self._list.close()
        if kind is None:
            self._remove(self._listed() - self._written)
            self._write(_LIST, "".join(f"{name}\n" for name in sorted(self._written)).encode())

    def has(self, name: str) -> bool:
        """Whether an earlier run finished this file; it then stays part of the export."""
        if not (self.root / name).exists():
            return False
        self._note(name)
        return True

    def place(self, source: Path, name: str) -> None:
        """Put a file there under a name, relative to the root with /; raises DatasetError."""
        target = self.root / name
        self._note(name)
        try:
            if target.exists() and target.stat().st_size == source.stat().st_size:
                return
            if target.parent not in self._folders:
                target.parent.mkdir(parents=True, exist_ok=True)
                self._folders.add(target.parent)
            partial = _partial(target)
            try:
                self._put(source, partial)
            except FileExistsError:  # of a run that was killed
                partial.unlink()
                self._put(source, partial)
            partial.replace(target)
        except FileNotFoundError:
            raise DatasetError(f"{source}: is missing; `blendgen verify` tells what else is") from None
        except OSError as error:
            raise disk_error(target, error) from None

    def write_text(self, name: str, text: str) -> None:
        self.write_bytes(name, text.encode())

    def write_bytes(self, name: str, data: bytes) -> None:
        with self.opened(name) as file:
            file.write(data)

    @contextmanager
    def opened(self, name: str) -> Iterator[IO[bytes]]:
        """A binary file that takes its name only when the block ends without an error."""
        self._note(name)
        with _whole(self.root / name) as file:
            yield file

    def _put(self, source: Path, target: Path) -> None:
        if self._link == "symlink":
            target.symlink_to(source.resolve(strict=True))
            return
        if self._link == "hard":
            try:
                target.hardlink_to(source)
                return
            except (FileNotFoundError, FileExistsError):
                raise
            except OSError:
                pass  # another file system, or one without links
        shutil.copyfile(source, target)

    def _write(self, name: str, data: bytes) -> None:
        with _whole(self.root / name) as file:
            file.write(data)

    def _note(self, name: str) -> None:
        """List a file before it is made, so that no run forgets what another has made."""
        if name not in self._written:
            self._written.add(name)
            self._list.write(f"{name}\n")
            self._list.flush()

    def _known(self) -> dict[str, Any] | None:
        try:
            return json.loads((self.root / _MARKER).read_text("utf-8"))
        except (OSError, ValueError):
            return None

    def _listed(self) -> set[str]:
        try:
            return set((self.root / _LIST).read_text("utf-8").split("\n")) - {""}
        except (OSError, UnicodeDecodeError):
            return set()

    def _remove(self, names: set[str]) -> None:
        """Remove files of the export, half-made ones too, and the folders that they leave empty."""
        folders = set()
        for name in names:
            path = self.root / name
            path.unlink(missing_ok=True)
            _partial(path).unlink(missing_ok=True)
            folders |= {
                parent for parent in path.parents if parent != self.root and self.root in parent.parents
            }
        for folder in sorted(folders, key=lambda path: -len(path.parts)):
            with suppress(OSError):  # holds what is not ours
                folder.rmdir()


@contextmanager
def _whole(target: Path) -> Iterator[IO[bytes]]:
    partial = _partial(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            with partial.open("wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        raise disk_error(target, error) from None


def _partial(target: Path) -> Path:
    return target.with_name(target.name + _PARTIAL)
