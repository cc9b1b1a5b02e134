"""blendgen verify: check a data set file by file and row by row."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from blendgen import api
from blendgen.cli.options import opened_progress, progress_options, workers_option
from blendgen.cli.terminal import echo, echo_json, say
from blendgen.errors import BlendgenError, ExitCode, Interrupted

if TYPE_CHECKING:
    from blendgen.verification.dataset import Fault


@click.command("verify")
@click.argument("folder", type=click.Path(path_type=Path), metavar="OUT")
@click.option(
    "--ray-check",
    type=click.IntRange(min=1),
    metavar="N",
    help="Also cast rays through the scenes of N images and compare the labels with what they hit.",
)
@click.option(
    "--rerender",
    type=click.IntRange(min=1),
    metavar="N",
    help="Also render N images again and compare every byte.",
)
@workers_option
@progress_options
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON on stdout.")
def command(folder, ray_check, rerender, workers, progress_style, progress_every, as_json):
    """Check every file and every row of the data set in OUT.

    Compares files with their sha256, boxes and areas with the masks, labels with the sampled shots and
    poses with the boxes; checks the counts; reports duplicates and files that belong to no row. Prints
    one line per fault, and exits with 5 if there are any.
    """  # fmt: skip
    faults = []
    progress = opened_progress(progress_style, progress_every, as_json)

    def report(fault: Fault) -> None:
        faults.append(fault)
        if not as_json:
            echo(str(fault))

    try:
        with progress:
            api.verify(
                folder, ray_check=ray_check, rerender=rerender, workers=workers, on_fault=report,
                progress=progress,
            )  # fmt: skip
    except (BlendgenError, Interrupted):
        if faults or as_json:
            _summarize(faults, as_json)
        raise
    _summarize(faults, as_json)
    return ExitCode.DATASET if faults else ExitCode.OK


def _summarize(faults: list[Fault], as_json: bool) -> None:
    if as_json:
        listed = [{"place": fault.place, "what": fault.what} for fault in faults]
        echo_json({"schema_version": 1, "faults": listed})
    else:
        say(f"{len(faults)} fault(s)" if faults else "no faults")
