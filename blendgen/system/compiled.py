"""Compiled: whether Python has stored the compiled modules that every process of blendgen loads.

Where it cannot, because the packages belong to somebody else or PYTHONDONTWRITEBYTECODE is set, each process
compiles them again. A process that has loaded them once stores them anywhere else.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterable
from importlib.util import cache_from_source, find_spec
from pathlib import Path

_PACKAGES = ("blendgen", "bpy", "numpy", "pydantic", "scipy")
_OF_BLENDER = "*/scripts/modules/addon_utils.py"  # bpy itself is not written in Python


def not_compiled(packages: Iterable[str] = _PACKAGES) -> dict[str, Path]:
    """The folders of packages whose modules are not stored, by name; without those that are not installed."""
    folders = {}
    for name in packages:
        spec = find_spec(name)
        if spec is None or spec.origin is None:
            continue
        folder = Path(spec.origin).parent
        sources = folder.glob(_OF_BLENDER) if spec.origin.endswith(".so") else [Path(spec.origin)]
        if not all(Path(cache_from_source(source)).exists() for source in sources):
            folders[name] = folder
    return folders


def compile_line(folders: Iterable[Path]) -> str:
    """The command that compiles and stores the modules in folders."""
    return shlex.join([sys.executable, "-m", "compileall", "-qq", *map(str, folders)])
