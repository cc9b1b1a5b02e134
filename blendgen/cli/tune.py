"""blendgen tune: ranges of a spec that make its images better for photos."""

from __future__ import annotations

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
from blendgen.cli.terminal import echo, echo_json, say_always


@click.command(
    "tune",
    cls=Command,
    examples={
        "with few photos in class folders": "blendgen tune scene.yaml --photos photos -o tuned.yaml",
        "light and camera, with photos without labels": "blendgen tune scene.yaml --unlabelled photos "
        "--parameter exposure -o tuned.yaml",
    },
)
@spec_argument
@click.option("-o", "--output", "dest", type=LOCAL_PATH, required=True, metavar="SPEC", help="The new spec.")
@click.option(
    "--photos",
    type=LOCAL_PATH,
    metavar="FOLDER",
    help="Photos in class folders; of split folders, only train is used.",
)
@click.option("--unlabelled", type=LOCAL_PATH, metavar="FOLDER", help="Instead: photos without classes.")
@click.option(
    "--parameter",
    "parameters",
    multiple=True,
    metavar="NAME",
    help="Tune this parameter or section, such as exposure; may be repeated. Default: all ranges of numbers.",
)
@click.option(
    "--trials",
    type=click.IntRange(min=2),
    default=30,
    show_default=True,
    help="Number of trials, those of an earlier call included.",
)
@click.option(
    "-n",
    "--images",
    type=click.IntRange(min=2),
    default=120,
    show_default=True,
    help="Number of drafts of each trial.",
)
@draft_size_option
@click.option(
    "--backbone",
    default="efficientnet-lite0",
    show_default=True,
    metavar="NAME",
    help="As of `blendgen train`.",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Of the halves of the photos and of the search.",
)
@click.option("--force", is_flag=True, help="Replace SPEC of -o.")
@workers_option
@progress_options
@click.option("--json", "as_json", is_flag=True, help="Print the evidence as JSON on stdout.")
def command(spec, dest, progress_style, progress_every, as_json, **options):
    """Search ranges of SPEC whose images make better classifiers for photos.

    Each trial moves the ranges, makes them wider or narrower, and renders drafts; a classifier trained on
    these is tested on one half of the photos. The new spec is written only if it is better on the other
    half, by a paired test. The same command continues a search that was stopped. Needs the extras features
    and tune.
    """
    with opened_progress(progress_style, progress_every, as_json) as progress:
        result = api.tune(spec, dest, progress=progress, **options)
    for note in result.facts["notes"]:
        say_always(f"note: {note}")
    if as_json:
        echo_json(result.facts)
        return
    from blendgen.experiments.tune import sentence

    echo(sentence(result.facts))
    for one in result.facts["changes"]:
        echo(f"{one['field']}: {one['value']}")
    echo(f"evidence: {result.numbers}")
    if result.written is not None:
        echo(f"spec: {result.written}")
