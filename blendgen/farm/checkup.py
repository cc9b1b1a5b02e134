"""Check-up: does Blender load and render here; asked of a worker process, as in earnest."""

from __future__ import annotations

import multiprocessing
import tempfile
from pathlib import Path
from typing import Any

from pebble import ProcessExpired, ProcessPool

from blendgen.engine.base import EngineError
from blendgen.engine.blender.measuring import builder_digests, measure
from blendgen.farm.job import Job
from blendgen.farm.pool import StopSignal, run_tasks
from blendgen.farm.worker import redirect_output
from blendgen.inventory import load_inventory
from blendgen.pipeline import Task
from blendgen.spec.load import check_spec
from blendgen.spec.yaml_source import Document

_SPEC = {
    "blendgen": 1,
    "name": "check-up",
    "products": [{"catalog": "shapes"}],
    "render": "smoke",
    "sensor": "ideal",
}


def check_up() -> dict[str, Any]:
    """{"blender", "kernel", "gpus", "smoke_render"}; raises SetupError with the cure, EngineError."""
    with tempfile.TemporaryDirectory(prefix="blendgen-doctor-") as scratch:
        folder = Path(scratch)
        identity = _smoke_render(folder)
        return {
            "blender": identity["version"],
            "kernel": identity["kernel"],
            "gpus": _gpus(folder / "gpus.log"),
            "smoke_render": "ok",
        }


def _smoke_render(folder: Path) -> dict[str, str]:
    spec_file = check_spec(Document("check-up", _SPEC, {}), folder)
    inventory = load_inventory(spec_file, measure, builder_digests())
    job = Job(spec_file.spec, inventory.catalog, inventory.roster, folder, folder / "blender.log")
    with StopSignal() as stop:
        for _, identity in run_tasks(job, [Task(0, (0,))], stop):
            return identity
    raise EngineError("the smoke render was stopped")


def _gpus(log: Path) -> list[str]:
    """Names of the GPUs that Cycles can use here; probing drivers may crash, hence a process."""
    context = multiprocessing.get_context("spawn")
    with ProcessPool(1, initializer=redirect_output, initargs=[log], context=context) as pool:
        try:
            return pool.schedule(_probe_gpus, timeout=60).result()
        except (ProcessExpired, TimeoutError) as error:
            return [f"probing failed: {error}"]


def _probe_gpus() -> list[str]:
    from blendgen.engine.blender.devices import gpu_names

    return gpu_names()
