"""The scenes of the audit, and the Findings of one of them.

Small images of each scene as it is, with things hanging before the camera, with products cut by the
border, and through a distorting lens; where there are models to import ($BLENDGEN_TEST_MODELS, or
shared/data next to the checkout), of sets of those too. Images are checked where they are made.
"""

from __future__ import annotations

import itertools
import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np

from blendgen.api import load_spec
from blendgen.cli.options import overrides as parsed_overrides
from blendgen.dataset.record import dataset_record
from blendgen.dataset.rows import parse_row, row_line
from blendgen.engine.blender.importing.inventory import measured_inventory
from blendgen.errors import BlendgenError, GeometryError
from blendgen.models.inventory import Inventory
from blendgen.pipeline import Task, tasks_for
from blendgen.spec.load import SpecFile
from blendgen.verification.ray_check import checker_for
from blendgen.verification.rays.findings import Findings, total
from blendgen.verification.rays.row_check import Checker
from blendgen.workers.job import Job
from blendgen.workers.pool import StopSignal, run_tasks
from blendgen.workers.spawn import Steps
from blendgen.workers.worker import render, run_step, worker_job, worker_pipeline, write

REPOSITORY = Path(__file__).resolve().parents[2]
WORKERS = 2
SMALL = (
    "resolution=[128,128]",
    "output.depth=true",
    "output.truncation=true",
    "images=1000000",
    "exposures_per_shot=1",
    "sensor=ideal",
    "render={samples_per_pixel: 1, max_bounces: 0, denoise: false}",
)
OCCLUDED = (
    "occluders.catalog=occluders",
    "occluders.count={integers: [1, 2]}",
    "occluders.visible_fraction={uniform: [0.15, 0.95]}",
)
DISTORTED = (
    "camera.distortion.k1={uniform: [-0.15, 0.1]}",
    "camera.distortion.k2={uniform: [0, 0.04]}",
    "camera.distortion.p1={uniform: [-0.01, 0.01]}",
    "camera.focal_length_mm={uniform: [28, 50]}",
)
MANY = ("products_per_image={integers: [1, 4]}",)
# so near that one or two phones, or a pile of them, are truncated
NEAR_M, NEAR_HEAP_M = (0.3, 0.5), (0.35, 0.6)
# folders of test models: those small enough to be hidden by a hand, and the distance for truncation
SHOE_AND_BOTTLE = ["*/MaterialsVariantsShoe.gltf", "*/WaterBottle.gltf"]
SETS = {
    "lego20": (None, (0.12, 0.2)),
    "models/gltf": (SHOE_AND_BOTTLE, (0.8, 1.2)),
    "models/ycb": (None, (0.6, 0.9)),
}


@dataclass(frozen=True)
class Variant:
    """A scene with overrides."""

    name: str
    scene: Path
    overrides: tuple[str, ...] = ()


def variants() -> list[Variant]:
    """Every scene in four variants, and imported models if there are any."""
    scenes = [path for path in sorted((REPOSITORY / "scenes").glob("*.yaml")) if path.stem != "my_models"]
    return [*itertools.chain(*(four_variants(path.stem, path) for path in scenes)), *imported()]


def four_variants(name: str, scene: Path, own=(), small=None, near_m=NEAR_M) -> list[Variant]:
    """own: overrides of all variants; small: overrides instead for occluded and truncated products"""
    heap = name == "tote"
    low, high = NEAR_HEAP_M if heap else near_m
    lens = "elevation_deg: {uniform: [60, 90]}, focal_length_mm: {uniform: [50, 80]}"
    cut = (f"camera={{distance_m: {{uniform: [{low}, {high}]}}, {lens}}}",)
    small, many = own if small is None else small, () if heap else MANY
    return [
        Variant(name, scene, own),
        Variant(f"{name}, occluded", scene, (*small, *many, *OCCLUDED)),
        Variant(f"{name}, cut", scene, (*small, *many, *cut)),
        Variant(f"{name}, distorted", scene, (*own, *many, *DISTORTED)),
    ]


def imported() -> Iterator[Variant]:
    folder = Path(os.environ.get("BLENDGEN_TEST_MODELS", REPOSITORY.parent / "shared" / "data"))
    scene = REPOSITORY / "scenes" / "my_models.yaml"
    for name, (small, near_m) in SETS.items():
        if (folder / name).is_dir():
            whole = {"directory": str(folder / name), "names": "path"}
            own, few = ((f"products=[{json.dumps(one)}]",) for one in (whole, whole | {"models": small}))
            yield from four_variants(Path(name).name, scene, own, few if small else None, near_m)


def opened(variant: Variant, seed: int) -> tuple[SpecFile, Inventory]:
    """The spec and the products of a variant, with keypoints if the products have any."""
    overrides = (*SMALL, *variant.overrides)
    spec_file = load_spec(variant.scene, parsed_overrides(overrides, seed, None))
    inventory = measured_inventory(spec_file)
    if any(product.keypoints for product in inventory.catalog.products):
        spec_file = load_spec(spec_file, {"output.keypoints": True})
    return spec_file, inventory


def audited(variant: Variant, products: int, seed: int) -> Findings:
    """Findings of as many images of a variant as are needed to show `products` products.

    An image that cannot be made is a fault and ends the variant: all others may fail too.
    """
    spec_file, inventory = opened(variant, seed)
    findings, indices = Findings(), itertools.count()
    with tempfile.TemporaryDirectory(prefix="blendgen-audit-") as scratch, StopSignal() as stop:
        folder, log = Path(scratch) / "set", Path(scratch) / "log"
        job = Job(spec_file.spec, inventory.catalog, inventory.class_table, folder, log, threads=1)
        while findings.products < products and not stop.count:
            expected = (
                findings.products / findings.rows
                if findings.rows
                else np.mean(job.spec.products_per_image.support())
            )
            images = itertools.islice(indices, max(2, round((products - findings.products) / expected)))
            try:
                tasks = tasks_for(job.spec, images)
                for index, one in run_tasks(job, tasks, stop, WORKERS, steps=Steps(made_and_checked)):
                    place = f"{variant.name}, seed {seed}, index {index}: "
                    findings = total(
                        [findings, replace(one, faults=tuple(place + what for what in one.faults))]
                    )
            except BlendgenError as error:  # the other scenes are still checked
                return total([findings, Findings(faults=(f"{variant.name}, seed {seed}: {error}",))])
    return findings


def made_and_checked(task: Task) -> tuple[int, Findings]:
    """(index, Findings) of an image from its written row and files; runs in a worker process.

    raises: GeometryError for an image that cannot be made
    """
    made = write(render(task))
    for failure in made.failures:
        raise GeometryError(f"index {failure.index}: cannot be made: {failure.message}")
    (row,) = made.rows
    return row.index, run_step(task, lambda: checker().check(parse_row(row_line(row).encode())))


@cache
def checker() -> Checker:
    """The checker of this process, with the engine of the pipeline, since Blender has only one."""
    job = worker_job()
    record = dataset_record(job.spec, Inventory(job.catalog, job.class_table))
    return checker_for(job, worker_pipeline().engine, record)
