"""Self-test: load Blender in a worker process and render one small image, as a real run does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from blendgen.engine.base import EngineError
from blendgen.engine.blender.importing.measurer import BlenderMeasurer
from blendgen.errors import SetupError
from blendgen.files.scratch import scratch_folder
from blendgen.models.inventory import load_inventory
from blendgen.pipeline import Task
from blendgen.spec.load import check_spec
from blendgen.spec.yaml_source import Document
from blendgen.workers.gpu_probe import probe_gpus
from blendgen.workers.job import Job
from blendgen.workers.pool import run_tasks
from blendgen.workers.stop_signal import StopSignal

_SPEC = {
    "blendgen": 1,
    "name": "self-test",
    "products": [{"catalog": "shapes"}],
    "render": "smoke",
    "sensor": "ideal",
}


def self_test() -> dict[str, Any]:
    """{"blender", "kernel", "gpus", "smoke_render"}; raises SetupError with the fix, or EngineError."""
    with scratch_folder("doctor") as folder:
        identity = _smoke_render(folder)
        return {
            "blender": identity["version"],
            "kernel": identity["kernel"],
            "gpus": _gpus(),
            "smoke_render": "ok",
        }


def _smoke_render(folder: Path) -> dict[str, str]:
    spec_file = check_spec(Document("self-test", _SPEC, {}), folder)
    inventory = load_inventory(spec_file, BlenderMeasurer())
    job = Job(spec_file.spec, inventory.catalog, inventory.class_table, folder, folder / "blender.log")
    with StopSignal() as stop:
        for made in run_tasks(job, [Task(0, (0,))], stop):
            if made.failures:
                raise EngineError(made.failures[0].message)
            return made.identity
    raise EngineError("the smoke render was stopped")


def _gpus() -> list[str]:
    """Names of the GPUs that Cycles can use here, in the order of --device."""
    try:
        return [str(device) for device in probe_gpus()]
    except SetupError as error:
        return [str(error)]
