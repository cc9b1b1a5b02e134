"""Companions: the other files that a model file is read with (buffers, materials, textures).

For glTF and OBJ they are the files that it names; for formats that hide the names (FBX, USD,
.blend) the images beside it; for USD also the other USD files. Only files in the model's own
folder tree count.
"""

from __future__ import annotations

import json
import os
import re
import struct
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

from blendgen.catalog.scan import model_suffix

IMAGE_SUFFIXES = ("png", "jpg", "jpeg", "tif", "tiff", "tga", "bmp", "exr", "hdr", "webp", "dds")
_TEXTURE_FOLDERS = ("textures", "texture", "tex", "maps", "images")
_OBJ_LIBRARY = re.compile(rb"(?<![^\s])mtllib[ \t]+([^\r\n]+)")
_MTL_TEXTURE = re.compile(r"\s*(map_\w+|bump|disp|decal|norm|refl)\s+(.*\S)", re.I)


def companion_names(path: Path) -> list[str]:
    """Names, relative to the model's folder, of all other files that decide how it looks.

    A named file may be missing. raises: OSError where the model itself cannot be read
    """
    suffix = model_suffix(path)
    if suffix in ("gltf", "glb"):
        return sorted(set(gltf_uris(gltf_json(path))))
    if suffix == "obj":
        return sorted(set(_obj_names(path)))
    if suffix in ("stl", "ply", "usdz"):
        return []
    others = _layers_beside(path) if suffix in ("usd", "usda", "usdc") else []
    return sorted({*_images_beside(path), *others})


def inside(folder: Path, name: str) -> Path | None:
    """The file `name` of a folder; None where it lies outside of the folder's tree."""
    file = Path(os.path.normpath(folder / name))
    return file if file.is_relative_to(os.path.normpath(folder)) else None


def gltf_json(path: Path) -> dict:
    """The JSON part of a .gltf or .glb; {} where it is not valid."""
    data = path.read_bytes()
    if data[:4] == b"glTF":
        length = struct.unpack_from("<I", data, 12)[0] if len(data) >= 20 else 0
        data = data[20 : 20 + length]
    try:
        content = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def gltf_uris(content: dict, *kinds: str) -> list[str]:
    """Files that the buffers and images of a glTF document name, in their order."""
    entries = [entry for kind in kinds or ("buffers", "images") for entry in _objects(content, kind)]
    uris = [entry.get("uri") for entry in entries]
    return [unquote(uri) for uri in uris if isinstance(uri, str) and not uri.startswith("data:")]


def _objects(content: dict, kind: str) -> list[dict]:
    entries = content.get(kind)
    return [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []


def _obj_names(path: Path) -> Iterator[str]:
    for match in _OBJ_LIBRARY.finditer(path.read_bytes()):
        name = match[1].decode("utf-8", "replace").strip()
        yield name
        library = inside(path.parent, name)
        if library is not None and library.is_file():
            yield from _mtl_textures(library, path.parent)


def _mtl_textures(library: Path, folder: Path) -> Iterator[str]:
    for line in library.read_text(encoding="utf-8", errors="replace").splitlines():
        match = _MTL_TEXTURE.match(line)
        if match:
            name = match[2] if (library.parent / match[2]).exists() else match[2].split()[-1]
            yield os.path.relpath(library.parent / name.replace("\\", "/"), folder)


def _layers_beside(path: Path) -> Iterator[str]:
    """All other USD files in the folder's tree: any of them may be a layer of this one."""
    for suffix in ("usd", "usda", "usdc"):
        for file in path.parent.rglob(f"*.{suffix}"):
            if file != path:
                yield os.path.relpath(file, path.parent)


def _images_beside(path: Path) -> Iterator[str]:
    folders = [path.parent, *(path.parent / name for name in (*_TEXTURE_FOLDERS, f"{path.stem}.fbm"))]
    for folder in folders:
        if folder.is_dir():
            for file in folder.iterdir():
                if model_suffix(file) in IMAGE_SUFFIXES and file.is_file():
                    yield os.path.relpath(file, path.parent)
