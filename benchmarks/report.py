"""Report: Measurements as plain values for JSON, with the figures that have thresholds.

Its keys are an interface (docs/bench.md). Units are in the keys: ms, s, MB (2**20 bytes). Shares go from 0
to 1. A spread is {"median", "low", "high", "count"} of rounds or of shots.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean, median
from typing import Any

from benchmarks.measure import ONE_CORE, TWO_CORES, Measurements, Setup
from benchmarks.pace import Run, image_s_by_count
from benchmarks.plan import MANY_EXPOSURES, Plan
from benchmarks.spread import Spread, ratio, spread
from benchmarks.stopwatch import DENOISE, Seconds
from benchmarks.thresholds import verdicts
from benchmarks.trace import DEVELOP, STAGES, WRITE, Trace
from benchmarks.versus import MANY, ONE, THEIRS, ratio_of, versus_report
from blendgen import __version__
from blendgen.system.machine import cores
from blendgen.system.wheel import blender_version

_MB = 2**20


def report(plan: Plan, scene: Path, quick: bool, measurements: Measurements) -> dict[str, Any]:
    """The report of one run of the benchmark."""
    count = cores()
    versus = versus_report(measurements.versus)
    result = {
        "schema_version": 1,
        "conditions": _conditions(plan, scene, quick, count),
        "rates": [_rate(setup, runs) for setup, runs in measurements.runs.items()],
        "stages": [_stages(traces, count) for traces in _by_exposures(measurements.traces)],
        "floor": _floor(measurements, count),
        "costs": {axis: _points(points) for axis, points in measurements.points.items()}
        | _by_count(measurements, count),
        "materials": [{**asdict(one), "ratio": one.ratio} for one in measurements.materials],
        "start_up_s": {name: asdict(spread(values)) for name, values in measurements.starts.items()},
        "session": _session(measurements.session),
        "blenderproc": versus,
    }
    result["noise"] = max(
        rate["images_per_s"]["high"] / rate["images_per_s"]["low"] - 1 for rate in result["rates"]
    )
    result["ratios"] = {name: asdict(value) for name, value in _ratios(measurements, count).items()}
    result["figures"] = _figures(result, measurements)
    result["verdicts"] = verdicts(result)
    return result


def _conditions(plan: Plan, scene: Path, quick: bool, count: int) -> dict[str, Any]:
    return {
        "blendgen": __version__,
        "blender": blender_version(),
        "python": platform.python_version(),
        "date": datetime.now(UTC).date().isoformat(),
        "machine": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "cores": count,
        "scene": scene.name,
        "resolution": list(plan.variant.resolution),
        "samples": plan.variant.samples,
        "shots": plan.steady,
        "rounds": plan.rounds,
        "session_shots": plan.session,
        "quick": quick,
    }


def _processor() -> str:
    """Its name, or its kind where the system does not say more."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, "") or platform.processor() or platform.machine()


def _rate(setup: Setup, runs: list[Run]) -> dict[str, Any]:
    busy = [run.pace.busy for run in runs if run.pace.busy is not None]
    peaks = [sorted(run.worker_peaks_bytes, reverse=True) for run in runs]
    return {
        **asdict(setup),
        "images_per_s": _spread(runs, lambda run: run.pace.images_per_s),
        "shots_per_s": _spread(runs, lambda run: run.pace.shots_per_s),
        "idle": 1 - median(busy) if busy else None,
        "parent_peak_mb": max(run.parent_peak_bytes for run in runs) / _MB,
        "worker_peaks_mb": [max(peak) / _MB for peak in zip(*peaks, strict=False)],
    }


def _by_exposures(rounds: list[list[Trace]]) -> list[list[Trace]]:
    flat = [trace for traces in rounds for trace in traces]
    kinds = dict.fromkeys(trace.trial.variant.exposures for trace in flat)
    return [[trace for trace in flat if trace.trial.variant.exposures == kind] for kind in kinds]


def _stages(traces: list[Trace], count: int) -> dict[str, Any]:
    """Sums over the shots; the part of the cores' time that is in no stage is idle."""
    images = sum(trace.images for trace in traces)
    total = sum((trace.total for trace in traces), Seconds())
    rows = {}
    for name in STAGES:
        spent = sum((trace.stages()[name] for trace in traces), Seconds())
        rows[name] = {
            "wall_ms_per_image": 1000 * spent.wall / images,
            "core_ms_per_image": 1000 * spent.computing / images,
            "share_of_wall": spent.wall / total.wall,
            "share_of_cores": spent.computing / (count * total.wall),
        }
    return {
        "exposures": traces[0].trial.variant.exposures,
        "images": images,
        "wall_ms_per_image": 1000 * total.wall / images,
        "stages": rows,
        "idle_share_of_cores": 1 - sum(row["share_of_cores"] for row in rows.values()),
    }


def floor_s(traces: Sequence[Trace]) -> float:
    """Mean wall time in seconds for which Cycles samples a shot on all cores."""
    return fmean(trace.sampling.wall for trace in traces if trace.sampling is not None)


def _floors_s(measurements: Measurements) -> list[float]:
    """The floor of each round, from its shots with one exposure."""
    return [floor_s([t for t in traces if t.trial.variant.exposures == 1]) for traces in measurements.traces]


def _floor(measurements: Measurements, count: int) -> dict[str, Any]:
    few = [t for traces in measurements.traces for t in traces if t.trial.variant.exposures == 1]
    walls_s = [run.pace.shot_s for run in measurements.runs[Setup(1, count, count)]]
    return {
        "sampling_ms_per_shot": asdict(spread([1000 * s for s in _floors_s(measurements)])),
        "sampling_core_ms_per_shot": 1000 * fmean(t.sampling.computing for t in few),
        "wall_ms_per_shot": asdict(spread([1000 * s for s in walls_s])),
    }


def _points(points: dict[int, list[Trace]]) -> list[dict[str, Any]]:
    return [
        {"value": value, "image_ms": _spread(traces, lambda t: 1000 * t.total.wall / t.images)}
        for value, traces in points.items()
    ]


def _by_count(measurements: Measurements, count: int) -> dict[str, Any]:
    """Cost of an image by the number of images, loading included, with the default number of workers."""
    curves = [image_s_by_count(run.stamps) for run in measurements.runs[Setup(1, count, count)]]
    shared = [n for n in curves[0] if all(n in curve for curve in curves)]
    return {
        "images": [
            {"value": n, "image_ms": asdict(spread([1000 * curve[n] for curve in curves]))} for n in shared
        ]
    }


def _session(shots: list[tuple[float, int]]) -> dict[str, Any]:
    """Memory compared with the shot before the first; time of the last quarter compared with the first."""
    seconds, held = [s for s, _ in shots[1:]], [b for _, b in shots]
    quarter = max(1, len(seconds) // 4)
    return {
        "shots": len(seconds),
        "memory_growth_mb": (held[-1] - held[0]) / _MB,
        "memory_mb": held[-1] / _MB,
        "shot_ms": 1000 * median(seconds),
        "last_to_first_quarter": median(seconds[-quarter:]) / median(seconds[:quarter]),
    }


def _ratios(measurements: Measurements, count: int) -> dict[str, Spread]:
    """Ratios, each taken within its round."""
    images, shots_s = _by_round(measurements, "images_per_s"), _by_round(measurements, "shot_s")
    few, many = Setup(1, count, count), Setup(MANY_EXPOSURES, count, count)
    floors_s = _floors_s(measurements)
    ratios = {
        "exposures_8_to_1": ratio(images[many], images[few]),
        "all_workers_to_one": ratio(images[few], images[Setup(1, 1, count)]),
    }
    if all(floors_s):  # with few samples the noise may hide it
        ratios["wall_to_floor"] = ratio(shots_s[few], floors_s)
    if TWO_CORES in images:
        ratios["two_cores_to_one"] = ratio(images[TWO_CORES], images[ONE_CORE])
    return ratios


def _by_round(measurements: Measurements, what: str) -> dict[Setup, list[float]]:
    return {setup: [getattr(run.pace, what) for run in runs] for setup, runs in measurements.runs.items()}


def _figures(result: dict[str, Any], measurements: Measurements) -> dict[str, float | None]:
    """One number each; None if it could not be measured."""
    many = [
        t for traces in measurements.traces for t in traces if t.trial.variant.exposures == MANY_EXPOSURES
    ]
    stages = [(trace.stages(), trace.images) for trace in many]
    finishing_s = [(spent[DEVELOP] + spent[WRITE]).computing / images for spent, images in stages]
    developing_s = [(spent[DENOISE] + spent[DEVELOP]).computing / images for spent, images in stages]
    compared = (result["blenderproc"] or {"ratios": {}})["ratios"]
    judged = [ratio_of(ours, theirs) for ours in (ONE, MANY) for theirs in THEIRS]
    names = ("exposures_8_to_1", "wall_to_floor", "two_cores_to_one")
    return {
        **{name: result["ratios"].get(name, {}).get("median") for name in names},
        "develop_encode_ms": 1000 * median(finishing_s),
        "denoise_develop_ms": 1000 * median(developing_s),
        "materials_to_plain": max((one.ratio for one in measurements.materials), default=None),
        **{name: compared.get(name, {}).get("median") for name in judged},
        "first_image_s": result["start_up_s"]["first_image"]["median"],
        "help_s": result["start_up_s"]["help"]["median"],
        "session_growth_mb": result["session"]["memory_growth_mb"],
        "session_slowdown": result["session"]["last_to_first_quarter"],
    }


def _spread(items: Sequence, of: Callable[[Any], float]) -> dict[str, float]:
    return asdict(spread([of(item) for item in items]))
