"""Measurements with known numbers, and their report."""

from __future__ import annotations

from pathlib import Path

from benchmarks import plan
from benchmarks.floor import Sampled
from benchmarks.measure import ONE_CORE, TWO_CORES, Measurements, Setup, setups
from benchmarks.pace import Pace, Run, Stamp
from benchmarks.report import report
from benchmarks.stopwatch import DENOISE, RENDER, Seconds
from benchmarks.trace import DEVELOP, DRAW, WRITE, Trace, trials
from benchmarks.versus import MODES, Round
from blendgen.system.machine import cores

MB = 2**20
ROUNDS = 3
STANDARD = plan.Plan(rounds=ROUNDS)


def run_at(images_per_s: float, exposures: int = 1) -> Run:
    shots_per_s = images_per_s / exposures
    stamps = tuple(Stamp(2 + n / shots_per_s, n * exposures, n / shots_per_s) for n in range(1, 12))
    pace = Pace(1 / shots_per_s, shots_per_s, images_per_s, 0.75)
    return Run(stamps, pace, 60 * MB, (500 * MB, 510 * MB))


def traces(exposures: int) -> list[Trace]:
    """Two shots; 0.4 s of their 0.5 s of rendering are sampling."""
    variant = plan.Variant(exposures=exposures)
    spent = {
        DRAW: Seconds(0.02, 0.02),
        RENDER: Seconds(0.5, 0.9),
        DENOISE: Seconds(0.05, 0.05),
        DEVELOP: Seconds(0.005 * exposures, 0.004 * exposures),
        WRITE: Seconds(0.02 * exposures, 0.006 * exposures),
    }
    return [Trace(trial, exposures, spent, Seconds(0.4, 0.8)) for trial in trials(variant, range(2), 1)]


def measurements(versus: bool = True) -> Measurements:
    count = cores()
    # with one core, the run on all cores is the one on one core
    speeds = {ONE_CORE: 1.25, TWO_CORES: 2.5, Setup(1, count, count): 2.5, Setup(8, count, count): 17.5}
    runs = {s: [run_at(speeds.get(s, 2.0 * s.exposures) * f, s.exposures) for f in (0.9, 1.0, 1.1)]
            for s in setups()}  # fmt: skip
    points = {axis: {1: traces(1), 2: traces(1)} for axis in ("resolution", "samples", "products")}
    shots = [(0.1, 500 * MB + n * MB // 100) for n in range(STANDARD.session + 1)]
    starts = {"python": [0.02] * 3, "help": [0.2, 0.21, 0.22], "first_image": [2.0, 2.1, 2.2]}
    rate = dict(zip(MODES, (2.0, 16.0, 0.5, 1.0, 0.8, 1.5), strict=True))
    rounds = [Round(rate, {"blenderproc": "2.8.0", "blender": "4.2.0"})] * ROUNDS if versus else []
    materials = [Sampled("tote", "all", 0.6, 0.5), Sampled("tabletop", "all", 0.55, 0.5)]
    return Measurements(runs, [traces(1) + traces(8)] * ROUNDS, points, shots, starts, materials, rounds)


def fake_report(versus: bool = True, quick: bool = False) -> dict:
    return report(STANDARD, Path("scene.yaml"), quick, measurements(versus))
