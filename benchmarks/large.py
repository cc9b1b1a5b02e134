"""`python -m benchmarks.large`: what large frames cost a megapixel, next to small ones of the same shot.

In: cases, each a built-in scene with a small and a large frame. Out: a table of computing time by stage per
megapixel, of path tracing per megapixel and sample, and of the worker's peak memory. The small and the large
frame are measured in turn, each in its own worker, so that the peak is that of one frame.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import click

from benchmarks.plan import STANDARD_RESOLUTION, Variant
from benchmarks.stopwatch import DENOISE
from benchmarks.trace import BUILDING, DEVELOP, DRAW, TRACING, WRITE, Trace, traced, trials
from blendgen import api
from blendgen.cli import run_program
from blendgen.cli.choice import Choice
from blendgen.cli.terminal import echo, say
from blendgen.system.resources import resource_folder
from blendgen.workers.job import Job

_AFTER = (DENOISE, DEVELOP, WRITE)
_SMALL_PAIRS = 5  # of renders: small frames are so fast that one says little


@dataclass(frozen=True)
class Case:
    """A large frame of a built-in scene; changes: of its spec, for both frames."""

    scene: str
    resolution: tuple[int, int]
    products: int
    changes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def small(self) -> tuple[int, int]:
        """A frame of the same shape with about as many pixels as a standard image."""
        width, height = self.resolution
        scale = (STANDARD_RESOLUTION[0] * STANDARD_RESOLUTION[1] / (width * height)) ** 0.5
        return round(width * scale), round(height * scale)


CASES = {
    "tote": Case(
        "tote", (1920, 1200), 40,
        {"container.kind": "tote", "container.width_m": 0.4, "container.length_m": 0.6,
         "container.height_m": 0.2, "placement.visible_fraction": [0.2, 1]},
    ),
    "conveyor": Case("conveyor_phones", (4096, 3072), 1),
}  # fmt: skip


@dataclass(frozen=True)
class Cost:
    """Of one frame size: medians over the rounds; times are computing time per megapixel."""

    resolution: tuple[int, int]
    tracing_s: float  # of one sample
    after_s: float  # denoise, develop, encode and write
    build_s: float  # of the shot: draw, annotate, build, synchronise, labels
    peak_bytes: int


@click.command("large")
@click.option("--case", "names", type=Choice(tuple(CASES)), multiple=True, help="Default: all.")
@click.option("--samples", type=click.IntRange(1), default=2, show_default=True, help="Samples per pixel.")
@click.option("--rounds", type=click.IntRange(1), default=3, show_default=True, help="The median counts.")
def command(names: tuple[str, ...], samples: int, rounds: int) -> None:
    """Compare large frames with small ones of the same shot: time per megapixel, and memory."""
    echo(f"{'case':<10} {'pixels':<12} {'s/MP/sample':>12} {'after s/MP':>11} {'build s':>8} {'peak MB':>8}")
    for name in names or CASES:
        small, large = measure(CASES[name], samples, rounds)
        for one in (small, large):
            echo(line(name, one))
        echo(summary(name, small, large))


def line(name: str, cost: Cost) -> str:
    pixels = "x".join(map(str, cost.resolution))
    return (
        f"{name:<10} {pixels:<12} {cost.tracing_s:>12.2f} {cost.after_s:>11.2f} {cost.build_s:>8.2f} "
        f"{cost.peak_bytes / 2**20:>8.0f}"
    )


def summary(name: str, small: Cost, large: Cost) -> str:
    more_mb = (large.peak_bytes - small.peak_bytes) / 2**20
    more_megapixels = _megapixels(large.resolution) - _megapixels(small.resolution)
    tracing, after = large.tracing_s / small.tracing_s, large.after_s / small.after_s
    return (
        f"{name}: a megapixel of the large frame takes {tracing:.2f} times the path tracing, "
        f"and {after:.2f} times the rest, of a small one; "
        f"{more_mb / more_megapixels:.0f} MB of memory a megapixel"
    )


def measure(case: Case, samples: int, rounds: int) -> tuple[Cost, Cost]:
    """(cost of the small frame, cost of the large one)."""
    pairs = {case.small: _SMALL_PAIRS, case.resolution: 1}
    traces: dict[tuple[int, int], list[Trace]] = {size: [] for size in pairs}
    for number in range(rounds):
        for size, count in pairs.items():
            say(f"round {number + 1} of {rounds}: {case.scene}, {size[0]} x {size[1]} pixels")
            variant = Variant(resolution=size, samples=samples, products=case.products)
            traces[size] += _traced(case, variant, count)
    small, large = map(cost, traces.values())
    return small, large


def cost(traces: list[Trace]) -> Cost:
    """The medians of the same frame in several rounds."""
    variant = traces[0].trial.variant
    megapixels = _megapixels(variant.resolution)

    def computing_s(stages: Iterable[str]) -> float:
        every = [one.stages() for one in traces]
        return median(sum(spent[stage].computing for stage in stages) for spent in every)

    return Cost(
        variant.resolution,
        computing_s([TRACING]) / megapixels / variant.samples,
        computing_s(_AFTER) / megapixels,
        computing_s([DRAW, BUILDING]),
        max(one.peak_bytes for one in traces),
    )


def _traced(case: Case, variant: Variant, pairs: int) -> list[Trace]:
    from blendgen.engine.blender.importing.inventory import measured_inventory

    opened = api.load_spec(resource_folder("scenes") / f"{case.scene}.yaml", dict(case.changes))
    inventory = measured_inventory(opened)
    with tempfile.TemporaryDirectory(prefix="blendgen-bench-") as scratch:
        folder = Path(scratch)
        job = Job(opened.spec, inventory.catalog, inventory.class_table, folder, folder / "blender.log")
        return traced(job, trials(variant, [0], pairs))


def _megapixels(resolution: tuple[int, int]) -> float:
    return resolution[0] * resolution[1] / 1e6


if __name__ == "__main__":
    sys.exit(run_program(command, sys.argv[1:], "python -m benchmarks.large"))
