"""Confined: restricts what the fork that opens a model file may read, write and use. Does not load bpy."""

from __future__ import annotations

import math
import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import blendgen
from blendgen.models.companions import Companions
from blendgen.models.source import Source
from blendgen.system.machine import free_memory_bytes
from blendgen.system.sandbox import GIB, Limits, confine

SWITCH = "BLENDGEN_SANDBOX"  # off: models are inspected, but the importers are not confined
MEMORY_VARIABLE = "BLENDGEN_MEASURE_MEMORY_GIB"
_DEFAULT_GIB = 8.0
# libraries, fonts and the number of cores; none of the user's files
_SYSTEM = (
    "/usr", "/lib", "/lib64", "/nix/store", "/etc/ld.so.cache", "/etc/localtime", "/etc/fonts",
    "/sys/devices/system", "/proc/cpuinfo", "/proc/meminfo", "/dev/zero", "/dev/urandom", "/dev/random",
)  # fmt: skip


@dataclass(frozen=True)
class MemoryLimit:
    """Memory that a model may use.

    lowered: the machine has less free memory than a model may use elsewhere
    """

    gib: float
    lowered: bool = False


def confine_to(source: Source, folder: Path, timeout_s: float | None) -> MemoryLimit | None:
    """Restrict this process to the models directory, the folder of the entry, and Blender's libraries.

    timeout_s: the time limit of the model; None: no limit
    returns: the memory limit that is set; None if BLENDGEN_SANDBOX=off
    """
    if os.environ.get(SWITCH) == "off":
        return None
    memory = memory_limit()
    companions = Companions.of(source.options)
    confine(
        [*companions.places, companions.model, *_libraries()],
        [folder, Path(tempfile.gettempdir()), Path("/dev/null")],
        Limits(
            memory_bytes=int(memory.gib * GIB), cpu_s=None if timeout_s is None else cpu_limit_s(timeout_s)
        ),
    )
    return memory


def cpu_limit_s(timeout_s: float) -> int:
    """CPU time, of all threads, of a model that may take so long."""
    return math.ceil(2 * timeout_s) + 10


def memory_limit() -> MemoryLimit:
    """$BLENDGEN_MEASURE_MEMORY_GIB, or 8 GiB, but at most 3/4 of the free memory."""
    try:
        stated = float(os.environ.get(MEMORY_VARIABLE, ""))
    except ValueError:
        stated = 0.0
    if 0 < stated < math.inf:
        return MemoryLimit(stated)
    free = free_memory_bytes()
    usable_gib = math.inf if free is None else max(0.75 * free / GIB, 1.0)
    return MemoryLimit(min(_DEFAULT_GIB, usable_gib), lowered=usable_gib < _DEFAULT_GIB)


def _libraries() -> Iterator[Path]:
    yield Path(blendgen.__file__).parent
    for place in (sys.prefix, sys.base_prefix):
        yield from (Path(place, name) for name in ("lib", "lib64", "share"))
    for place in sys.path:
        if Path(place).name in ("site-packages", "dist-packages"):
            yield Path(place)
    bpy = sys.modules.get("bpy")
    if bpy is not None and bpy.__file__ is not None:
        yield Path(bpy.__file__).parent
    yield from map(Path, _SYSTEM)
