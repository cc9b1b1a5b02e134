"""Plain glTF: a .glb or .gltf file in, an equivalent GLB out that all Blenders read alike. Does not load bpy.

Needed for a file with Draco-compressed meshes, one that is animated or far from the origin, one with nodes
that are not shown, one that requires an extension without effect here, one in UTF-16, and one with images
that may not be read. The GLB contains all buffers and images, because it is in another folder than the model.
"""

from __future__ import annotations

import base64
import json
import struct
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import quote, unquote, unquote_to_bytes

import numpy as np

from blendgen.engine.blender.importing.coordinates.gltf import recentre
from blendgen.engine.blender.importing.coordinates.gltf_vertices import vertex_fault
from blendgen.engine.blender.importing.coordinates.text import is_plain
from blendgen.engine.blender.importing.draco import EXTENSION, decode_primitives
from blendgen.engine.blender.importing.glb import Glb
from blendgen.engine.blender.importing.gltf_extensions import adapt_extensions
from blendgen.engine.blender.importing.gltf_nodes import drop_unshown
from blendgen.engine.blender.importing.left_out import SHOWN, Choice
from blendgen.engine.blender.importing.preflight import ImportRefused
from blendgen.files.image_size import header_fault
from blendgen.files.regular_file import MAX_MODEL_BYTES, read_bounded
from blendgen.models.companions import OUTSIDE, Companions, gltf_json, gltf_uris, uri_path

_PLACES = ("CESIUM_RTC",)
_COMPRESSED_VIEWS = ("EXT_meshopt_compression", "KHR_meshopt_compression")
_IMAGE_STARTS = {b"\x89PNG": "image/png", b"\xff\xd8": "image/jpeg", b"RIFF": "image/webp"}


@dataclass(frozen=True)
class PlainGltf:
    """What Blender's importer reads instead of a model.

    file: a GLB in the scratch folder; or the model itself
    refused: image file -> the reason why it may not be read
    shift: (3,) that was subtracted from the coordinates of the scene
    is_animated: the model is; the GLB is not
    notes: as in Findings
    """

    file: Path
    refused: dict[str, str]
    shift: np.ndarray
    is_animated: bool = False
    notes: tuple[str, ...] = ()


def plain_gltf(companions: Companions, into: Path, choice: Choice = SHOWN) -> PlainGltf:
    """A plain GLB in the folder `into` with what is shown of a .glb or .gltf, if it needs one.

    raises: ImportRefused if the compressed data or the JSON around it is damaged, or as recentre
    """
    path = companions.model
    content = gltf_json(path)
    refused = _refused_images(content, companions)
    try:
        has_unshown, notes = drop_unshown(content, choice.shows)
        shift = recentre(content)
        is_animated = bool(content.pop("animations", None))  # Blender would take the first frame
        is_adapted = adapt_extensions(content)
        changed = any([_without_places(content), has_unshown, is_adapted, is_animated, shift.any()])
        if EXTENSION not in json.dumps(content) and not (refused or changed) and is_plain(path):
            _refuse(vertex_fault(content, lambda number: _readable_buffer(content, number, companions)))
            return PlainGltf(path, refused, shift, notes=tuple(notes))
        glb = Glb(content)
        _embed_buffers(glb, companions)
        _embed_images(glb, companions)
        decode_primitives(glb)
        _refuse(vertex_fault(content, lambda _: bytes(glb.body)))
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise ImportRefused(
            "its glTF structure is damaged; check it with the Khronos glTF Validator"
        ) from error
    plain = into / f"{path.stem}.glb"
    plain.write_bytes(glb.packed())
    return PlainGltf(plain, refused, shift, is_animated, tuple(notes))


def _readable_buffer(content: dict, number: int, companions: Companions) -> bytes | None:
    try:
        return _buffer_bytes(content["buffers"][number], number, companions)
    except ImportRefused:  # Blender may not need it
        return None


def _refuse(fault: str | None) -> None:
    if fault:
        raise ImportRefused(fault)


def _without_places(content: dict) -> bool:
    """Whether required extensions were removed that only say where on the earth the model is."""
    required = content.get("extensionsRequired", [])
    others = [name for name in required if name not in _PLACES]
    if others != required:
        content["extensionsRequired"] = others
    return others != required


def _refused_images(content: dict, companions: Companions) -> dict[str, str]:
    """Image files that the importer must not open: not in the models directory, not files, or too large."""
    refused = {}
    for uri in gltf_uris(content, "images"):
        reason = _image_fault(companions, uri)
        if reason:
            refused[PurePosixPath(uri).name] = reason
    return refused


def _image_fault(companions: Companions, uri: str) -> str | None:
    try:
        file, place = companions.inside(uri), companions.folder / uri
        if file is None:
            return f"it is {OUTSIDE}"
        if not file.is_file():
            return "it is not a regular file" if place.exists() else None
        return header_fault(file)
    except (OSError, ValueError):  # not a valid name
        return "it cannot be read"


def _embed_buffers(glb: Glb, companions: Companions) -> None:
    """Append all buffers to the only one."""
    starts = [
        glb.append(_buffer_bytes(buffer, number, companions))
        for number, buffer in enumerate(glb.content.get("buffers", ()))
    ]
    for view in glb.content.get("bufferViews", ()):
        compressed = [view.get("extensions", {}).get(name) for name in _COMPRESSED_VIEWS]
        for place in filter(None, (view, *compressed)):
            place["byteOffset"] = place.get("byteOffset", 0) + starts[place["buffer"]]
            place["buffer"] = 0


def _buffer_bytes(buffer: dict, number: int, companions: Companions) -> bytes:
    uri = buffer.get("uri")
    if any(buffer.get("extensions", {}).get(name, {}).get("fallback") for name in _COMPRESSED_VIEWS):
        return b""  # of readers without the extension
    data = _binary_chunk(companions.model, number) if uri is None else _uri_bytes(uri, companions)
    if data is None:
        raise ImportRefused(f"buffer file {unquote(str(uri))!r} is missing")
    if len(data) < buffer["byteLength"]:
        raise ImportRefused(f"buffer {number} is truncated: {len(data)} of {buffer['byteLength']} bytes")
    return data[: buffer["byteLength"]]


def _binary_chunk(path: Path, number: int) -> bytes:
    """The second chunk of a GLB, which is its first buffer; empty for other files."""
    data = path.read_bytes()
    if data[:4] != b"glTF" or number > 0:
        return b""
    start = 20 + struct.unpack_from("<I", data, 12)[0]
    header = data[start : start + 8]
    return data[start + 8 :][: struct.unpack("<II", header)[0]] if len(header) == 8 else b""


def _uri_bytes(uri: str, companions: Companions) -> bytes | None:
    """The bytes of a data URI, or of a file that the model names; None if that is missing."""
    if uri.startswith("data:"):
        kind, _, data = uri.partition(",")
        return base64.b64decode(data) if kind.endswith(";base64") else unquote_to_bytes(data)
    file = companions.inside(uri_path(uri))
    if file is None or not file.is_file():
        return None
    return read_bounded(file, MAX_MODEL_BYTES)


def _embed_images(glb: Glb, companions: Companions) -> None:
    """Put image files into the GLB; a missing one keeps its bare name, for the message."""
    for image in glb.content.get("images", ()):
        uri = image.get("uri")
        fault = uri is not None and not uri.startswith("data:") and _image_fault(companions, uri_path(uri))
        data = _uri_bytes(uri, companions) if uri is not None and not fault else None
        name = "" if uri is None or uri.startswith("data:") else PurePosixPath(uri_path(uri)).name
        if name:
            image.setdefault("name", name)
        if data is not None:
            del image["uri"]
            image["bufferView"] = glb.add_view(data)
            image.setdefault("mimeType", _image_type(data))
        elif name:
            image["uri"] = quote(name)


def _image_type(data: bytes) -> str:
    return next((kind for start, kind in _IMAGE_STARTS.items() if data.startswith(start)), "image/png")
