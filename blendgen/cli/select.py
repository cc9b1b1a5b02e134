"""blendgen select: which images of a spec are worth rendering."""

from __future__ import annotations

import shlex

import click

from blendgen import api
from blendgen.cli.command import Command
from blendgen.cli.options import (
    draft_size_option,
    opened_progress,
    progress_options,
    spec_argument,
    workers_option,
)
from blendgen.cli.places import LOCAL_PATH
from blendgen.cli.terminal import echo, echo_json, say, say_always


@click.command(
    "select",
    cls=Command,
    examples={
        "500 images of which the run is least sure": "blendgen select run scene.yaml -n 500 -o chosen.txt",
        "500 images that are most like photos": "blendgen select run scene.yaml -n 500 --photos photos "
        "-o chosen.txt",
    },
)
@click.argument("run", type=LOCAL_PATH, metavar="RUN")
@spec_argument
@click.option("-n", "--images", type=click.IntRange(min=1), required=True, help="Number of images to choose.")
@click.option(
    "-o",
    "--output",
    "dest",
    type=LOCAL_PATH,
    required=True,
    metavar="FILE",
    help="The numbers of the images, for `generate --index @FILE`; scores go to FILE with the suffix .json.",
)
@click.option(
    "--candidates",
    type=click.IntRange(min=2),
    help="Choose from the first N images of SPEC; default: four times as many as are chosen.",
    metavar="N",
)
@click.option(
    "--photos",
    type=LOCAL_PATH,
    metavar="FOLDER",
    help="Choose what is nearest to these photos by features. Default: what the run is least sure of.",
)
@draft_size_option
@workers_option
@progress_options
@click.option("--json", "as_json", is_flag=True, help="Print the scores as JSON on stdout.")
def command(run, spec, dest, progress_style, progress_every, as_json, **options):
    """Choose the images of SPEC that are worth rendering, by drafts of many more and the classifier in RUN.

    Only images of the split train are chosen, of each class as many. Measured on playing cards, the third of
    which a run was least sure was worth 5 points more than a random third, what was nearest to photos less
    (docs/experiments.md). `blendgen generate SPEC -o OUT --index @FILE` renders them.
    """
    with opened_progress(progress_style, progress_every, as_json) as progress:
        result = api.select(run, spec, dest, progress=progress, **options)
    for note in result.facts["notes"]:
        say_always(f"note: {note}")
    if as_json:
        echo_json(result.facts)
        return
    count = sum(len(one["images"]) for one in result.facts["candidates"])
    echo(f"chosen: {len(result.indices)} of {count} images")
    echo(str(result.file))
    say(f"next: blendgen generate {shlex.quote(str(spec))} -o out --index @{shlex.quote(str(result.file))}")
