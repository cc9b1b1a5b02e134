"""blendgen verify: check a data set file by file and row by row."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from blendgen import api
from blendgen.cli.command import Command
from blendgen.cli.options import opened_progress, progress_options, workers_option
from blendgen.cli.places import PLACE
from blendgen.cli.terminal import echo, echo_json, say
from blendgen.errors import BlendgenError, ExitCode, Interrupted

if TYPE_CHECKING:
    from blendgen.verification.dataset import Fault
    from blendgen.verification.repair import Repair


@click.command(
    "verify",
    cls=Command,
    examples={
        "check all files and labels, and cast rays for 20 images": "blendgen verify out --ray-check 20",
        "make damaged and missing images again": "blendgen verify out --repair",
    },
)
@click.argument("folder", type=PLACE, metavar="OUT")
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
@click.option(
    "--repair",
    is_flag=True,
    help="Render what is damaged or missing again, to the same bytes; the models must still be there.",
)
@workers_option
@progress_options
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON on stdout.")
def command(folder, ray_check, rerender, repair, workers, progress_style, progress_every, as_json):
    """Check every file and every row of the data set in OUT.

    Compares files with their sha256, boxes and areas with the masks, labels with the sampled shots and
    poses with the boxes; checks the counts; reports duplicates and files that belong to no row. Prints
    one line per fault, and exits with 5 if there are any; with --repair, if any are left. Of a folder with
    shards, all shards are checked.
    """  # fmt: skip
    faults: list[Fault] = []
    repairs: list[Repair] = []
    progress = opened_progress(progress_style, progress_every, as_json)

    def report(fault: Fault) -> None:
        faults.append(fault)
        if not as_json:
            echo(str(fault))

    try:
        with progress:
            left = api.verify(
                folder, ray_check=ray_check, rerender=rerender, repair=repair, workers=workers,
                on_fault=report, on_repair=repairs.append, progress=progress,
            )  # fmt: skip
    except (BlendgenError, Interrupted) as error:
        if as_json:
            _print_json(faults, error=str(error))
        elif faults:
            _summarize(faults)
        raise
    if as_json:
        _print_json(faults, **({"repair": _as_dict(repairs[0])} if repairs else {}))
    else:
        _summarize(faults, *repairs)
    return ExitCode.DATASET if left else ExitCode.OK


def _print_json(faults: list[Fault], **more: object) -> None:
    echo_json({"schema_version": 1, "faults": _listed(faults), **more})


def _as_dict(repair: Repair) -> dict[str, object]:
    return {"images": [*repair.images], "left": _listed(repair.left)}


def _summarize(faults: list[Fault], repair: Repair | None = None) -> None:
    say(f"{len(faults)} fault(s)" if faults else "no faults")
    if faults and repair is not None:
        for fault in repair.left:
            echo(f"left: {fault}")
        left = f"{len(repair.left)} fault(s) left" if repair.left else "no fault is left"
        say(f"repaired: {len(repair.images)} image(s) made again; {left}")


def _listed(faults: Iterable[Fault]) -> list[dict[str, str]]:
    return [{"place": fault.place, "what": fault.what} for fault in faults]
