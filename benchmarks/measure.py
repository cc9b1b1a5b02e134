"""Measure: the rounds of the benchmark, in which all that is compared is measured in turn.

In: a Plan, the spec of the scene and its inventory. Out: Measurements, plain lists in the order of
the rounds. Nothing is judged here.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from benchmarks import start_up
from benchmarks.blenderproc import Versus
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
    """One way of making images: workers on some of the cores."""

    exposures: int
    workers: int
    cores: int


@dataclass
class Measurements:
    """runs, traces, versus: by round; points: by what varies and its value; seconds of starts"""

    runs: dict[Setup, list[Run]] = field(default_factory=dict)
    traces: list[list[Trace]] = field(default_factory=list)
    points: dict[str, dict[int, list[Trace]]] = field(default_factory=dict)
    session: list[tuple[float, int]] = field(default_factory=list)
    starts: dict[str, list[float]] = field(default_factory=dict)
    versus: list[Round] = field(default_factory=list)


def setups() -> list[Setup]:
    """One worker and one a core, with few and many exposures; and one and two cores apart."""
    count = cores()
    found = [Setup(exposures, n, count) for exposures in (1, MANY_EXPOSURES) for n in (1, count)]
    return list(dict.fromkeys([*found, ONE_CORE, *([TWO_CORES] if count > 1 else [])]))


ONE_CORE, TWO_CORES = Setup(1, 1, 1), Setup(1, 2, 2)


def measure(
    plan: Plan,
    scene: Path,
    spec: Spec,
    inventory: Inventory,
    say: Callable[[str], None],
    versus: Versus | None = None,
) -> Measurements:
    """raises: BlendgenError; Interrupted after a signal"""
    found = Measurements(runs={setup: [] for setup in setups()})
    for number in range(plan.rounds):
        say(f"round {number + 1} of {plan.rounds}: runs")
        for setup in found.runs:
            found.runs[setup].append(_run(plan, setup, spec, inventory))
        say(f"round {number + 1} of {plan.rounds}: shots taken apart")
        found.traces.append(_traced(plan, number, spec, inventory))
        if versus is not None:
            say(f"round {number + 1} of {plan.rounds}: BlenderProc")
            found.versus.append(versus.round(plan))
    say("cost of an image: resolution, samples, products")
    found.points = _points(plan, spec, inventory)
    say(f"a session of {plan.session} shots")
    found.session = _session(plan, spec, inventory)
    say("start-up")
    found.starts = _starts(plan, scene)
    return found


def _run(plan: Plan, setup: Setup, spec: Spec, inventory: Inventory) -> Run:
    variant = replace(plan.variant, exposures=setup.exposures)
    with on_cores(setup.cores):
        return run(spec_of(spec, variant), inventory, plan.steady, setup.workers)


def _traced(plan: Plan, number: int, spec: Spec, inventory: Inventory) -> list[Trace]:
    """Shots spread over those that runs time, others in each round; with one exposure and with many."""
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
    """The same shots at each point, the points in turn."""
    variants = {
        "resolution": {side: replace(plan.variant, resolution=(side, side)) for side in plan.sides},
        "samples": {count: replace(plan.variant, samples=count) for count in plan.sample_counts},
        "products": {count: replace(plan.variant, products=count) for count in plan.product_counts},
    }
    flat = [(axis, value, v) for axis, points in variants.items() for value, v in points.items()]
    tasks = [trial for shot in range(plan.traced) for _, _, v in flat for trial in trials(v, [shot])]
    with _job(spec, inventory) as job:
        answers = iter(traced(job, tasks))
    found: dict[str, dict[int, list[Trace]]] = {}
    for _ in range(plan.traced):
        for axis, value, _ in flat:
            found.setdefault(axis, {}).setdefault(value, []).append(next(answers))
    return found


def _session(plan: Plan, spec: Spec, inventory: Inventory) -> list[tuple[float, int]]:
    """Small images: what leaks is the scene, not the pixels. The warm-up, which loads every asset, is
    left out but for its last shot, from which memory counts."""
    small = Variant(resolution=(_SESSION_SIDE_PX, _SESSION_SIDE_PX), samples=_SESSION_SAMPLES)
    tasks = [Task(shot, (shot,)) for shot in range(plan.warm_up + plan.session)]
    with _job(spec_of(spec, small), inventory) as job:
        return session(job, tasks)[plan.warm_up - 1 :]


def _starts(plan: Plan, scene: Path) -> dict[str, list[float]]:
    start_up.first_image_s(scene, plan.variant)  # what a first run leaves in the caches
    found: dict[str, list[float]] = {"python": [], "help": [], "first_image": []}
    for _ in range(plan.starts):
        found["python"].append(start_up.python_s())
        found["help"].append(start_up.help_s())
        found["first_image"].append(start_up.first_image_s(scene, plan.variant))
    return found


@contextmanager
def _job(spec: Spec, inventory: Inventory) -> Iterator[Job]:
    with tempfile.TemporaryDirectory(prefix="blendgen-bench-") as scratch:
        folder = Path(scratch)
        yield Job(spec, inventory.catalog, inventory.class_table, folder, folder / "blender.log")
