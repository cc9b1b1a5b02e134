"""Cache files: where shader nodes and maps that take long to make are kept on disk.

In: a file's name, and the module that makes its content. Out: a path whose folder is named by a digest of the
code and of Blender's version, so that files never go stale and may be deleted at any time.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import bpy

from blendgen.errors import SetupError
from blendgen.models.measuring.cache import cache_folder
from blendgen.system.code_digest import code_digest


def cache_file(name: str, module: str) -> Path | None:
    """None where there is no cache: without a home folder, or in an installation without source files.

    module: a change to this module or to anything that it imports changes the path
    """
    try:
        return cache_folder() / "shaders" / _version(module) / name
    except SetupError:
        return None


@cache
def _version(module: str) -> str:
    return hashlib.sha256(f"{code_digest(module)} {bpy.app.version_string}".encode()).hexdigest()[:32]
