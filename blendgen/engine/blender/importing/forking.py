"""Forking: prepares a process with Blender loaded for forks, which only have the calling thread.

Blender's libraries have thread pools. A fork that gave them work would wait forever, so the pool of OpenEXR
is emptied: its work then runs in the calling thread. TBB needs no threads if it was started on one core,
numpy's libraries detect forks themselves, and the other threads are idle (sound devices).
"""

from __future__ import annotations

import ctypes
import importlib
import os
import warnings
from contextlib import suppress
from pathlib import Path

import bpy

_OPENEXR_NAMESPACES = [f"Imf_3_{minor}" for minor in range(1, 10)]
# the importers load these when they are first called: here once, instead of once for each model
_LATE = (
    "io_scene_gltf2.blender.imp.blender_gltf",
    "io_scene_gltf2.io.imp.gltf2_io_gltf",
    "scipy.sparse.csgraph",
    "scipy.spatial",
    "DracoPy",
    "pxr.Sdf",
    "pxr.UsdUtils",
)


def make_forkable() -> None:
    """Empty the thread pools and load the modules that every fork would have to load."""
    for library in _loaded_libraries("libOpenEXR"):
        _empty_pool(ctypes.CDLL(library))
    bpy.utils.expose_bundled_modules()
    for module in _LATE:
        with suppress(ImportError):
            importlib.import_module(module)
    bpy.ops.wm.read_factory_settings(use_empty=True)


def fork() -> int:
    """os.fork without Python's warning of the threads that Blender's libraries have started."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*multi-threaded, use of fork", DeprecationWarning)
        return os.fork()


def _loaded_libraries(name: str) -> set[str]:
    """Files of the libraries of that name that this process has mapped."""
    try:
        maps = Path("/proc/self/maps").read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return set()
    paths = {line.split(maxsplit=5)[-1] for line in maps.splitlines() if "/" in line}
    return {path for path in paths if Path(path).name.startswith(f"{name}.") or f"{name}-" in path}


def _empty_pool(openexr: ctypes.CDLL) -> None:
    for namespace in _OPENEXR_NAMESPACES:
        with suppress(AttributeError):
            openexr[f"_ZN{len(namespace)}{namespace}20setGlobalThreadCountEi"](0)
