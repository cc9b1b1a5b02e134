"""blendgen preview: a labelled contact sheet within seconds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from blendgen import api
from blendgen.cli.command import Command
from blendgen.cli.options import overrides, spec_argument, spec_options
from blendgen.cli.places import LOCAL_PATH
from blendgen.cli.progress import Progress
from blendgen.cli.terminal import echo, echo_json, say, say_error

if TYPE_CHECKING:
    from blendgen.workers.preview_watch import PreviewUpdate


@click.command(
    "preview",
    cls=Command,
    examples={
        "a sheet of 12 small images in preview.png": "blendgen preview scene.yaml",
        "what the elevation of the camera does": "blendgen preview scene.yaml --vary camera.elevation_deg",
        "a row for each class, again after each change": "blendgen preview scene.yaml --grid --watch",
    },
)
@spec_argument
@click.option(
    "-o",
    "--output",
    "sheet",
    type=LOCAL_PATH,
    default=Path("preview.png"),
    show_default=True,
    help="Picture to write: .png, .jpg or .webp.",
)
@click.option(
    "-n",
    "--images",
    type=click.IntRange(1, 400),
    help="Number of images; default: 12, with --grid 4 of each class.",
)
@click.option("--boxes/--no-boxes", default=True, show_default=True, help="Draw the boxes of the labels.")
@click.option("--masks", is_flag=True, help="Draw the visible pixels of objects.")
@click.option("--keypoints", is_flag=True, help="Draw keypoints; hollow: something hides them.")
@click.option("--visible-fraction", is_flag=True, help="Write how much of each object is visible.")
@click.option("--grid", is_flag=True, help="A row for each class.")
@click.option(
    "--watch",
    is_flag=True,
    help="Render again after each change of SPEC, of a file in the folders that it names, or of one that its "
    "models use, until Ctrl-C.",
)
@click.option("--vary", metavar="PARAMETER", help="Change this parameter or section alone, evenly.")
@click.option("--ablate", metavar="PARAMETER", help="Change everything but this parameter or section.")
@click.option(
    "--index",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="With --vary or --ablate: the image that supplies the values held constant.",
)
@spec_options
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Print the result as JSON on stdout; with --watch, one object a line.",
)
def command(spec, sheet, watch, settings, seed, render, strict, as_json, **options):
    """Render a few images of SPEC, small and quickly, onto one labelled contact sheet.

    Without --render, images are at most 160 px wide and high and use at most 2 samples, 8 if the spec does
    not denoise: noise and fine reflections are coarser than in a data set. With it, they have the size of the
    spec, or of the preset if it has one. --vary camera.elevation_deg shows what one parameter does; the
    captions then give its values. If it is stopped or fails half-way, the sheet shows the images that are
    finished.
    """  # fmt: skip
    options |= {"overrides": overrides(settings, seed, render), "quick": render is None, "strict": strict}
    with Progress(own_stdout=as_json) as progress:
        if watch:
            for update in api.watch_preview(spec, sheet, progress=progress, **options):
                progress.rest()
                _print(update, sheet, as_json)
            return
        api.preview(spec, sheet, progress=progress, **options)
    if as_json:
        echo_json({"schema_version": 1, "sheet": str(sheet)})
    else:
        echo(str(sheet))


def _print(update: PreviewUpdate, sheet: Path, as_json: bool) -> None:
    if as_json:
        error = None if update.error is None else str(update.error)
        values = {"sheet": str(sheet), "seconds": round(update.seconds, 3), "error": error}
        echo_json({"schema_version": 1, **values})
    elif update.error is not None:
        say_error(f"blendgen: {update.error}")
        say(f"{sheet} stays as it is until the next change")
    else:
        echo(f"{sheet}: {update.seconds:.1f} s")
