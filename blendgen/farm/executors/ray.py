"""Ray: each shard is a task of a Ray cluster, that of RAY_ADDRESS or one of this machine alone.

Ray itself runs a task again if its node or its worker is lost. A task ends with the worker of Ray that runs
it, and that ends with its node or with this process.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from blendgen import __version__
from blendgen.errors import ExitCode, SetupError
from blendgen.farm.executors.base import Ended, Resources, Work
from blendgen.farm.executors.ray_task import make_shard
from blendgen.farm.shards import Shard
from blendgen.files.scratch import scratch_folder
from blendgen.system.machine import cores
from blendgen.system.progress import Progress
from blendgen.system.stop_signals import handlers_restored

ADDRESS_VARIABLE = "RAY_ADDRESS"
_LOCAL = "local"  # a cluster of this machine, which ends with this process
# lost nodes and killed workers; what the command itself reports is not counted here
MAX_LOST = 20
_OBJECT_STORE_BYTES = 80 << 20  # the least that Ray accepts; results are a few bytes
_MAX_MESSAGE = 500
_log = logging.getLogger(__name__)


class RayExecutor:
    """Tasks of a cluster that is connected; see executors.base."""

    def __init__(self, ray: Any, work: Work, resources: Resources):
        self._ray, self._work = ray, work
        self._shards: dict[Any, Shard] = {}
        options: dict[str, Any] = {"num_cpus": resources.cpus, "num_gpus": resources.gpus}
        if resources.memory_mib is not None:
            options["memory"] = resources.memory_mib << 20
        self._task = ray.remote(max_retries=MAX_LOST, **options)(make_shard)

    def submit(self, shards: Sequence[Shard]) -> None:
        for shard in shards:
            task = self._task.options(name=f"blendgen {shard.name}")
            words = [*self._work.words, "--shard", str(shard)]
            self._shards[task.remote(words, __version__)] = shard

    def ended(self, timeout_s: float) -> list[Ended]:
        tasks = list(self._shards)
        if not tasks:
            time.sleep(timeout_s)
            return []
        ready, _ = self._ray.wait(tasks, num_returns=1, timeout=timeout_s)
        if ready:
            ready, _ = self._ray.wait(tasks, num_returns=len(tasks), timeout=0)
        return [self._end_of(task) for task in ready]

    def cancel(self, at_once: bool) -> None:
        for task in self._shards:
            self._ray.cancel(task, force=at_once, recursive=False)

    def _end_of(self, task: Any) -> Ended:
        shard, faults = self._shards.pop(task), self._ray.exceptions
        try:
            code, message = self._ray.get(task)
        except faults.TaskCancelledError:
            return Ended(shard, int(ExitCode.RETRY), "cancelled")
        except faults.RayError as error:
            return Ended(shard, int(ExitCode.FAILED), _first_line(error))
        return Ended(shard, code, message)


@contextmanager
def opened_executor(work: Work, resources: Resources, progress: Progress) -> Iterator[RayExecutor]:
    """raises: SetupError without Ray or a cluster; for a cluster of this machine also if no task fits"""
    ray = _imported()
    with scratch_folder("ray") as scratch, _connected(ray, str(scratch)):
        if not any(map(resources_fit(resources), ray.nodes())):
            needs = f"{resources.cpus} CPUs, {resources.gpus:g} GPUs and the memory of a task"
            if _address() == _LOCAL:
                raise SetupError(f"this machine lacks {needs}; ask for less, or set {ADDRESS_VARIABLE}")
            _log.error("no node of the Ray cluster has %s; waiting for one that joins", needs)
        yield RayExecutor(ray, work, resources)


def resources_fit(resources: Resources) -> Any:
    """Whether a node, as ray.nodes() describes it, has room for a task when nothing else runs there."""
    needs = {"CPU": resources.cpus, "GPU": resources.gpus, "memory": (resources.memory_mib or 0) << 20}

    def fits(node: dict[str, Any]) -> bool:
        return node["Alive"] and all(node["Resources"].get(key, 0) >= value for key, value in needs.items())

    return fits


def _imported() -> Any:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")
    # a cluster that does not answer is an error after a minute; Ray itself tries for a quarter of an hour
    os.environ.setdefault("RAY_NUM_REDIS_GET_RETRIES", "2")
    try:
        import ray
        import ray.exceptions
    except ImportError as error:
        raise SetupError(f"--executor ray needs Ray ({error}): pip install 'blendgen[ray]'") from None
    _keep_off_stdout(ray)
    return ray


def _keep_off_stdout(ray: Any) -> None:
    """Ray 2.60 prints what happens to nodes on stdout, also with log_to_driver=False."""

    def log(data: dict[str, Any], ignore_prefix: bool = False) -> None:
        _log.debug("Ray: %s", "\n".join(map(str, data.get("lines", ()))))

    worker: Any = getattr(getattr(ray, "_private", None), "worker", None)
    if hasattr(worker, "print_to_stdstream"):
        worker.print_to_stdstream = log


@contextmanager
def _connected(ray: Any, scratch: str) -> Iterator[None]:
    """Connect to the cluster, unless the program has done so already.

    scratch: where a cluster of this machine keeps its files
    """
    if ray.is_initialized():
        yield
        return
    address = _address()
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    if address == _LOCAL:
        options |= {"include_dashboard": False, "num_cpus": cores(), "_temp_dir": scratch}
        options |= {"object_store_memory": _OBJECT_STORE_BYTES}
    with handlers_restored():  # Ray installs one of SIGTERM that exits with 1
        try:
            ray.init(address=address, **options)
        except Exception as error:  # noqa: BLE001 - of many kinds, plain ones too
            raise SetupError(f"the Ray cluster at {address} cannot be used: {_first_line(error)}") from None
    try:
        yield
    finally:
        ray.shutdown()


def _address() -> str:
    return os.environ.get(ADDRESS_VARIABLE) or _LOCAL


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:_MAX_MESSAGE] if lines else type(error).__name__
