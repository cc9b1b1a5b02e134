"""blendgen sample: the Shot and Exposure of one image, as JSON."""

from __future__ import annotations

import click

from blendgen import api
from blendgen.cli.command import Command
from blendgen.cli.options import overrides, spec_argument, spec_options
from blendgen.cli.progress import Progress
from blendgen.cli.terminal import echo_json


@click.command(
    "sample",
    cls=Command,
    examples={
        "the values of image 0": "blendgen sample scene.yaml",
        "the camera of image 41, with jq": "blendgen sample scene.yaml --index 41 | jq .shot.camera",
    },
)
@spec_argument
@click.option(
    "--index",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Number of the image, from 0.",
)
@click.option(
    "--attempt",
    type=click.IntRange(min=0),
    help="Number of the attempt, from 0; default: the first feasible one.",
)
@spec_options
def command(spec, index, attempt, settings, seed, render, strict):
    """Print the values sampled for one image of SPEC. Nothing is rendered."""
    changes = overrides(settings, seed, render)
    with Progress(own_stdout=True):
        shot, exposure = api.sample(spec, index, attempt, overrides=changes, strict=strict)
    echo_json({"shot": shot.model_dump(mode="json"), "exposure": exposure.model_dump(mode="json")}, indent=2)
