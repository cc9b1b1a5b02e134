"""Write: a Frame's files and its Row, each appearing whole or not at all.

A file is written under OUT/.partial, flushed to the disk and renamed into place; the Row is made only
then. Before that, the names of the files go into a list of this process: what a killed run has made
without a row is known as ours by it, and nothing else is. Rows of one run come in any order;
`manifest.py` keeps them.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator

from blendgen.dataset.layout import PENDING_SUFFIX, Layout, file_key, file_name, sha256_key, size_key
from blendgen.dataset.row import make_row
from blendgen.develop.encode import (
    encode_albedo,
    encode_depth,
    encode_image,
    encode_mask,
    encode_png,
    encode_semantic,
)
from blendgen.develop.exr import encode_exr, encode_vectors
from blendgen.files.folder import Folder
from blendgen.scene.film import Frame
from blendgen.scene.shot import Row
from blendgen.spec.output import Output


def write_frame(layout: Layout, frame: Frame, output: Output) -> Row:
    """Write an image and its label files; returns its row. Raises DatasetError where the disk refuses."""
    contents = dict(_contents(frame, output))
    names = {kind: file_name(kind, frame.shot, frame.index, output) for kind in contents}
    folder = Folder(layout.root, layout.temporary.name)
    pending = f"{layout.temporary.name}/{os.getpid()}{PENDING_SUFFIX}"
    folder.append(pending, "".join(f"{name}\n" for name in names.values()).encode())
    for kind, data in contents.items():
        folder.write(names[kind], data)
    columns = {file_key(kind): name for kind, name in names.items()}
    facts = {sha256_key(file_key(kind)): _sha256(data) for kind, data in contents.items()}
    facts |= {size_key(file_key(kind)): len(data) for kind, data in contents.items()}
    return make_row(frame, columns, facts, output)


def _contents(frame: Frame, output: Output) -> Iterator[tuple[str, bytes]]:
    """The files of an image, by kind."""
    labels = frame.labels
    yield "image", encode_image(frame.rgb_u8, output)
    if output.masks:
        yield "mask", encode_mask(labels.instance_id)
    if output.depth:
        depth = {"Z": labels.depth_m} if output.depth == "exr" else None
        yield "depth", encode_exr(depth) if depth else encode_depth(labels.depth_m)
    if frame.clean_u8 is not None:
        yield "clean", encode_png(frame.clean_u8)
    if labels.semantic is not None:
        yield "semantic", encode_semantic(labels.semantic)
    if labels.parts is not None:
        yield "parts", encode_mask(labels.parts)
    if labels.soft_masks is not None:
        yield "soft_masks", encode_exr({f"instance_{i}": share for i, share in labels.soft_masks.items()})
    if labels.normals is not None:
        yield "normals", encode_vectors(labels.normals)
    if labels.albedo_linear is not None:
        yield "albedo", encode_albedo(labels.albedo_linear)
    if labels.nocs is not None:
        yield "nocs", encode_vectors(labels.nocs)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
