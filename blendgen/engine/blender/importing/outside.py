"""Outside: prevents imported data from reading files outside of the models directory, before it is evaluated.

This inspects the data and also works where the kernel cannot confine the process. Textures outside of the
directory count as missing, with the reason; anything else that reads such a file makes the model unusable.
Sounds and movies do not affect a model's look and are removed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import bpy

from blendgen.engine.blender.importing.preflight import ImportRefused
from blendgen.engine.blender.importing.textures import (
    NOWHERE,
    find_texture,
    note_reason,
    outside_reason,
    use_file,
)
from blendgen.files.image_size import header_fault
from blendgen.models.companions import IMAGE_SUFFIXES, OUTSIDE, Companions
from blendgen.models.lookup import Found
from blendgen.models.scan import model_suffix

_READING_NODES = "GeometryNodeImport"
_UNDECODED = {"GENERATED", "VIEWER"}
_NOT_SET = ("/", b"/", "", b"")
_USD = ("usd", "usda", "usdc", "usdz")
_MAX_LAYERS = _MAX_BAKED = 10_000


def keep_inside(companions: Companions) -> None:
    """Check all data of the open Blender file, which the model was read into.

    raises: ImportRefused with the file's name if anything reads a file outside
    """
    for scene in bpy.data.scenes:
        scene.sequence_editor_clear()
    bpy.data.batch_remove([*bpy.data.sounds, *bpy.data.movieclips])
    for image in bpy.data.images:
        _keep_image_inside(image, companions)
    for what, path in (*_read_by_blocks(), *_read_by_nodes(), *_read_by_bakes()):
        name = bpy.path.abspath(os.fsdecode(path).replace("\\", "/")).removeprefix("//")
        if not name:
            continue
        file = companions.inside(name)
        if file is None or (file.exists() and not (file.is_file() or file.is_dir())):
            raise ImportRefused(
                f"its {what} reads {Path(name).name!r}, which is {OUTSIDE}; apply or pack it and save"
            )
        if file.is_dir():
            _look_for_all(file, companions)


def _look_for_all(folder: Path, companions: Companions) -> None:
    """Let all files of a folder count as read, such as those of a baked simulation."""
    files = (Path(place, name) for place, _, names in os.walk(folder) for name in names)
    for number, file in enumerate(files):
        if number == _MAX_BAKED:
            raise ImportRefused(f"it is baked into more than {_MAX_BAKED:,} files; apply the modifiers")
        companions.inside(str(file))


def _read_by_blocks() -> Iterator[tuple[str, str]]:
    """Paths of data blocks; Blender makes "/" of one that is not set."""
    for block, paths in bpy.data.file_path_map().items():
        if not isinstance(block, bpy.types.Image | bpy.types.Scene | bpy.types.Text):
            yield from (
                (f"{block.bl_rna.name.lower()} {block.name!r}", path)
                for path in sorted(paths)
                if path not in _NOT_SET
            )


def _read_by_nodes() -> Iterator[tuple[str, str]]:
    """Paths of geometry nodes that open files; "/" for a computed one."""
    for tree in bpy.data.node_groups:
        for node in tree.nodes:
            if node.bl_idname.startswith(_READING_NODES):
                path = node.inputs[0]
                yield f"geometry node {node.bl_label!r}", "/" if path.is_linked else path.default_value


def _read_by_bakes() -> Iterator[tuple[str, str]]:
    for owner in bpy.data.objects:
        for modifier in owner.modifiers:
            if modifier.type == "NODES":
                places = [modifier.bake_directory, *(bake.directory for bake in modifier.bakes)]
                yield from (("baked geometry", place) for place in places if place)


def _keep_image_inside(image: bpy.types.Image, companions: Companions) -> None:
    if image.source in _UNDECODED:
        return
    if image.packed_files:
        fault = next((f for p in image.packed_files if (f := header_fault(bytes(p.packed_file.data)))), None)
        if fault:
            image.unpack(method="REMOVE")
    else:
        fault = _file_fault(image, companions)
    if fault is not None:
        note_reason(image, fault)
        name = Path(image.filepath.replace("\\", "/")).name or image.name
        image.source = "FILE"
        image.filepath = f"{NOWHERE}/{name}"


def _file_fault(image: bpy.types.Image, companions: Companions) -> str | None:
    """Why the files of an image are not used, "" if they are missing; None if they can be used."""
    if image.source in {"SEQUENCE", "MOVIE"}:
        return "a film or a sequence of images"
    if image.source == "TILED":
        return _tiles_fault(image, companions)
    texture = find_texture(image.filepath, companions)
    fault = _fault_of(texture)
    if fault is None:
        use_file(image, texture)
    return fault


def _tiles_fault(image: bpy.types.Image, companions: Companions) -> str | None:
    numbers = [str(tile.number) for tile in image.tiles]
    tiles = [find_texture(image.filepath.replace("<UDIM>", number), companions) for number in numbers]
    companions.tiles(bpy.path.abspath(image.filepath))
    fault = next((fault for tile in tiles if (fault := _fault_of(tile)) is not None), None)
    first = tiles[0].file if tiles else None
    if fault is None and first is not None and numbers[0] in first.name:
        image.filepath = str(first.with_name(first.name.replace(numbers[0], "<UDIM>")))
    return fault


def _fault_of(texture: Found) -> str | None:
    if texture.file is None:
        return outside_reason(texture)
    try:
        return header_fault(texture.file)
    except OSError as error:
        return error.strerror


def usd_textures_outside(companions: Companions, layer: str) -> list[str]:
    """Names of textures outside of the models directory that a USD file or one of its layers uses.

    layer: the identifier of the root layer, a path
    raises: ImportRefused with the name if other files outside are part of it
    """
    from pxr import UsdUtils

    waiting = [layer]
    visited: set[str] = set()
    textures: dict[str, None] = {}
    while waiting:
        layer = waiting.pop()
        if layer in visited:
            continue
        visited.add(layer)
        for name in _references(UsdUtils, layer):
            file = _place(layer, name)
            companions.tiles(file)
            if model_suffix(name) in _USD and (companions.inside(file) or not Path(file).exists()):
                waiting.append(file if Path(file).exists() else f"{layer.partition('[')[0]}[{name}]")
            elif companions.inside(file) is None and Path(file).exists():
                _refuse_unless_image(name)
                textures[Path(name).name] = None
        if len(visited) > _MAX_LAYERS:
            raise ImportRefused(f"it is composed of more than {_MAX_LAYERS:,} layers")
    return list(textures)


def _references(usd_utils, layer: str) -> list[str]:
    try:
        references = usd_utils.ExtractExternalReferences(layer)
    except Exception:  # noqa: BLE001 - the importer reports its errors
        return []
    return [name for names in references for name in names if name]


def _place(layer: str, name: str) -> str:
    return os.path.normpath(Path(layer.partition("[")[0]).parent / name.removeprefix("file://"))


def _refuse_unless_image(name: str) -> None:
    if model_suffix(name) not in IMAGE_SUFFIXES:
        raise ImportRefused(f"it is composed of {Path(name).name!r}, which is {OUTSIDE}")
