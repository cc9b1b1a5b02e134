"""Write: a Frame's files and its Row, each appearing whole or not at all.

A file is written under OUT/.partial, flushed to the disk and renamed into place; the Row is made only
then. Before that, the names of the files go into a list of this process: what a killed run has made
without a row is known as ours by it, and nothing else is. Rows of one run come in any order;
`manifest.py` keeps them.
"""

from __future__ import annotations

import hashlib
import os

from blendgen.dataset.label_files import LABEL_FILES, encoded_files
from blendgen.dataset.layout import PENDING_SUFFIX, Layout, file_key, sha256_key, size_key
from blendgen.dataset.row import make_row
from blendgen.files.folder import Folder
from blendgen.scene.film import Frame
from blendgen.scene.shot import Row
from blendgen.spec.output import Output


def write_frame(layout: Layout, frame: Frame, output: Output) -> Row:
    """Write an image and its label files; returns its row. Raises DatasetError where the disk refuses."""
    contents = encoded_files(frame, output)
    names = {kind: LABEL_FILES[kind].path(frame.shot, frame.index, output) for kind in contents}
    folder = Folder(layout.root, layout.temporary.name)
    pending = f"{layout.temporary.name}/{os.getpid()}{PENDING_SUFFIX}"
    folder.append(pending, "".join(f"{name}\n" for name in names.values()).encode())
    for kind, data in contents.items():
        folder.write(names[kind], data)
    columns = {file_key(kind): name for kind, name in names.items()}
    facts = {sha256_key(file_key(kind)): _sha256(data) for kind, data in contents.items()}
    facts |= {size_key(file_key(kind)): len(data) for kind, data in contents.items()}
    return make_row(frame, columns, facts, output)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
