"""Companions: the other files that a model file is read with (buffers, materials, textures).

Only files below the models directory may be read, which is the folder that was scanned; a link that leads out
of it counts as outside. Every file is looked for by its name relative to the model's folder, so the names are
the same wherever the models directory is.
"""

from __future__ import annotations

import json
import mmap
import os
import re
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from blendgen.files.regular_file import MAX_MODEL_BYTES, open_regular

IMAGE_SUFFIXES = ("png", "jpg", "jpeg", "tif", "tiff", "tga", "bmp", "exr", "hdr", "webp", "dds")
_MAX_JSON_BYTES = 2**30
# a backslash at the end of a line continues it
_OBJ_LIBRARY = re.compile(rb"mtllib(?:[ \t]|\\\r?\n)+([^\r\n]+)")

# completes "it is ..." for a file that is not read
OUTSIDE = (
    "outside of the models directory "
    "(allow_outside: true in the spec, or `blendgen models --allow-outside`, allows it)"
)


# kinds of names in Companions.looked_for: a file; a texture or library that models/lookup.py looks up; the
# tiles of an image
FILE, TEXTURE, LIBRARY, TILES = "file", "texture", "library", "tiles"
_UDIM = "<UDIM>"
_TILE_NUMBERS = range(1001, 1101)  # ten in a row


class Companions:
    """Which other files a model may be read with, and which it was read with.

    model: the model file; root: the models directory; None: the model's folder
    allow_outside: files anywhere may be read
    textures: the folder of its textures, relative to that of the model; "" if the sidecar does not state it
    looked_for: everything that was looked for, as "KIND NAME": what is not in it cannot have been read
    """

    def __init__(
        self, model: Path, root: Path | None = None, allow_outside: bool = False, textures: str = ""
    ):
        self.model = model
        self.folder = model.parent
        self.textures = textures
        self.looked_for: dict[str, None] = {}
        self._root = root or self.folder
        places = [Path("/")] if allow_outside else [self.folder, self._root]
        # where files may be read; a followed link may have led out of the models directory to the model
        self._real_places = [os.path.realpath(place) for place in places]

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Companions:
        """Those of a source of kind "mesh", from its options."""
        root = options.get("root")
        textures = options.get("textures", "")
        return cls(Path(options["path"]), root and Path(root), bool(options.get("allow_outside")), textures)

    @property
    def places(self) -> list[Path]:
        """The folders below which files may be read, without links."""
        return [Path(place) for place in self._real_places]

    def inside(self, name: str) -> Path | None:
        """The file of a name relative to the model's folder, whether it exists or not; None if it is outside.

        The name is added to `looked_for`: everything that is read has to go through this method.
        """
        try:
            file = os.path.normpath(os.path.join(self.folder, name))  # noqa: PTH118 - Path is slow
            self.looked_for[f"{FILE} {os.path.relpath(file, self.folder)}"] = None
        except ValueError:  # not a path, such as one with a null byte
            return None
        return Path(file) if self.allows(name) else None

    def allows(self, name: str) -> bool:
        """Whether a file or folder may be read; nothing is added to `looked_for`."""
        try:
            named = os.path.join(self.folder, name)  # noqa: PTH118
            # systems disagree on which file `link/../name` is: neither may be outside
            targets = [os.path.realpath(place) for place in {os.path.normpath(named), named}]
        except (OSError, ValueError):  # or links in a circle
            return False
        return all(self._is_below_a_place(target) for target in targets)

    def _is_below_a_place(self, target: str) -> bool:
        return any(f"{target}/".startswith(f"{place}/".replace("//", "/")) for place in self._real_places)

    def ask(self, kind: str, name: str) -> str:
        """Add a name that models/lookup.py looks up to `looked_for`.

        returns: the name relative to the model's folder if it leads below the models directory: the same
            question has the same answer wherever that is
        """
        if os.path.isabs(name) and self._is_near(name):  # noqa: PTH117
            name = os.path.relpath(name, self.folder)
        self.looked_for[f"{kind} {name}"] = None
        return name

    def tiles(self, name: str) -> list[Path]:
        """The tiles of an image that exist and may be read; importers use all of them."""
        if _UDIM not in name:
            return []
        name = self.ask(TILES, name)
        names = [name.replace(_UDIM, str(number)) for number in _TILE_NUMBERS]
        return [file for one in names if self.exists(one) and (file := self.inside(one))]

    def _is_near(self, name: str) -> bool:
        file = Path(os.path.normpath(self.folder / name))
        return file.is_relative_to(self._root) or file.is_relative_to(self.folder)

    def exists(self, name: str) -> bool:
        """Whether there is something of that name, inside or not."""
        return os.path.exists(self.folder / name)  # noqa: PTH110 - Path.exists raises for folders that are closed to us

    def unreadable(self, error: OSError) -> str:
        """The reason why the model cannot be read; names the file if it is another one."""
        name = "" if error.filename is None else os.path.relpath(error.filename, self.folder)
        other = f"{self.portable(name)} " if name not in ("", self.model.name) else ""
        return f"{other}cannot be read: {error.strerror or error}"

    def portable(self, name: str) -> str:
        """A name; only its last part if it leads out of the models directory."""
        return name if self._is_near(name) else Path(name).name


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


def obj_libraries(path: Path) -> list[str]:
    """The material libraries of an OBJ file: those that it names, and one with its own name next to it.

    Any of them may be missing.
    """
    with open_regular(path, MAX_MODEL_BYTES) as file:
        if os.fstat(file.fileno()).st_size == 0:
            return []
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            # a pattern that starts with letters is found much faster than one that looks behind
            matches = _OBJ_LIBRARY.finditer(data)
            places = [m for m in matches if not data[max(m.start() - 1, 0) : m.start()].strip()]
            names = [match[1].decode("utf-8", "replace").strip() for match in places]
    names = [name[1:-1] if name[:1] == name[-1:] == '"' else name for name in names]
    own = f"{path.stem}.mtl"
    return names if own in names else [*names, own]
