"""BlenderProc: the same shots, made by BlenderProc in its own Python with its own Blender.

In: the Python that has BlenderProc, a spec and its inventory. blendgen samples the shots and passes them on
as numbers (meshes as GLB, poses, lamps, cameras). blenderproc_scene.py renders them as a user of
BlenderProc would. Both use one process and all cores. The surface is matte paper, which both have, with one
product per image.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.pace import run
from benchmarks.plan import MANY_EXPOSURES, Plan, spec_of
from benchmarks.versus import CALL_BY_CALL, KEY_FRAMES, MANY, ONE, THEIRS, TUNED, Round
from blendgen.draw.shot import draw_exposures, draw_shot
from blendgen.engine.base import lamp_area_m2, lamp_radiance
from blendgen.errors import BlendgenError, Interrupted, SetupError
from blendgen.geometry.projection import inverse_rigid
from blendgen.models.inventory import Inventory
from blendgen.pipeline import Task
from blendgen.scene.kinds.environments import ENVIRONMENTS
from blendgen.scene.kinds.lamps import LAMP_KINDS
from blendgen.scene.shot import ENVIRONMENT_GROUP, Exposure, Lamp, Shot, lamp_group
from blendgen.spec.distributions import Constant
from blendgen.spec.model import Spec
from blendgen.system.machine import cores
from blendgen.system.wheel import environment_image
from blendgen.workers.job import Job
from blendgen.workers.pool import run_tasks
from blendgen.workers.spawn import Steps
from blendgen.workers.stop_signal import StopSignal
from blendgen.workers.worker import run_step, worker_job

_SCRIPT = Path(__file__).with_name("blenderproc_scene.py")
_WARM_UP = 3
_SMALL_MAP_PX = 512  # as in engine/blender/session/lights.py
_LONGEST_S = 3600
# camera of OpenCV, which looks along +Z with Y down -> camera of OpenGL, which BlenderProc expects
_FLIP = np.diag([1.0, -1.0, -1.0, 1.0])


@dataclass(frozen=True)
class Versus:
    """A comparison. python: that of BlenderProc; folder: temporary, for the meshes"""

    python: Path
    folder: Path
    spec: Spec
    inventory: Inventory

    def round(self, plan: Plan) -> Round:
        """Run both programs in turn; raises BlendgenError if BlenderProc fails."""
        few = spec_of(self.spec, replace(plan.variant, products=1))
        many = spec_of(self.spec, replace(plan.variant, products=1, exposures=MANY_EXPOSURES))
        images_per_s = {ONE: run(few, self.inventory, plan.steady, 1).pace.images_per_s}
        images_per_s[MANY] = run(many, self.inventory, plan.steady, 1).pace.images_per_s
        theirs = {mode: self._theirs(few, plan, mode) for mode in THEIRS}
        images_per_s |= {mode: result["images_per_s"] for mode, result in theirs.items()}
        return Round(images_per_s, theirs[CALL_BY_CALL]["versions"])

    def _theirs(self, spec: Spec, plan: Plan, mode: str) -> dict[str, Any]:
        with tempfile.TemporaryDirectory(prefix="blenderproc-", dir=self.folder) as scratch:
            order = self.order(spec, _WARM_UP + plan.steady) | {
                "key_frames": mode.startswith(KEY_FRAMES),
                "importance_map_px": _SMALL_MAP_PX if mode.endswith(TUNED) else None,
                "out": scratch,
            }
            order_file, result_file = Path(scratch) / "order.json", Path(scratch) / "result.json"
            order_file.write_text(json.dumps(order))
            # a copy: Python would import the modules in the folder of the script
            script = Path(shutil.copy(_SCRIPT, scratch))
            _called(self.python, str(script), str(order_file), str(result_file))
            return json.loads(result_file.read_text())

    def order(self, spec: Spec, images: int) -> dict[str, Any]:
        """The input of blenderproc_scene.py, as plain values."""
        catalog, class_table = self.inventory.catalog, self.inventory.class_table
        shots = [draw_shot(spec, catalog, class_table, i, 0) for i in range(images)]
        return {
            "resolution": list(spec.resolution),
            "samples": spec.render.samples_per_pixel,
            "threads": cores(),
            "warm_up": _WARM_UP,
            "meshes": {product.name: str(_glb(self.folder, product.name)) for product in catalog.products},
            "frames": [_frame(shot, draw_exposures(spec, shot, (shot.index,))[0]) for shot in shots],
        }


@contextmanager
def prepared(python: Path, spec: Spec, inventory: Inventory) -> Iterator[Versus]:
    """Write the meshes; raises BlendgenError if BlenderProc is missing."""
    _called(
        python, "-c", "import importlib.util as u; assert u.find_spec('blenderproc') and u.find_spec('bpy')"
    )
    spec = _comparable(spec)
    with tempfile.TemporaryDirectory(prefix="blendgen-bench-") as scratch:
        folder = Path(scratch)
        job = Job(spec, inventory.catalog, inventory.class_table, folder, folder / "blender.log")
        with StopSignal() as stop:
            list(run_tasks(job, [Task(0, (0,))], stop, steps=Steps(export_meshes)))
        if stop.signum is not None:
            raise Interrupted(stop.signum, "stopped; nothing was measured")
        yield Versus(python, folder, spec, inventory)


def python_in(place: Path) -> Path:
    """The interpreter at a path, or in a virtual environment there; raises SetupError if there is none."""
    if place.is_file():
        return place.absolute()
    for name in ("bin/python", "Scripts/python.exe", "python.exe"):
        if (place / name).is_file():
            return (place / name).absolute()
    raise SetupError(f"--against {place}: there is no Python; name the one that has blenderproc and bpy")


def export_meshes(task: Task) -> int:
    """Write the meshes, in a worker process; returns their number."""
    return run_step(task, lambda: _export_meshes(task))


def _export_meshes(task: Task) -> int:
    from blendgen.engine.blender.session.interchange import write_glb

    job = worker_job()
    for product in job.catalog.products:
        write_glb(product, _glb(job.folder, product.name))
    return len(job.catalog.products)


def _glb(folder: Path, name: str) -> Path:
    return folder / f"{name.replace('/', '_')}.glb"


def _comparable(spec: Spec) -> Spec:
    changes = {
        "surface": spec.surface.model_copy(update={"kind": Constant("paper")}),
        "output": spec.output.model_copy(update={"masks": True, "depth": "exr"}),
        **dict.fromkeys(("distractors", "occluders", "container", "backdrop")),
    }
    return spec.model_copy(update=changes)


def _frame(shot: Shot, exposure: Exposure) -> dict[str, Any]:
    (placed,) = shot.products
    gain = float(np.mean(exposure.group_gain[ENVIRONMENT_GROUP])) * exposure.camera_gain
    return {
        "camera_to_world": (inverse_rigid(shot.camera.world_to_camera) @ _FLIP).tolist(),
        "intrinsics": np.array(shot.camera.intrinsics).tolist(),
        "mesh": placed.product,
        "object_to_world": np.array(placed.object_to_world).tolist(),
        "lamps": [
            _lamp(lamp, i, exposure)
            for i, lamp in enumerate(shot.lamps)
            if not LAMP_KINDS[lamp.kind].sunlight
        ],
        "environment": {
            "image": _panorama(shot.environment.image),
            "strength": gain,
            "rotation_rad": math.radians(shot.environment.rotation_deg),
        },
    }


def _lamp(lamp: Lamp, number: int, exposure: Exposure) -> dict[str, Any]:
    gain = np.array(exposure.group_gain[lamp_group(number)]) * exposure.camera_gain
    strength = float(gain.max()) or 1.0
    return {
        "lamp_to_world": np.array(lamp.lamp_to_world).tolist(),
        "size_m": list(lamp.size_m),
        "power_w": strength * lamp_radiance(lamp) * math.pi * lamp_area_m2(lamp),
        "color_linear": (gain / strength).tolist(),
    }


def _panorama(name: str) -> str | None:
    """The path of a panorama that comes with Blender; None for others, which become an even background."""
    kind = ENVIRONMENTS.get(name)
    return str(environment_image(kind.panorama)) if kind and kind.panorama else None


def _called(python: Path, *arguments: str) -> None:
    command = [str(python), *arguments]
    own = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_LONGEST_S, errors="replace", env=own
        )
    except subprocess.TimeoutExpired:
        raise BlendgenError(f"BlenderProc in {python} did not end within {_LONGEST_S:g} s") from None
    if done.returncode:
        last = "\n".join((done.stderr or done.stdout).strip().splitlines()[-5:])
        what = f"BlenderProc in {python} failed (exit code {done.returncode})"
        raise BlendgenError(f"{what}; see docs/bench.md for what it needs:\n{last}")
