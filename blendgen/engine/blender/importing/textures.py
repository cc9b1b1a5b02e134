"""Textures: make a product independent of image files, by packing them into its .blend.

A model often names textures by a path on its author's machine; the file is then looked up by name near the
model. Files outside of the models directory are not read. A missing texture is removed, because Blender would
render it pink: the plain colour of the material shows instead, and the caller gets its name.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import bpy

from blendgen.models.companions import OUTSIDE, Companions
from blendgen.models.product import REASON_FOLLOWS

_REASON = "blendgen_reason"
_NEAR = (".", "textures", "texture", "tex", "maps", "images")


def pack_images(materials: list[bpy.types.Material], companions: Companions | None) -> list[str]:
    """Pack all images of a product's materials; returns the names of missing ones.

    companions: those of the model file; None if there is none
    """
    missing = []
    for image in {node.image for _, node in _image_nodes(materials) if node.image is not None}:
        if not _packed(image, companions):
            missing.append(_message(image))
            _take_out(materials, image)
    return sorted(missing)


def trees(materials: list[bpy.types.Material]) -> Iterator[bpy.types.NodeTree]:
    waiting = [m.node_tree for m in materials if m is not None and m.node_tree]
    visited = set()
    while waiting:
        tree = waiting.pop()
        if tree in visited:
            continue
        visited.add(tree)
        yield tree
        waiting += [node.node_tree for node in tree.nodes if node.type == "GROUP" and node.node_tree]


def _image_nodes(materials: list[bpy.types.Material]) -> Iterator[tuple[bpy.types.NodeTree, bpy.types.Node]]:
    for tree in trees(materials):
        for node in tree.nodes:
            if node.type in {"TEX_IMAGE", "TEX_ENVIRONMENT"}:
                yield tree, node


def note_reason(image: bpy.types.Image, reason: str) -> None:
    """Store the reason why an image is not used, for pack_images; "" if its file is just missing."""
    if reason:
        image[_REASON] = reason


def _message(image: bpy.types.Image) -> str:
    name = Path(image.filepath.replace("\\", "/")).name or image.name
    reason = image.get(_REASON)
    return f"{name}{REASON_FOLLOWS}{reason}" if reason else name


def _packed(image: bpy.types.Image, companions: Companions | None) -> bool:
    if image.source == "GENERATED":
        return True
    if image.packed_file is None and image.source == "FILE":
        file, reason = (None, "") if companions is None else find_texture(image.filepath, companions)
        if file is None:
            note_reason(image, reason)
            return False
        image.filepath = str(file)
        image.reload()
    if image.size[0] == 0:  # not an image, or damaged
        return False
    if image.packed_file is None:
        image.pack()
    return True


def find_texture(filepath: str, companions: Companions) -> tuple[Path | None, str]:
    """The file of a texture of a model; or None and why an existing file is not used."""
    named = Path(bpy.path.abspath(filepath.replace("\\", "/")).removeprefix("//"))
    names = [str(named), *(f"{near}/{named.name}" for near in _NEAR)]
    try:
        candidates = [companions.inside(name) for name in names]
        texture = next((file for file in candidates if file is not None and file.is_file()), None)
        outside = texture is None and any((companions.folder / name).is_file() for name in names)
    except (OSError, ValueError):  # not a valid path: it has a null byte, or is too long
        return None, ""
    return texture, f"it is {OUTSIDE}" if outside else ""


def _take_out(materials: list[bpy.types.Material], image: bpy.types.Image) -> None:
    for tree, node in list(_image_nodes(materials)):
        if node.image == image:
            tree.nodes.remove(node)
