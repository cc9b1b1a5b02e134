"""Allocation: the cores, memory and GPUs that a scheduler has given to this job, as its variables state them.

The scheduler may leave it to the job not to take more, so the least that is stated counts.

| variable | unit |
| --- | --- |
| SLURM_CPUS_PER_TASK, SLURM_CPUS_ON_NODE | cores |
| SLURM_MEM_PER_NODE, SLURM_MEM_PER_CPU | MiB; 0 is all memory of the node |
| CUE_THREADS | cores |
| CUE_MEMORY | KiB |
| SLURM_JOB_GPUS, SLURM_STEP_GPUS | numbers of GPUs, separated by commas |
| CUE_GPUS | GPUs |
| BLENDGEN_CORES | cores |
| BLENDGEN_MEMORY_MB | MiB |

source: `man sbatch`, OUTPUT ENVIRONMENT VARIABLES; OpenCue's DispatchSupportService.java and CueUtil.java
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

# for engines without variables of their own, such as Ray
CORES_VARIABLE, MEMORY_VARIABLE = "BLENDGEN_CORES", "BLENDGEN_MEMORY_MB"
_SLURM_CORES = ("SLURM_CPUS_PER_TASK", "SLURM_CPUS_ON_NODE")
_KIB, _MIB = 2**10, 2**20


class Bound(NamedTuple):
    """An upper bound, and where it comes from, in words."""

    value: int
    origin: str


def allotted_cores(environment: Mapping[str, str]) -> list[Bound]:
    """The numbers of cores that are stated, each at least 1."""
    return [*_stated(environment, *_SLURM_CORES), *_stated(environment, "CUE_THREADS", CORES_VARIABLE)]


def allotted_bytes(environment: Mapping[str, str]) -> list[Bound]:
    """The amounts of memory that are stated."""
    cores = min((bound.value for bound in _stated(environment, *_SLURM_CORES)), default=1)
    units = {"SLURM_MEM_PER_NODE": _MIB, "SLURM_MEM_PER_CPU": _MIB * cores, "CUE_MEMORY": _KIB}
    units[MEMORY_VARIABLE] = _MIB
    return [
        Bound(bound.value * unit, bound.origin)
        for name, unit in units.items()
        for bound in _stated(environment, name)
    ]


def allotted_gpus(environment: Mapping[str, str]) -> str:
    """The variable that states GPUs for this job, with its value; "" if none does."""
    values = {name: environment.get(name, "").strip() for name in ("SLURM_STEP_GPUS", "SLURM_JOB_GPUS")}
    values |= {bound.origin: str(bound.value) for bound in _stated(environment, "CUE_GPUS")}
    return next((f"{name}={value}" for name, value in values.items() if value), "")


def _stated(environment: Mapping[str, str], *names: str) -> list[Bound]:
    """The whole numbers above 0 among some variables."""
    texts = {name: environment.get(name, "").strip() for name in names}
    return [
        Bound(int(text), name)
        for name, text in texts.items()
        if text.isascii() and text.isdecimal() and len(text) < 16 and int(text) > 0
    ]
