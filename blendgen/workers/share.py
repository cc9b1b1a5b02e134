"""Share: the part of this machine that one worker uses: cores, threads, a device, memory.

In: the number of workers, and the resources of the machine. Out: a Share for each worker. A share decides
how fast a worker computes, never what.
"""

from __future__ import annotations

import contextlib
import itertools
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from blendgen.develop.denoise import MAX_MEMORY_MB
from blendgen.engine.device import CPU, Device
from blendgen.errors import UsageError
from blendgen.geometry.projection import intrinsics_matrix
from blendgen.optics.distortion import pinhole_area_ratio
from blendgen.spec.model import Spec
from blendgen.system.machine import cores, free_memory_bytes

if TYPE_CHECKING:
    from blendgen.workers.job import Job

MEMORY_VARIABLE = "BLENDGEN_WORKER_MEMORY_MB"
# measured: 780 MB of its own for phones on a belt at 224 x 224, 1530 MB at 1024 x 768 (Blender 4.5), of which
# the denoiser uses 580 bytes a pixel, up to its limit
_BLENDER_BYTES, _BYTES_PER_PIXEL, _DENOISER_BYTES_PER_PIXEL = 800 * 2**20, 520, 580
_MAX_BYTES = 4 * 2**30
# loading Blender takes as long as a few shots: a worker with fewer shots than this does not pay
_MIN_SHOTS_PER_WORKER = 4
# EEVEE workers all render on the one card that OpenGL offers: while one renders, another traces its labels
_MAX_WITH_EEVEE = 2
# variables of libraries that would otherwise start one thread per core in every worker
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
    """cores: numbers of the cores to run on, empty for any; threads: for path tracing and denoising

    memory_bytes: a worker that holds more is replaced after its pending shots
    """

    cores: tuple[int, ...] = ()
    threads: int = 1
    device: Device = CPU
    memory_bytes: int = _MAX_BYTES

    def pin_process(self) -> None:
        """Run this process on the cores of this share, including threads that libraries have started.

        Libraries that are loaded later see no other cores.
        """
        if self.cores and hasattr(os, "sched_setaffinity"):
            for thread in _threads():
                with contextlib.suppress(ProcessLookupError):  # it has ended meanwhile
                    os.sched_setaffinity(thread, self.cores)


def _threads() -> list[int]:
    """Ids of this process's threads; [0], the calling thread, on systems that do not list them."""
    try:
        return [int(task.name) for task in Path("/proc/self/task").iterdir()]
    except OSError:
        return [0]


def estimated_bytes(pixels: int) -> int:
    """Estimated peak memory of a worker; pixels: of one rendered image."""
    denoiser = min(_DENOISER_BYTES_PER_PIXEL * pixels, MAX_MEMORY_MB * 2**20)
    return _BLENDER_BYTES + _BYTES_PER_PIXEL * pixels + denoiser


def choose_worker_count(job: Job, shots: int, workers: int | None) -> int:
    """At most one worker per shot, so that few workers get all cores; None: as many as this machine fits.

    raises: UsageError for less than one
    """
    if workers is not None and workers < 1:
        raise UsageError(f"workers: expected at least 1, got {workers}")
    if workers is None:
        machine, engine = (cores(), free_memory_bytes(), job.devices), job.spec.render.engine
        estimate = estimated_bytes(max_rendered_pixels(job.spec))
        workers = automatic_workers(shots, *machine, estimate, engine)
    return max(1, min(workers, shots))


def automatic_workers(
    shots: int,
    cores: int,
    free_bytes: int | None,
    devices: Sequence[Device],
    worker_bytes: int,
    engine: str = "cycles",
) -> int:
    """The default number of workers: one per GPU, or one per core, as far as memory and shots allow.

    engine: the spec's `render.engine`; eevee gets at most two workers
    """
    by_device = cores if devices[0].backend == "cpu" else len(devices)
    if engine == "eevee":
        by_device = min(by_device, _MAX_WITH_EEVEE)
    by_memory = by_device if free_bytes is None else free_bytes // worker_bytes
    by_shots = -(-shots // _MIN_SHOTS_PER_WORKER)
    return max(1, min(by_device, by_memory, by_shots))


def shares(
    workers: int,
    cores: int,
    own_cores: Sequence[int] = (),
    devices: Sequence[Device] = (CPU,),
    memory_bytes: int = _MAX_BYTES,
) -> list[Share]:
    """One Share per worker: the cores split as evenly as possible, the devices assigned in turn.

    own_cores: numbers of the cores; each worker is pinned to cores of its own if there are `cores` of them
    (a container's quota may allow fewer) and at least one per worker
    """
    ends = [worker * cores // workers for worker in range(workers + 1)]
    pinned = 1 < workers <= cores == len(own_cores)
    return [
        Share(
            cores=tuple(own_cores[low:high]) if pinned else (),
            threads=max(1, high - low),
            device=devices[worker % len(devices)],
            memory_bytes=memory_bytes,
        )
        for worker, (low, high) in enumerate(itertools.pairwise(ends))
    ]


def memory_limit(workers: int, free_bytes: int | None, worker_bytes: int) -> int:
    """Bytes above which a worker is replaced: MEMORY_VARIABLE, or an equal share of the free memory.

    The share is at least twice the estimate for a worker (with less, Blender might be loaded again for
    every shot), and at most 4 GiB if that is enough.
    raises: UsageError if MEMORY_VARIABLE is not a whole number
    """
    megabytes = os.environ.get(MEMORY_VARIABLE, "").strip()
    if megabytes:
        if not megabytes.isdecimal():
            raise UsageError(f"{MEMORY_VARIABLE}: expected a whole number of megabytes, got {megabytes!r}")
        return int(megabytes) * 2**20
    equal_share = _MAX_BYTES if free_bytes is None else free_bytes // workers
    return max(2 * worker_bytes, min(_MAX_BYTES, equal_share))


def max_rendered_pixels(spec: Spec) -> int:
    """The largest number of pixels that an engine renders for an image of a spec.

    Computed for the lenses at both ends of the range of every coefficient, at the widest angle of view,
    assuming that no lens between them sees further. A lens that cannot be drawn counts as the widest.
    """
    section, (width, height) = spec.camera, spec.resolution
    widest = section.focal_length_mm.support()[0], section.sensor_width_mm.support()[1]
    ends = [set(getattr(section.distortion, name).support()) for name in ("k1", "k2", "p1", "p2", "k3")]
    ratios = [pinhole_area_ratio(intrinsics_matrix(*widest, spec.resolution), spec.resolution, lens)
              for lens in itertools.product(*ends)]  # fmt: skip
    return math.ceil(width * height * max(1.0, *ratios))
