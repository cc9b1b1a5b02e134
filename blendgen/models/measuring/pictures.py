"""Pictures: rendered pictures of models on disk, by a digest of everything that decides how they look.

In: the facts that decide a picture. Out: the picture, and what is known of it, as JSON in the same file.
Files never go stale and may be deleted at any time. Where the cache cannot be used, pictures are rendered
again; that only costs time.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from blendgen.files.photos import IMAGE_ERRORS
from blendgen.files.whole_file import whole_file
from blendgen.models.measuring.cache import cache_folder

_KNOWN = "blendgen"


def picture_key(facts: Any) -> str:
    """The key of a picture; facts: plain values."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


class PictureCache:
    """The pictures below `folder`, which is created on first use."""

    def __init__(self, folder: Path | None = None):
        self._folder = (folder or cache_folder()) / "pictures"

    def find(self, key: str) -> tuple[Image.Image, dict[str, Any]] | None:
        """A picture and what is known of it; None if there is none, or it is damaged."""
        with suppress(*IMAGE_ERRORS, KeyError), Image.open(self._file(key)) as image:
            image.load()
            known = json.loads(image.info[_KNOWN])
            return (image.convert("RGB"), known) if isinstance(known, dict) else None
        return None

    def add(self, key: str, picture: Image.Image, known: Mapping[str, Any]) -> None:
        """Store a picture; nothing if it cannot be stored."""
        info = PngInfo()
        info.add_text(_KNOWN, json.dumps(known))
        with suppress(OSError), whole_file(self._file(key)) as path:
            picture.save(path, "PNG", pnginfo=info)

    def _file(self, key: str) -> Path:
        return self._folder / key[:2] / f"{key}.png"
