"""FBX looks: reports textures of an FBX file, binary or text, that Blender's importer does not use.

It reads the usual properties of materials; textures of others, such as a specular colour, it leaves out.
"""

from __future__ import annotations

import itertools
import re
from pathlib import Path, PurePosixPath

import bpy

from blendgen.engine.blender.importing.fbx_bytes import stored_number
from blendgen.engine.blender.importing.findings import Findings
from blendgen.engine.blender.importing.textures import mark_opaque
from blendgen.files.regular_file import MAX_MODEL_BYTES, read_bounded
from blendgen.models.companions import Companions

_FILE = rb"RelativeFilename"
_MOST_BYTES = 2**16  # of a texture up to its file name
# id and file name of a texture; source, target and property of a connection
_BINARY_TEXTURE = re.compile(rb"\x07TextureL(.{8})S.{0,%d}?%sS(.{4})" % (_MOST_BYTES, _FILE), re.S)
_BINARY_CONNECTION = re.compile(rb"S(?:\x02\0\0\0|\0\0\0\x02)OPL(.{8})L.{8}S(.{4})", re.S)
_TEXT_TEXTURE = re.compile(rb'\bTexture: (\d+),.{0,%d}?%s: "([^"]*)"' % (_MOST_BYTES, _FILE), re.S)
_TRANSPARENCY = re.compile(r"transparen|opacity|cutout|alpha", re.I)
_TEXT_CONNECTION = re.compile(rb'\bC: "OP", ?(\d+), ?\d+, ?"([^"]*)"')


def complete_fbx(
    file: Path, companions: Companions, objects: list[bpy.types.Object], findings: Findings
) -> None:
    """Report the textures of an FBX file or its copy that its objects lack."""
    data = read_bounded(file, MAX_MODEL_BYTES)
    if not _states_transparency(data):
        for slot in (slot for owner in objects for slot in owner.material_slots if slot.material):
            mark_opaque(slot.material)
    images = [_name(image.filepath) or image.name for image in bpy.data.images]
    for name, use in textures_of(data):
        if _name(name) and _name(name) not in images:
            findings.lost.append(f"texture {_name(name)!r} is not used: Blender does not read {use}")


def _states_transparency(data: bytes) -> bool:
    """Whether a texture is for the transparency of a material. Blender takes the alpha of any base colour."""
    binary = (_string(data, match) for match in _BINARY_CONNECTION.finditer(data))
    text = (match[2].decode("utf-8", "replace") for match in _TEXT_CONNECTION.finditer(data))
    return any(_TRANSPARENCY.search(name) for name in itertools.chain(binary, text))


def textures_of(data: bytes) -> list[tuple[str, str]]:
    """File name and property of a material, for all textures that materials use."""
    is_binary = data.startswith(b"Kaydara FBX Binary")
    textures, uses = (_binary if is_binary else _text)(data)
    return [(name, uses[number]) for number, name in textures.items() if number in uses]


def _binary(data: bytes) -> tuple[dict[bytes, str], dict[bytes, str]]:
    """File names of textures, and properties that they are for, by their id."""
    textures = {match[1]: _string(data, match) for match in _BINARY_TEXTURE.finditer(data)}
    return textures, {match[1]: _string(data, match) for match in _BINARY_CONNECTION.finditer(data)}


def _string(data: bytes, match: re.Match[bytes]) -> str:
    """The string whose length is the last group of a match."""
    length = int(stored_number(data, "I", match[2]))
    return data[match.end() : match.end() + min(length, 4096)].decode("utf-8", "replace")


def _text(data: bytes) -> tuple[dict[bytes, str], dict[bytes, str]]:
    textures = {match[1]: match[2].decode("utf-8", "replace") for match in _TEXT_TEXTURE.finditer(data)}
    uses = {match[1]: match[2].decode("utf-8", "replace") for match in _TEXT_CONNECTION.finditer(data)}
    return textures, uses


def _name(path: str) -> str:
    return PurePosixPath(path.replace("\\", "/")).name
