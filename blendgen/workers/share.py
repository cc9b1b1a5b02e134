"""Share: what one worker gets of this machine: cores, threads, a device, memory.

In: how many workers, and what the machine has. Out: a Share for each. What a worker computes does
not follow from its share, only how fast.
"""

from __future__ import annotations

import contextlib
import itertools
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from blendgen.engine.device import CPU, Device
from blendgen.errors import UsageError
from blendgen.geometry.projection import intrinsics_matrix
from blendgen.optics.distortion import pinhole_area_ratio
from blendgen.spec.model import Spec

MEMORY_VARIABLE = "BLENDGEN_WORKER_MEMORY_MB"
# measured: 780 MB of its own for phones on a belt at 224 x 224, 1530 MB at 1024 x 768 (Blender 4.5)
_BLENDER_BYTES, _BYTES_PER_PIXEL = 800 * 2**20, 1100
_MAX_BYTES = 4 * 2**30
# loading Blender costs as much as some shots: with fewer than this each, a worker more does not pay
_MIN_SHOTS_PER_WORKER = 4
# EEVEE's workers all paint on the one card that OpenGL shows: while one paints, another traces its labels
_MAX_WITH_EEVEE = 2
# of libraries that would start a thread for every core of the machine in every worker
ONE_THREAD_EACH = dict.fromkeys(
    (
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
        "VECLIB_MAXIMUM_THREADS",
        "NUMEXPR_NUM_THREADS",
    ),
    "1",
)


@dataclass(frozen=True)
class Share:
    """cores: numbers of the cores to stay on, none for any; threads: for path tracing and denoising

    memory_bytes: above this the worker is replaced after the shot in hand
    """

    cores: tuple[int, ...] = ()
    threads: int = 1
    device: Device = CPU
    memory_bytes: int = _MAX_BYTES

    def take(self) -> None:
        """Stay on the cores of this share, with all threads that libraries have started; libraries that
        are loaded later count no others."""
        if self.cores and hasattr(os, "sched_setaffinity"):
            for thread in _threads():
                with contextlib.suppress(ProcessLookupError):  # it has ended by now
                    os.sched_setaffinity(thread, self.cores)


def _threads() -> list[int]:
    """Numbers of this process's threads; 0, the calling one, where the system does not tell."""
    try:
        return [int(task.name) for task in Path("/proc/self/task").iterdir()]
    except OSError:
        return [0]


def worker_bytes(pixels: int) -> int:
    """About what a worker takes at its peak, by the pixels of an image."""
    return _BLENDER_BYTES + _BYTES_PER_PIXEL * pixels


def automatic_workers(
    shots: int,
    cores: int,
    free_bytes: int | None,
    devices: Sequence[Device],
    each_bytes: int,
    engine: str = "cycles",
) -> int:
    """How many workers to start where nobody says: one a GPU, or one a core that memory has room for.

    engine: the spec's `render.engine`; with eevee there are few
    """
    wanted = cores if devices[0].backend == "cpu" else len(devices)
    if engine == "eevee":
        wanted = min(wanted, _MAX_WITH_EEVEE)
    by_memory = wanted if free_bytes is None else free_bytes // each_bytes
    by_shots = -(-shots // _MIN_SHOTS_PER_WORKER)
    return max(1, min(wanted, by_memory, by_shots))


def shares(
    workers: int,
    cores: int,
    own_cores: Sequence[int] = (),
    devices: Sequence[Device] = (CPU,),
    memory_bytes: int = _MAX_BYTES,
) -> list[Share]:
    """The cores split as evenly as can be, the devices dealt in turn.

    own_cores: their numbers; workers stay on cores of their own where these are as many as `cores`
    (a container's quota may be less) and no worker goes without
    """
    ends = [worker * cores // workers for worker in range(workers + 1)]
    apart = 1 < workers <= cores == len(own_cores)
    return [
        Share(
            cores=tuple(own_cores[low:high]) if apart else (),
            threads=max(1, high - low),
            device=devices[worker % len(devices)],
            memory_bytes=memory_bytes,
        )
        for worker, (low, high) in enumerate(itertools.pairwise(ends))
    ]


def memory_limit(workers: int, free_bytes: int | None, each_bytes: int) -> int:
    """Bytes above which a worker is replaced: its fair share of what is free, or as told.

    The share is at least twice what a worker takes (with less than that, Blender might be loaded anew
    for every shot), and at most 4 GiB where that is enough.
    raises: UsageError for a MEMORY_VARIABLE that is no number
    """
    told = os.environ.get(MEMORY_VARIABLE, "").strip()
    if told:
        if not told.isdecimal():
            raise UsageError(f"{MEMORY_VARIABLE}={told}: give a whole number of megabytes")
        return int(told) * 2**20
    fair = _MAX_BYTES if free_bytes is None else free_bytes // workers
    return max(2 * each_bytes, min(_MAX_BYTES, fair))


def max_rendered_pixels(spec: Spec) -> int:
    """How many pixels an image of a spec has at most where an engine renders it.

    Taken from the lenses at the ends of the ranges of all coefficients, at the widest angle of view: it
    is assumed that none between them sees further. One that could not be drawn counts as the widest.
    """
    section, (width, height) = spec.camera, spec.resolution
    angle = section.focal_length_mm.support()[0], section.sensor_width_mm.support()[1]
    ends = [set(getattr(section.distortion, name).support()) for name in ("k1", "k2", "p1", "p2", "k3")]
    ratios = [pinhole_area_ratio(intrinsics_matrix(*angle, spec.resolution), spec.resolution, lens)
              for lens in itertools.product(*ends)]  # fmt: skip
    return math.ceil(width * height * max(1.0, *ratios))
