"""`python -m benchmarks`: measure how fast this machine makes images."""

from __future__ import annotations

import contextlib
import json
import sys
from pathlib import Path

import click

from blendgen.api import load_spec
from blendgen.cli import run_program
from blendgen.cli.terminal import echo, echo_json, say
from blendgen.errors import ExitCode

_SCENE = "conveyor_phones.yaml"


@click.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--scene", type=click.Path(path_type=Path), help=f"Spec to measure. Default: the demo, {_SCENE}."
)
@click.option(
    "--resolution",
    type=click.IntRange(16, 8192),
    help="Side of the images in pixels. Default: 224, with --quick 64.",
)
@click.option(
    "--samples", type=click.IntRange(1, 4096), help="Samples per pixel. Default: 8, with --quick 2."
)
@click.option(
    "--shots", type=click.IntRange(2, 100_000), help="Timed shots of each run. Default: 16, with --quick 2."
)
@click.option("--quick", is_flag=True, help="One round of a few tiny shots, to see whether it works.")
@click.option(
    "--against",
    type=click.Path(path_type=Path),
    envvar="BLENDGEN_BLENDERPROC",
    help="Compare with BlenderProc in this Python or environment folder.  [env: BLENDGEN_BLENDERPROC]",
)
@click.option(
    "-o", "--output", "folder", type=click.Path(path_type=Path), help="Folder for bench.json and bench.png."
)
@click.option("--page", type=click.Path(path_type=Path), help="Write the table as a Markdown page.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print the report as JSON on stdout instead of the table."
)
@click.option("--check", is_flag=True, help="Exit with code 1 if a threshold is not met.")
def command(scene, resolution, samples, shots, quick, against, folder, page, as_json, check):
    """Measure images per second, stages, the floor that path tracing sets, start-up and memory.

    It takes half an hour and needs the machine to itself. Figures that are compared are measured in turn,
    several times. docs/bench.md explains each figure.
    """
    from benchmarks.bench_page import bench_page
    from benchmarks.measure import measure
    from benchmarks.report import report
    from benchmarks.table import table
    from benchmarks.thresholds import failed
    from blendgen.engine.blender.importing.inventory import measured_inventory
    from blendgen.files.result_file import refuse_others_file, write_result
    from blendgen.system.resources import resource_folder

    results = [] if folder is None else [folder / "bench.json", folder / "bench.png"]
    for path in results + ([] if page is None else [page]):
        refuse_others_file(path)
    scene = scene or resource_folder("scenes") / _SCENE
    plan = _plan(resolution, samples, shots, quick)
    spec_file = load_spec(scene)
    inventory = measured_inventory(spec_file)
    with _versus(against, spec_file.spec, inventory) as versus:
        measurements = measure(plan, scene, spec_file.spec, inventory, say, versus)
    result = report(plan, scene, quick, measurements)
    text = json.dumps(result, indent=2)
    if as_json:
        echo_json(result, indent=2)
    else:
        echo(table(result))
    if folder is not None:
        _write(result, text, folder)
    if page is not None:
        write_result(page, bench_page(result).encode())
    if check and failed(result):
        say(f"not met: {'; '.join(failed(result))}")
        return ExitCode.FAILED
    return ExitCode.OK


def _plan(resolution: int | None, samples: int | None, shots: int | None, quick: bool):
    from dataclasses import replace

    from benchmarks import plan

    standard = plan.QUICK if quick else plan.Variant()
    side = (resolution, resolution) if resolution else standard.resolution
    variant = replace(standard, resolution=side, samples=samples or standard.samples)
    chosen = plan.quick(variant) if quick else plan.Plan(variant)
    return chosen if shots is None else replace(chosen, steady=shots)


def _versus(against: Path | None, spec, inventory):
    from benchmarks.blenderproc import prepared, python_in

    return contextlib.nullcontext() if against is None else prepared(python_in(against), spec, inventory)


def _write(result: dict, text: str, folder: Path) -> None:
    from benchmarks.plot import can_plot, plot
    from blendgen.files.result_file import write_result

    write_result(folder / "bench.json", text.encode() + b"\n")
    if can_plot():
        write_result(folder / "bench.png", plot(result))
    else:
        say("no plot: Matplotlib is missing; pip install 'blendgen[report]'")


if __name__ == "__main__":
    sys.exit(run_program(command, sys.argv[1:], "python -m benchmarks"))
