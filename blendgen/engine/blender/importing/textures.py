"""Textures: make a product independent of image files, by packing them into its .blend.

A model often names textures by a path on its author's machine; the file is then looked up by name near the
model. Files outside of the models directory are not read. A missing texture is removed, because Blender would
render it pink: the plain colour of the material shows instead, and the caller gets its name.
"""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import bpy
from PIL import Image

from blendgen.engine.blender.importing.findings import Findings
from blendgen.files.image_size import own_pixel_limit
from blendgen.files.photos import IMAGE_ERRORS
from blendgen.models.companions import OUTSIDE, Companions
from blendgen.models.lookup import Found, Lookup
from blendgen.models.product import REASON_FOLLOWS
from blendgen.models.scan import model_suffix

NOWHERE = "/dev/null"  # no file can be below it
_REASON = "blendgen_reason"
_NOTE = "blendgen_note"
_OPAQUE = "blendgen_opaque"
_UNREADABLE = "it cannot be decoded; convert it to PNG"


def pack_images(
    materials: list[bpy.types.Material], companions: Companions | None, findings: Findings
) -> list[str]:
    """Pack all images of a product's materials; returns the names of missing ones.

    companions: those of the model file; None if there is none
    findings: gets the image nodes without an image, and the images that are used in place of others
    """
    missing, notes = [], []
    for image in {node.image for _, node in _image_nodes(materials) if node.image is not None}:
        if not _packed(image, companions):
            missing.append(_message(image))
            _take_out(materials, image)
        elif _NOTE in image:
            notes.append(image[_NOTE])
    if companions is not None and model_suffix(companions.model) != "blend":
        findings.notes += _without_alpha([material for material in materials if _OPAQUE in material])
        _ignore_unused_alpha(materials)
    if companions is not None and model_suffix(companions.model) == "obj":
        _use_grey_opacity(materials)
    findings.notes += sorted(notes)
    findings.lost += _without_image(materials)
    return sorted(missing)


def mark_opaque(material: bpy.types.Material) -> None:
    """Mark a material that its file does not let be transparent where its texture is."""
    material[_OPAQUE] = True


def _without_alpha(materials: list[bpy.types.Material]) -> Iterator[str]:
    """Take the alpha of textures out of materials; a note for each."""
    for material in materials:
        for link in list(material.node_tree.links):
            image = getattr(link.from_node, "image", None)
            is_alpha = link.from_socket.name == link.to_socket.name == "Alpha"
            if is_alpha and image is not None and image.packed_files and _is_transparent(image):
                material.node_tree.links.remove(link)
                yield (
                    f"material {material.name!r}: the alpha of its texture is not used; "
                    "the file states no transparency"
                )


def _ignore_unused_alpha(materials: list[bpy.types.Material]) -> None:
    """Show the colour of transparent pixels where the material is opaque; Blender would render them black.

    A .blend file is to look as in Blender; no other program reads a texture in this way.
    """
    nodes = [
        node for _, node in _image_nodes(materials) if node.type == "TEX_IMAGE" and node.image is not None
    ]
    with_alpha = {node.image for node in nodes if node.outputs["Alpha"].is_linked}
    for image in {node.image for node in nodes} - with_alpha:
        if image.alpha_mode == "STRAIGHT" and image.packed_files and _is_transparent(image):
            image.alpha_mode = "CHANNEL_PACKED"


def _use_grey_opacity(materials: list[bpy.types.Material]) -> None:
    """Take the opacity of an OBJ material from the grey values of a map_d without alpha; Blender reads alpha.

    A map_d that repeats map_Kd stays opaque: exporters write that for opaque materials.
    """
    for tree in trees(materials):
        links = [(link, link.from_node) for link in tree.links if link.from_node.type == "TEX_IMAGE"]
        colored = {node.image for link, node in links if link.from_socket.name == "Color"}
        for link, node in links:
            if link.from_socket.name == "Alpha" and node.image not in colored and _lacks_alpha(node.image):
                node.image.colorspace_settings.name = "Non-Color"
                tree.links.new(node.outputs["Color"], link.to_socket)


def _lacks_alpha(image: bpy.types.Image) -> bool:
    """Whether a packed image has no alpha; False for kinds of images that Pillow cannot read."""
    pixels = _pixels(image)
    return pixels is not None and not pixels.has_transparency_data


def _is_transparent(image: bpy.types.Image) -> bool:
    """Whether a pixel of a packed image is not opaque; False for kinds of images that Pillow cannot read."""
    pixels = _pixels(image)
    return pixels is not None and any(pixels.convert("RGBA").getchannel("A").histogram()[:255])


def _pixels(image: bpy.types.Image) -> Image.Image | None:
    """The pixels of a packed image; None if Pillow cannot read them."""
    if not image.packed_files:
        return None
    try:
        with own_pixel_limit(), Image.open(BytesIO(image.packed_files[0].packed_file.data)) as pixels:
            pixels.load()
            return pixels
    except IMAGE_ERRORS:
        return None


def _without_image(materials: list[bpy.types.Material]) -> list[str]:
    """Remove image nodes without an image, which would be rendered pink; a message for each material."""
    lost = []
    for material in materials:
        nodes = [(tree, node) for tree, node in _image_nodes([material]) if node.image is None]
        if any(output.is_linked for _, node in nodes for output in node.outputs):
            lost.append(f"material {material.name!r}: a texture without an image; the plain colour is shown")
        for tree, node in nodes:
            tree.nodes.remove(node)
    return lost


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


def outside_reason(texture: Found) -> str:
    """Why a file that has the name is not used; "" if there is none."""
    return f"it is {OUTSIDE}" if texture.is_outside else ""


def _message(image: bpy.types.Image) -> str:
    name = Path(image.filepath.replace("\\", "/")).name or image.name
    reason = image.get(_REASON)
    return f"{name}{REASON_FOLLOWS}{reason}" if reason else name


def _packed(image: bpy.types.Image, companions: Companions | None) -> bool:
    if image.source == "GENERATED":
        return True
    if image.packed_file is None and image.source == "FILE":
        texture = Found(None) if companions is None else find_texture(image.filepath, companions)
        if texture.file is None:
            note_reason(image, outside_reason(texture))
            return False
        use_file(image, texture)
        image.reload()
    if image.size[0] == 0:  # not an image, or damaged
        note_reason(image, image.get(_REASON) or _UNREADABLE)
        return False
    if image.packed_file is None:
        image.pack()
    return True


def find_texture(filepath: str, companions: Companions) -> Found:
    """The file of a texture of a model, from its path in Blender."""
    name = bpy.path.abspath(filepath.replace("\\", "/")).removeprefix("//")
    return Lookup(companions).texture(name)


def use_file(image: bpy.types.Image, texture: Found) -> None:
    """Let an image read the file that its name means; a note if that has another extension."""
    if texture.renamed and texture.file is not None:
        name = Path(image.filepath.replace("\\", "/")).name
        image[_NOTE] = f"texture {name!r} is missing; {texture.file.name!r} is used"
    if texture.file != Path(image.filepath):
        image.filepath = str(texture.file)


def _take_out(materials: list[bpy.types.Material], image: bpy.types.Image) -> None:
    for tree, node in list(_image_nodes(materials)):
        if node.image == image:
            tree.nodes.remove(node)
