"""blendgen verify: a data set checked file by file and row by row."""

from __future__ import annotations

import itertools
from pathlib import Path

import click

from blendgen.cli.options import workers_option
from blendgen.cli.progress import Progress
from blendgen.cli.terminal import echo, echo_json, say
from blendgen.errors import ExitCode


@click.command("verify")
@click.argument("folder", type=click.Path(path_type=Path), metavar="OUT")
@click.option(
    "--ray-check",
    "ray_checks",
    type=click.IntRange(min=1),
    metavar="N",
    help="Also cast rays through the scenes of N images and compare them with the labels.",
)
@click.option(
    "--rerender",
    "rerenders",
    type=click.IntRange(min=1),
    metavar="N",
    help="Also render N images again and compare every byte.",
)
@workers_option
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON on stdout.")
def command(folder, ray_checks, rerenders, workers, as_json):
    """Check every file and every row of the data set in OUT.

    Files against their sha256, boxes and areas against the masks, labels against the drawn shots,
    poses against the boxes by projection, counts, duplicates and strays. Prints one line a fault;
    exits with 5 where there is one.
    """  # fmt: skip
    from blendgen.dataset.layout import Layout
    from blendgen.dataset.store import read_record
    from blendgen.errors import BlendgenError
    from blendgen.verification.dataset import verify

    faults, stopped = [], None
    with Progress() as progress:
        progress.begin(read_record(Layout(folder)).get("images", 0), "row")
        try:
            for fault in itertools.chain(
                verify(folder, progress.advance), _in_depth(folder, ray_checks, rerenders, workers)
            ):
                faults.append(fault)
                if not as_json:
                    echo(str(fault))
        except BlendgenError as error:  # what was found so far is told first
            stopped = error
    if as_json:
        told = [{"place": fault.place, "what": fault.what} for fault in faults]
        echo_json({"schema_version": 1, "faults": told})
    else:
        say(f"{len(faults)} fault(s)" if faults else "no fault")
    if stopped is not None:
        raise stopped
    return ExitCode.DATASET if faults else ExitCode.OK


def _in_depth(folder: Path, ray_checks: int | None, rerenders: int | None, workers: int | None):
    """Faults of labels against rays, and of images that come out otherwise; nothing is loaded before it
    is asked for."""
    if ray_checks is None and rerenders is None:
        return
    from blendgen.engine.blender.importing.measuring import BlenderMeasurer
    from blendgen.verification.ray_check import ray_faults
    from blendgen.verification.rays.cast import require_embree
    from blendgen.verification.reopen import reopen
    from blendgen.verification.rerender import rerender_faults

    if ray_checks is not None:
        require_embree()
    found = reopen(folder, BlenderMeasurer())
    if found.fault is not None:
        yield found.fault
        return
    if ray_checks is not None:
        with Progress() as progress:
            yield from ray_faults(found, ray_checks, progress, workers)
    if rerenders is not None:
        with Progress() as progress:
            yield from rerender_faults(found, rerenders, progress, workers)
