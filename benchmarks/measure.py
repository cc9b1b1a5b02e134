"""Measure: the rounds of the benchmark. Figures that are compared are measured in turn within a round.

In: a Plan, the spec of the scene and its inventory. Out: Measurements, plain lists in the order of the
rounds. Thresholds are applied elsewhere.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from benchmarks import start_up
from benchmarks.blenderproc import Versus
from benchmarks.floor import Sampled, sampled_apart
from benchmarks.pace import Run, first_timed, on_cores, run
from benchmarks.plan import MANY_EXPOSURES, Plan, Variant, spec_of
from benchmarks.trace import Trace, session, traced, trials
from benchmarks.versus import Round
from blendgen.models.inventory import Inventory
from blendgen.pipeline import Task
from blendgen.spec.model import Spec
from blendgen.system.machine import cores
from blendgen.workers.job import Job

_SESSION_SIDE_PX, _SESSION_SAMPLES = 64, 4


@dataclass(frozen=True)
class Setup:
    """Workers on some of the cores."""

    exposures: int
    workers: int
    cores: int


@dataclass
class Measurements:
    """Results in the order of the rounds.

    points: by the axis that varies and its value; session: (seconds, bytes) of each shot; starts: seconds
    materials: of each built-in scene, the mean of its shots
    """

    runs: dict[Setup, list[Run]] = field(default_factory=dict)
    traces: list[list[Trace]] = field(default_factory=list)
    points: dict[str, dict[int, list[Trace]]] = field(default_factory=dict)
    session: list[tuple[float, int]] = field(default_factory=list)
    starts: dict[str, list[float]] = field(default_factory=dict)
    materials: list[Sampled] = field(default_factory=list)
    versus: list[Round] = field(default_factory=list)


def setups() -> list[Setup]:
    """One worker, and one per core, with 1 and with many exposures; one and two workers on as many cores."""
    count = cores()
    on_all_cores = [Setup(exposures, n, count) for exposures in (1, MANY_EXPOSURES) for n in (1, count)]
    return list(dict.fromkeys([*on_all_cores, ONE_CORE, *([TWO_CORES] if count > 1 else [])]))


ONE_CORE, TWO_CORES = Setup(1, 1, 1), Setup(1, 2, 2)


def measure(
    plan: Plan,
    scene: Path,
    spec: Spec,
    inventory: Inventory,
    say: Callable[[str], None],
    versus: Versus | None = None,
) -> Measurements:
    """Run the whole plan; say: prints progress. raises: BlendgenError; Interrupted after a signal"""
    measurements = Measurements(runs={setup: [] for setup in setups()})
    for number in range(plan.rounds):
        say(f"round {number + 1} of {plan.rounds}: runs")
        for setup in measurements.runs:
            measurements.runs[setup].append(_run(plan, setup, spec, inventory))
        say(f"round {number + 1} of {plan.rounds}: stages")
        measurements.traces.append(_traced(plan, number, spec, inventory))
        if versus is not None:
            say(f"round {number + 1} of {plan.rounds}: BlenderProc")
            measurements.versus.append(versus.round(plan))
    say("cost of an image: resolution, samples, products")
    measurements.points = _points(plan, spec, inventory)
    for scene_name in plan.scenes:
        say(f"materials of {scene_name}")
        measurements.materials.append(sampled_apart(scene_name, plan.scene_shots, plan.rounds))
    say(f"a session of {plan.session} shots")
    measurements.session = _session(plan, spec, inventory)
    say("start-up")
    measurements.starts = _starts(plan, scene)
    return measurements


def _run(plan: Plan, setup: Setup, spec: Spec, inventory: Inventory) -> Run:
    variant = replace(plan.variant, exposures=setup.exposures)
    with on_cores(setup.cores):
        return run(spec_of(spec, variant), inventory, plan.steady, setup.workers)


def _traced(plan: Plan, number: int, spec: Spec, inventory: Inventory) -> list[Trace]:
    """Some of the shots that runs time, different ones in each round; with one exposure and with many."""
    stride = max(1, plan.steady // plan.traced)
    first = first_timed(cores()) + number % stride
    shots = range(first, first + stride * plan.traced, stride)
    few, many = plan.variant, replace(plan.variant, exposures=MANY_EXPOSURES)
    tasks = [
        trial for shot in shots for variant in (few, many) for trial in trials(variant, [shot], plan.pairs)
    ]
    with _job(spec, inventory) as job:
        return traced(job, tasks)


def _points(plan: Plan, spec: Spec, inventory: Inventory) -> dict[str, dict[int, list[Trace]]]:
    """The same shots for each value of each axis, in turn."""
    variants = {
        "resolution": {side: replace(plan.variant, resolution=(side, side)) for side in plan.sides},
        "samples": {count: replace(plan.variant, samples=count) for count in plan.sample_counts},
        "products": {count: replace(plan.variant, products=count) for count in plan.product_counts},
    }
    flat = [(axis, value, v) for axis, values in variants.items() for value, v in values.items()]
    tasks = [trial for shot in range(plan.traced) for _, _, v in flat for trial in trials(v, [shot])]
    with _job(spec, inventory) as job:
        traces = iter(traced(job, tasks))
    points: dict[str, dict[int, list[Trace]]] = {}
    for _ in range(plan.traced):
        for axis, value, _ in flat:
            points.setdefault(axis, {}).setdefault(value, []).append(next(traces))
    return points


def _session(plan: Plan, spec: Spec, inventory: Inventory) -> list[tuple[float, int]]:
    """Small images, because leaks are in the scene, not in the pixels.

    The warm-up, which loads every asset, is left out, except for its last shot: memory is compared with it.
    """
    small = Variant(resolution=(_SESSION_SIDE_PX, _SESSION_SIDE_PX), samples=_SESSION_SAMPLES)
    tasks = [Task(shot, (shot,)) for shot in range(plan.warm_up + plan.session)]
    with _job(spec_of(spec, small), inventory) as job:
        return session(job, tasks)[plan.warm_up - 1 :]


def _starts(plan: Plan, scene: Path) -> dict[str, list[float]]:
    start_up.first_image_s(scene, plan.variant)  # fills the caches
    seconds: dict[str, list[float]] = {"python": [], "help": [], "first_image": []}
    for _ in range(plan.starts):
        seconds["python"].append(start_up.python_s())
        seconds["help"].append(start_up.help_s())
        seconds["first_image"].append(start_up.first_image_s(scene, plan.variant))
    return seconds


@contextmanager
def _job(spec: Spec, inventory: Inventory) -> Iterator[Job]:
    with tempfile.TemporaryDirectory(prefix="blendgen-bench-") as scratch:
        folder = Path(scratch)
        yield Job(spec, inventory.catalog, inventory.class_table, folder, folder / "blender.log")
