"""Forking: makes a process in which Blender is loaded fit for forks, which have only the calling thread.

Blender's libraries keep threads at hand. A fork that handed them work would wait for ever; so the pool of
OpenEXR is emptied, whose work is then done where it is asked for. TBB needs none where it was started on
one core, numpy's libraries tell forks by themselves, and what else there is sleeps (sound devices).
"""

from __future__ import annotations

import ctypes
import importlib
from contextlib import suppress
from pathlib import Path

import bpy

_OPENEXR_NAMESPACES = [f"Imf_3_{minor}" for minor in range(1, 10)]
# loaded by the importers when they are first called: here it is once, not once for each model
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
    """Empty the pools of threads and load what forks would load each for itself."""
    for library in _loaded_libraries("libOpenEXR"):
        _empty_pool(ctypes.CDLL(library))
    bpy.utils.expose_bundled_modules()
    for module in _LATE:
        with suppress(ImportError):
            importlib.import_module(module)
    bpy.ops.wm.read_factory_settings(use_empty=True)


def _loaded_libraries(name: str) -> set[str]:
    """Files of the libraries of that name which this process has mapped."""
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
