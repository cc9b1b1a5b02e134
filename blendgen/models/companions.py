"""Companions: the other files that a model file is read with (buffers, materials, textures).

For glTF and OBJ these are the files that it names; for formats that hide the names (FBX, USD, .blend) the
images next to it; for USD also the other USD files. Only files below the models directory count, which is the
folder that was scanned; a link that leads out of it does not.
"""

from __future__ import annotations

import errno
import json
import mmap
import os
import re
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from blendgen.files.regular_file import MAX_MODEL_BYTES, open_regular, read_bounded
from blendgen.models.scan import CAD_SUFFIXES, model_suffix

IMAGE_SUFFIXES = ("png", "jpg", "jpeg", "tif", "tiff", "tga", "bmp", "exr", "hdr", "webp", "dds")
_TEXTURE_FOLDERS = ("textures", "texture", "tex", "maps", "images")
_LAYER_SUFFIXES = ("usd", "usda", "usdc")
_MAX_COMPANIONS = 100_000  # files that are searched for one model
_MAX_JSON_BYTES, _MAX_MTL_BYTES = 2**30, 2**26
# a backslash at the end of a line continues it
_OBJ_LIBRARY = re.compile(rb"(?<![^\s])mtllib(?:[ \t]|\\\r?\n)+([^\r\n]+)")
_MTL_TEXTURE = re.compile(r"\s*(map_\w+|bump|disp|decal|norm|refl)\s+(.*\S)", re.I)


# completes "it is ..." for a file that is not read
OUTSIDE = "outside of the models directory (allow_outside: true in the spec allows it)"


@dataclass(frozen=True)
class Companions:
    """Which other files a model may be read with.

    model: the model file; root: the models directory; None: the model's folder
    allow_outside: files anywhere may be read
    textures: the folder of its textures, relative to that of the model; "" if the sidecar does not state it
    """

    model: Path
    root: Path | None = None
    allow_outside: bool = False
    textures: str = ""

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Companions:
        """Those of a source of kind "mesh", from its options."""
        root = options.get("root")
        textures = options.get("textures", "")
        return cls(Path(options["path"]), root and Path(root), bool(options.get("allow_outside")), textures)

    @property
    def folder(self) -> Path:
        return self.model.parent

    @property
    def folders(self) -> list[Path]:
        """Where files may be read. A followed link may have led out of the models directory to the model."""
        places = [Path("/")] if self.allow_outside else [self.folder, self.root or self.folder]
        return [Path(os.path.realpath(place)) for place in places]

    def inside(self, name: str) -> Path | None:
        """The file of a name relative to the model's folder, whether it exists or not; None if it is outside.

        Systems disagree on which file `link/../name` is: neither may be outside
        """
        try:
            file = Path(os.path.normpath(self.folder / name))
            targets = [Path(os.path.realpath(place)) for place in (file, self.folder / name)]
        except (OSError, ValueError):  # not a path, such as one with a null byte; or links in a circle
            return None
        places = self.folders
        return file if all(any(t.is_relative_to(p) for p in places) for t in targets) else None


def companion_names(companions: Companions) -> list[str]:
    """Names, relative to the model's folder, of all other files that affect how it looks.

    A named file may be missing. raises: OSError if the model itself cannot be read, or if there are too many
    files next to it
    """
    path = companions.model
    suffix = model_suffix(path)
    if suffix in ("gltf", "glb"):
        return sorted(set(gltf_uris(gltf_json(path))))
    if suffix == "obj":
        return sorted(set(_obj_names(companions)))
    if suffix in ("stl", "ply", "usdz", *CAD_SUFFIXES):
        return []
    others = _other_layers(path) if suffix in _LAYER_SUFFIXES else []
    return sorted({*_images_nearby(companions), *others})


def gltf_json(path: Path) -> dict:
    """The JSON part of a .gltf or .glb; {} if it is not valid. The rest of the file is not read."""
    with open_regular(path, MAX_MODEL_BYTES) as file:
        start = file.read(20)
        length = _MAX_JSON_BYTES
        if start[:4] == b"glTF":
            length = struct.unpack_from("<I", start, 12)[0] if len(start) == 20 else 0
            start = b""
        data = start + file.read(min(length, _MAX_JSON_BYTES))
    try:
        content = json.loads(data)  # in UTF-8 or UTF-16
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def gltf_uris(content: dict, *kinds: str) -> list[str]:
    """Files that the buffers and images of a glTF document name, in their order."""
    entries = [entry for kind in kinds or ("buffers", "images") for entry in _objects(content, kind)]
    uris = [entry.get("uri") for entry in entries]
    named = (uri for uri in uris if isinstance(uri, str) and not uri.startswith("data:"))
    return [uri_path(uri) for uri in named]


def uri_path(uri: str) -> str:
    """The path in a URI of a glTF file, as Blender's importer reads it."""
    return unquote(uri).replace("\\", "/")


def _objects(content: dict, kind: str) -> list[dict]:
    entries = content.get(kind)
    return [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []


def _obj_names(companions: Companions) -> Iterator[str]:
    for name in obj_libraries(companions.model):
        yield name
        library = companions.inside(name)
        if library is not None and library.is_file():
            yield from _mtl_textures(library, companions.folder)


def obj_libraries(path: Path) -> list[str]:
    """The material libraries of an OBJ file: those that it names, and one with its own name next to it."""
    with open_regular(path, MAX_MODEL_BYTES) as file:
        if os.fstat(file.fileno()).st_size == 0:
            return []
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            names = [match[1].decode("utf-8", "replace").strip() for match in _OBJ_LIBRARY.finditer(data)]
    names = [name[1:-1] if name[:1] == name[-1:] == '"' else name for name in names]
    own = f"{path.stem}.mtl"
    return [*names, own] if own not in names and (path.parent / own).is_file() else names


def _mtl_textures(library: Path, folder: Path) -> Iterator[str]:
    text = read_bounded(library, _MAX_MTL_BYTES).decode("utf-8", "replace")
    for line in text.splitlines():
        match = _MTL_TEXTURE.match(line)
        if match:
            yield _relative(library.parent, match[2], folder)


def _relative(place: Path, name: str, folder: Path) -> str:
    """The name relative to the folder; there may be options before it."""
    try:
        whole = (place / name).exists()
    except (OSError, ValueError):
        whole = False
    chosen = name if whole else name.split()[-1]
    return os.path.relpath(place / chosen.replace("\\", "/"), folder)


def _other_layers(path: Path) -> Iterator[str]:
    """All other USD files in the folder's tree: any of them may be a layer of this one."""
    looked_at = 0
    for folder, folders, files in os.walk(path.parent):
        looked_at += len(files) + len(folders)
        _check_count(looked_at, path)
        for name in files:
            file = Path(folder, name)
            if model_suffix(name) in _LAYER_SUFFIXES and file != path and file.is_file():
                yield os.path.relpath(file, path.parent)


def _images_nearby(companions: Companions) -> Iterator[str]:
    path = companions.model
    folders = [path.parent, *(path.parent / name for name in (*_TEXTURE_FOLDERS, f"{path.stem}.fbm"))]
    for folder in folders:
        if folder.is_dir() and companions.inside(str(folder)):
            for number, file in enumerate(folder.iterdir()):
                _check_count(number, path)
                if model_suffix(file) in IMAGE_SUFFIXES and file.is_file():
                    yield os.path.relpath(file, path.parent)


def _check_count(count: int, path: Path) -> None:
    if count > _MAX_COMPANIONS:
        raise OSError(errno.EFBIG, f"more than {_MAX_COMPANIONS:,} files are next to it", str(path))
