"""Write: a Frame's files and its Row, each appearing whole or not at all.

A file is written under OUT/.partial, flushed to the disk and renamed into place; the Row is made
only then. Rows of one run come in any order; `manifest.py` keeps them.
"""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from blendgen.dataset.layout import Layout, file_key, file_name
from blendgen.dataset.row import make_row
from blendgen.develop.encode import (
    encode_albedo,
    encode_classes,
    encode_depth,
    encode_image,
    encode_mask,
    encode_png,
)
from blendgen.develop.exr import encode_exr, encode_vectors
from blendgen.errors import DatasetError
from blendgen.film import Frame
from blendgen.shot import Row
from blendgen.spec.output import Output


def write_frame(layout: Layout, frame: Frame, output: Output) -> Row:
    """Write an image and its label files; returns its row. Raises DatasetError where the disk refuses."""
    contents = dict(_contents(frame, output))
    names = {kind: file_name(kind, frame.shot, frame.index, output) for kind in contents}
    for kind, data in contents.items():
        write_atomically(layout, layout.root / names[kind], data)
    columns = {file_key(kind): name for kind, name in names.items()}
    digests = {file_key(kind).replace("file_name", "sha256"): _sha256(d) for kind, d in contents.items()}
    return make_row(frame, columns, digests, output)


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
    if labels.class_id is not None:
        yield "semantic", encode_classes(labels.class_id)
    if labels.part_id is not None:
        yield "parts", encode_mask(labels.part_id)
    if labels.coverage is not None:
        yield "coverage", encode_exr({f"instance_{i}": share for i, share in labels.coverage.items()})
    if labels.normal_camera is not None:
        yield "normals", encode_vectors(labels.normal_camera)
    if labels.albedo_linear is not None:
        yield "albedo", encode_albedo(labels.albedo_linear)
    if labels.object_coordinates is not None:
        yield "nocs", encode_vectors(labels.object_coordinates)


def write_atomically(layout: Layout, path: Path, data: bytes | Iterable[bytes]) -> None:
    """`path` holds either what it held or all of `data` (in one or many pieces); raises DatasetError."""
    temporary = layout.temporary / f"{os.getpid()}-{path.name}"
    try:
        temporary.parent.mkdir(parents=True, exist_ok=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            file.writelines([data] if isinstance(data, bytes) else data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise disk_error(path, error) from None


def disk_error(path: Path, error: OSError) -> DatasetError:
    """What the disk refused, in words; what is finished stays."""
    reason = "the disk is full" if error.errno == errno.ENOSPC else error.strerror or str(error)
    return DatasetError(
        f"{path}: cannot be written: {reason}. What is finished is kept; run the same command to go on"
    )


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
