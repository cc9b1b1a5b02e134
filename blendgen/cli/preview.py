"""blendgen preview: a labelled contact sheet within seconds."""

from __future__ import annotations

from pathlib import Path

import click

from blendgen import api
from blendgen.cli.command import Command
from blendgen.cli.options import overrides, spec_argument, spec_options
from blendgen.cli.places import LOCAL_PATH
from blendgen.cli.progress import Progress
from blendgen.cli.terminal import echo


@click.command(
    "preview",
    cls=Command,
    examples={
        "a sheet of 12 small images in preview.png": "blendgen preview scene.yaml",
        "what the elevation of the camera does": "blendgen preview scene.yaml --vary camera.elevation_deg",
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
    "-n", "--images", type=click.IntRange(1, 400), default=12, show_default=True, help="Number of images."
)
@click.option("--boxes/--no-boxes", default=True, show_default=True, help="Draw the boxes of the labels.")
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
def command(spec, sheet, images, boxes, vary, ablate, index, settings, seed, render, strict):
    """Render a few images of SPEC, small and quickly, onto one labelled contact sheet.

    Without --render, images are at most 160 px wide and high and use at most 8 samples; with it, they
    have the size of the spec, or of the preset if it has one. --vary camera.elevation_deg shows what one
    parameter does; the captions then give its values. If it is stopped or fails half-way, the sheet shows
    the images that are finished.
    """  # fmt: skip
    with Progress() as progress:
        api.preview(
            spec, sheet, overrides=overrides(settings, seed, render), images=images, boxes=boxes, vary=vary,
            ablate=ablate, index=index, quick=render is None, strict=strict, progress=progress,
        )  # fmt: skip
    echo(str(sheet))
