"""Machine: what decides the last bits of an image, and in which tier two machines can be compared.

In: the device of a data set, as dataset.json states it. Out: a Tier. Blender, the kernel of Cycles and NumPy
are the same for the same name and version; Embree, Open Image Denoise and NumPy also choose their code by the
instruction sets of the CPU.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

import numpy as np

_USED_SETS = ("sse", "ssse", "avx", "fma", "f16c", "amx", "asimd", "sve", "neon")


class Tier(StrEnum):
    """How much of an image is compared with a golden one."""

    SAME = "a"
    CPU = "b"
    LABELS = "c"


MEANING = {
    Tier.SAME: "same Blender and CPU kernel: equal hashes",
    Tier.CPU: "another Blender or CPU: labels exact, clean images within the measured bounds",
    Tier.LABELS: "another engine or a GPU: labels only",
}


def machine_of(device: Mapping[str, str]) -> dict[str, str]:
    """What decides the last bits of images; device: of dataset.json"""
    return {**device, "numpy": np.__version__, "instruction_sets": _instruction_sets()}


def tier_of(golden: Mapping[str, str], machine: Mapping[str, str]) -> Tier:
    """golden, machine: of machine_of"""
    both = (golden, machine)
    if any(one.get("device") != "cpu" or one.get("engine") == "eevee" for one in both):
        return Tier.LABELS
    if golden.get("engine") != machine.get("engine"):
        return Tier.LABELS
    return Tier.SAME if dict(golden) == dict(machine) else Tier.CPU


def differences_of(golden: Mapping[str, str], machine: Mapping[str, str]) -> str:
    """Why two machines are not the same, such as "version 4.5.3 -> 5.2.0"; "" if they are."""
    names = [name for name in {**golden, **machine} if golden.get(name) != machine.get(name)]
    return ", ".join(_difference(name, golden.get(name, "-"), machine.get(name, "-")) for name in names)


def _difference(name: str, before: str, now: str) -> str:
    if name != "instruction_sets":
        return f"{name} {before} -> {now}"
    lost, new = {*before.split()} - {*now.split()}, {*now.split()} - {*before.split()}
    changes = [*(f"-{one}" for one in sorted(lost)), *(f"+{one}" for one in sorted(new))]
    return f"instruction sets {' '.join(changes)}"


def _instruction_sets() -> str:
    """Those that libraries choose their code by; where the system does not list them, the name of the CPU."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    flags = next((line for line in lines if line.lower().startswith(("flags", "features"))), "")
    used = {flag for flag in flags.partition(":")[2].split() if flag.startswith(_USED_SETS)}
    return " ".join(sorted(used)) or platform.machine()
