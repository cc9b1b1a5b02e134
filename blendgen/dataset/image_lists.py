"""Image lists: metadata.jsonl in the folder of each split, for images in folders of their thousand.

In: rows in the order of the manifest. Out: for each image its file and its class, for Hugging Face datasets,
which would otherwise take 0012, the folder of image 12345, for its class. Without such folders there are no
lists. Rows are not kept in memory.
source: https://huggingface.co/docs/datasets/image_dataset#imagefolder
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO

from blendgen.dataset.layout import Layout
from blendgen.dataset.manifest import head_of, read_lines
from blendgen.dataset.schema import parsed_json
from blendgen.files.folder import Folder
from blendgen.scene.folder_names import FULL, image_place
from blendgen.scene.row import RowHead

LIST = "metadata.jsonl"
_HEAD_BYTES = 4096
# of a row as this program writes it: parsing all of it takes twenty times as long
_HEAD = re.compile(
    rb'{"file_name": "([^"\\]*)", (?:"\w+_file_name": "[^"\\]*", )*"label": "([^"\\]*)", "label_id": \d+, '
    rb'"split": "([^"\\]*)", "index": (\d{1,15}),'
)


class _NotNeeded(Exception):
    """No image is in a folder of its thousand."""


class ImageLists:
    """opened: makes a file of this name when its block ends without an error."""

    def __init__(self, opened: Callable[[str], AbstractContextManager[IO[bytes]]], stack: ExitStack):
        self._opened, self._stack = opened, stack
        self._files: dict[str, IO[bytes]] = {}
        self.are_needed = False

    def add(self, folder: str, name: str, label: str, is_deep: bool) -> None:
        """Add an image.

        folder: of the split; name: of the file, in it; is_deep: whether it is in the folder of its thousand
        """
        if folder not in self._files:
            self._files[folder] = self._stack.enter_context(self._opened(f"{folder}/{LIST}"))
        self._files[folder].write(list_line(name, label))
        self.are_needed = self.are_needed or is_deep

    def add_row(self, row: RowHead) -> None:
        """Add an image of a data set."""
        self.add_image(row.image.name, row.label, row.split, row.index)

    def add_image(self, path: str, label: str, split: str, index: int) -> None:
        """Add an image of a data set; path: as the manifest has it."""
        folder = f"images/{split}"
        self.add(folder, path.removeprefix(f"{folder}/"), label, index >= FULL)


@contextmanager
def image_lists(opened: Callable[[str], AbstractContextManager[IO[bytes]]]) -> Iterator[ImageLists]:
    """The lists are written when the block ends, if they are needed."""
    with suppress(_NotNeeded), ExitStack() as stack:
        lists = ImageLists(opened, stack)
        yield lists
        if not lists.are_needed:
            raise _NotNeeded


def list_line(name: str, label: str) -> bytes:
    return json.dumps({"file_name": name, "label": label}, ensure_ascii=False).encode() + b"\n"


def write_lists(layout: Layout, last_index: int) -> bool:
    """Write the lists of a data set with a sorted manifest if it needs them; returns whether it does."""
    if last_index < FULL:
        return False
    with image_lists(Folder(layout.root, layout.temporary.name).atomic_file) as lists:
        for number, line in enumerate(read_lines(layout.manifest), start=1):
            if match := _HEAD.match(line):
                path, label, split, index = (part.decode() for part in match.groups())
                lists.add_image(path, label, split, int(index))
            else:
                lists.add_row(head_of(layout.manifest, number, line))
    return True


def is_image_list(path: Path) -> bool:
    """Whether a file begins with the lines of a list of ours."""
    with path.open("rb") as file:
        lines = file.read(_HEAD_BYTES).split(b"\n")[:-1]
    return bool(lines) and all(map(_is_line, lines))


def _is_line(line: bytes) -> bool:
    try:
        match parsed_json(line, _HEAD_BYTES):
            case {"file_name": str(name), "label": str(label), **others} if not others:
                return name.rpartition(".")[0] == image_place(label, int(Path(name).stem))
    except ValueError:
        pass
    return False
