"""Ray nodes: a Ray cluster on this machine, whose nodes can be killed, stopped and replaced.

The head has no cores and stays, since Ray keeps the state of a cluster there. Every other node is a raylet of
its own with one core, its agents and its workers; what they start has the mark of the cluster.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import tempfile
from typing import Any

import psutil

from blendgen.system.stop_signals import handlers_restored

_STORE_BYTES = 80 << 20  # the least that Ray accepts
# a lost node is noticed after a second, not after half a minute
_SYSTEM = {
    "health_check_initial_delay_ms": 0, "health_check_period_ms": 300, "health_check_timeout_ms": 1000,
    "health_check_failure_threshold": 3,
}  # fmt: skip


def has_ray() -> bool:
    return importlib.util.find_spec("ray") is not None


def descendants(process: psutil.Process, recursive: bool = True) -> list[psutil.Process]:
    try:
        return process.children(recursive=recursive)
    except psutil.Error:
        return []


def command_line(process: psutil.Process) -> str:
    """ "" for a process that has ended."""
    try:
        return " ".join(process.cmdline()) if process.is_running() else ""
    except psutil.Error:
        return ""


class RayNodes:
    """A cluster of `count` nodes and a head; use as a context manager.

    environment: variables of the tasks
    """

    def __init__(self, count: int, environment: dict[str, str]):
        self._count, self._nodes = count, []
        self._folder = tempfile.mkdtemp(
            prefix="ray-", dir="/tmp"
        )  # names of sockets have 107 letters at most
        self._node = {"num_cpus": 1, "object_store_memory": _STORE_BYTES, "env_vars": environment}

    def __enter__(self) -> RayNodes:
        os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_TMPDIR": self._folder, "RAY_worker_niceness": "0"}
        from ray.cluster_utils import Cluster

        head = {**self._node, "num_cpus": 0, "include_dashboard": False, "_system_config": _SYSTEM}
        with handlers_restored():  # a node sets one of SIGTERM that takes half a minute
            self._cluster: Any = Cluster(initialize_head=True, head_node_args=head)
        self.fill()
        return self

    def __exit__(self, *_: object) -> None:
        self._cluster.shutdown()
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def address(self) -> str:
        return self._cluster.address

    def fill(self) -> None:
        """Start as many nodes as are missing; they join when they are ready."""
        self._remove_ended()
        with handlers_restored():
            while len(self._nodes) < self._count:
                self._nodes.append(self._cluster.add_node(wait=False, **self._node))

    def raylets(self) -> list[psutil.Process]:
        """The main process of each node."""
        return [psutil.Process(_raylet(node).pid) for node in self._nodes if _raylet(node).poll() is None]

    def tasks(self) -> list[psutil.Process]:
        """The processes of Ray that run a task."""
        return [one for one in self._tree() if command_line(one).startswith("ray::blendgen ")]

    def commands(self) -> list[psutil.Process]:
        """The processes of blendgen that make shards."""
        return [child for one in self.tasks() for child in descendants(one, recursive=False)]

    def workers(self) -> list[psutil.Process]:
        """Their workers."""
        return [child for one in self.commands() for child in descendants(one)]

    def _tree(self) -> list[psutil.Process]:
        return [child for raylet in self.raylets() for child in descendants(raylet)]

    def _remove_ended(self) -> None:
        for node in [one for one in self._nodes if _raylet(one).poll() is not None]:
            self._nodes.remove(node)
            self._cluster.remove_node(node, allow_graceful=False)


def _raylet(node: Any) -> Any:
    """Its process, as of subprocess."""
    return node.all_processes["raylet"][0].process
