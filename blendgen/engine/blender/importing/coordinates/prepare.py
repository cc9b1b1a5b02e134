"""Prepare: a model file in, a file that Blender's importers read correctly out.

- Formats that Blender does not read become GLB or PLY, and text becomes UTF-8.
- Models far from the origin are moved to it in double precision, because Blender's coordinates are in single
  precision.
- Coordinates that are not finite numbers are refused.

A file that needs none of this is returned as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from blendgen.engine.blender.importing.converted import converted
from blendgen.engine.blender.importing.coordinates.fbx_numbers import read_numbers
from blendgen.engine.blender.importing.coordinates.gltf import recentre
from blendgen.engine.blender.importing.coordinates.gltf_vertices import vertex_fault
from blendgen.engine.blender.importing.coordinates.mirror import Mirror
from blendgen.engine.blender.importing.coordinates.origin import (
    coordinate_fault,
    lost_precision,
    shift_to_origin,
)
from blendgen.engine.blender.importing.coordinates.ply import PlyVertices
from blendgen.engine.blender.importing.coordinates.stl import moved_stl, read_corners
from blendgen.engine.blender.importing.coordinates.text import is_plain, plain_blocks, whole_lines
from blendgen.engine.blender.importing.coordinates.vertex_text import (
    OBJ_VERTEX,
    STL_VERTEX,
    moved_text,
    read_vertices,
)
from blendgen.engine.blender.importing.damaged import DamagedFile
from blendgen.engine.blender.importing.left_out import SHOWN, Choice
from blendgen.engine.blender.importing.off import ply_of_off
from blendgen.engine.blender.importing.plain_gltf import plain_gltf
from blendgen.engine.blender.importing.ply_faces import faces_fault
from blendgen.engine.blender.importing.preflight import ImportRefused, file_fault, is_ascii_stl
from blendgen.files.regular_file import MAX_MODEL_BYTES, read_bounded
from blendgen.models.companions import Companions, obj_libraries
from blendgen.models.scan import CONVERTED_SUFFIXES, model_suffix

_TEXT = ("obj", "stl", "ply", "fbx", "usd", "usda")
_GLTF = ("glb", "gltf")
_FILE_UNITS = "units"
_FBX_ANIMATION = b"AnimationCurveNode"
_DAMAGED = "its numbers are damaged, or fewer than it declares; export it again"
AT_REST = "it is animated: taken at rest"


@dataclass(frozen=True)
class Prepared:
    """A model file that Blender can read.

    file: the model itself, or a copy of it in another folder
    shift: (3,) that was subtracted from its coordinates, in its own axes and unit
    refused: image file that may not be read -> the reason
    lost, notes: as in Findings
    """

    file: Path
    shift: np.ndarray = field(default_factory=lambda: np.zeros(3))
    refused: dict[str, str] = field(default_factory=dict)
    lost: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def prepare(companions: Companions, mirror: Mirror, choice: Choice = SHOWN) -> Prepared:
    """The model of the companions as Blender can read it; raises ImportRefused if it cannot be used.

    choice: nodes of a glTF file that stay although the file hides them
    """
    suffix = model_suffix(companions.model)
    try:
        file = _as_plain_text(companions.model, mirror) if suffix in _TEXT else companions.model
        fault = file_fault(companions, file)
        if fault:
            raise ImportRefused(fault)
        if suffix in _GLTF:
            return _gltf(companions, mirror, choice)
        return _PREPARE.get(suffix, _as_it_is)(companions, file, mirror)
    except UnicodeDecodeError as error:
        raise ImportRefused(f"its {error.encoding} text is damaged; save it as UTF-8") from error
    except DamagedFile as error:
        raise ImportRefused(str(error)) from error
    except ValueError as error:  # of Python or NumPy, about one of its numbers
        raise ImportRefused(_DAMAGED) from error


def _as_plain_text(file: Path, mirror: Mirror) -> Path:
    try:
        return file if is_plain(file) else mirror.write(file, plain_blocks(file))
    except OSError:  # it cannot be read, or is not a file: see file_fault
        return file


def _as_it_is(companions: Companions, file: Path, mirror: Mirror) -> Prepared:
    return Prepared(file)


def _obj(companions: Companions, file: Path, mirror: Mirror) -> Prepared:
    points = read_vertices(file, OBJ_VERTEX)
    _refuse(coordinate_fault(points))
    shift = shift_to_origin(points)
    if shift.any():
        file = mirror.write(companions.model, moved_text(file, OBJ_VERTEX, shift))
    marked = [library for library in _libraries(companions, file) if not is_plain(library)]
    if marked and file == companions.model:
        file = mirror.write(companions.model, plain_blocks(file))
    if file != companions.model:
        copies = [mirror.write(library, plain_blocks(library)) and library for library in marked]
        for original in (companions.model, *copies):
            mirror.link_neighbours(original, companions)
    return Prepared(file, shift)


def _libraries(companions: Companions, file: Path) -> Iterator[Path]:
    for name in (*obj_libraries(file), f"{companions.model.stem}.mtl"):
        library = companions.inside(name)
        if library is not None and library.is_file():
            yield library


def _stl(companions: Companions, file: Path, mirror: Mirror) -> Prepared:
    with file.open("rb") as opened:
        start = opened.read(1024)
    is_ascii = is_ascii_stl(start)
    if is_ascii and b"facet" not in start:  # Blender knows keywords in lower case only
        file = mirror.write(companions.model, (block.lower() for block in whole_lines(file)))
    points = read_vertices(file, STL_VERTEX) if is_ascii else read_corners(file)
    shift = _checked_shift(points, not is_ascii)
    if shift.any():
        blocks = moved_text(file, STL_VERTEX, shift) if is_ascii else [moved_stl(file, shift)]
        file = mirror.write(companions.model, blocks)
    return Prepared(file, shift)


def _ply(companions: Companions, file: Path, mirror: Mirror) -> Prepared:
    vertices = PlyVertices(file)
    _refuse(faces_fault(file))
    shift = np.round(_checked_shift(vertices.points, vertices.is_single_precision))
    if shift.any():
        file = mirror.write(companions.model, [vertices.moved(shift)])
        mirror.link_neighbours(companions.model, companions)
    return Prepared(file, shift)


def _gltf(companions: Companions, mirror: Mirror, choice: Choice) -> Prepared:
    plain = plain_gltf(companions, mirror.root, choice)
    notes = (AT_REST, *plain.notes) if plain.is_animated else plain.notes
    return Prepared(plain.file, plain.shift, plain.refused, notes=notes)


def _usd(companions: Companions, file: Path, mirror: Mirror) -> Prepared:
    # this needs Blender's own modules
    from blendgen.engine.blender.importing.coordinates.usd import usd_at_origin

    try:
        copy = usd_at_origin(file, companions, mirror)
    except RuntimeError as error:  # pxr.Tf.ErrorException
        raise ImportRefused("it cannot be opened as USD; check it with usdchecker") from error
    return Prepared(copy.file, copy.shift, notes=(AT_REST,) if copy.is_animated else ())


def _fbx(companions: Companions, file: Path, mirror: Mirror) -> Prepared:
    data = read_bounded(file, MAX_MODEL_BYTES)
    numbers = read_numbers(data)
    _refuse(numbers.fault)
    notes = (AT_REST,) if _FBX_ANIMATION in data else ()
    if not numbers.may_be_far:
        return Prepared(file, notes=notes)
    # this needs a module of Blender
    from blendgen.engine.blender.importing.coordinates.fbx import move_fbx

    copy = mirror.place(companions.model)
    shift = move_fbx(file, copy)
    return Prepared(copy if shift.any() else file, shift, notes=notes)


def _converted(companions: Companions, file: Path, mirror: Mirror) -> Prepared:
    mesh = converted(companions, model_suffix(file))
    _refuse(vertex_fault(mesh.glb.content, lambda _: bytes(mesh.glb.body)))
    shift = recentre(mesh.glb.content)
    copy = mirror.write(Path(f"{file}.glb"), [mesh.glb.packed()])
    return Prepared(copy, shift, lost=mesh.lost, notes=mesh.notes)


def _off(companions: Companions, file: Path, mirror: Mirror) -> Prepared:
    data, has_face_colors = ply_of_off(file)
    prepared = _ply(companions, mirror.write(Path(f"{companions.model}.ply"), [data]), mirror)
    return replace(
        prepared, lost=("colours of faces, which are not read from OFF",) if has_face_colors else ()
    )


def _checked_shift(points: np.ndarray, is_single_precision: bool) -> np.ndarray:
    _refuse(coordinate_fault(points))
    if is_single_precision:
        _refuse(lost_precision(points, points, _FILE_UNITS))
    return shift_to_origin(points)


def _refuse(fault: str | None) -> None:
    if fault:
        raise ImportRefused(fault)


_PREPARE = {
    "obj": _obj,
    "stl": _stl,
    "ply": _ply,
    "fbx": _fbx,
    **dict.fromkeys(("usd", "usda", "usdc", "usdz"), _usd),
    "off": _off,
    **dict.fromkeys(CONVERTED_SUFFIXES, _converted),
}
