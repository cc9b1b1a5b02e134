"""Ray task: makes a shard in a process of its own, with what Ray granted to the task; runs on a node."""

from __future__ import annotations

import socket
from collections.abc import Sequence

from blendgen import __version__
from blendgen.errors import ExitCode
from blendgen.farm.executors.child import run_child
from blendgen.system.allocation import CORES_VARIABLE, MEMORY_VARIABLE


def make_shard(words: Sequence[str], version: str) -> tuple[int, str]:
    """(exit code, message) of blendgen with these arguments.

    version: of blendgen in the process that submitted the task
    """
    import ray

    host = socket.gethostname()
    if version != __version__:
        return int(ExitCode.SETUP), f"{host} has blendgen {__version__}, not {version}"
    granted = ray.get_runtime_context().get_assigned_resources()
    # Ray itself has set CUDA_VISIBLE_DEVICES, or what other kinds of cards have instead
    environment = {CORES_VARIABLE: str(max(1, int(granted.get("CPU", 1))))}
    if granted.get("memory"):
        environment[MEMORY_VARIABLE] = str(int(granted["memory"]) >> 20)
    code, message = run_child(words, environment)
    return code, f"{message} (on {host})" if code else message
