"""blendgen classify: of which class photos are."""

from __future__ import annotations

import os

import click

from blendgen import api
from blendgen.cli.command import Command
from blendgen.cli.options import opened_progress, progress_options
from blendgen.cli.places import LOCAL_PATH
from blendgen.cli.terminal import echo, echo_json, say
from blendgen.errors import DatasetError
from blendgen.files.folder import Folder
from blendgen.files.names import printable


@click.command(
    "classify",
    cls=Command,
    examples={
        "all photos of a folder": "blendgen classify run photos",
        "with the small model, as CSV": "blendgen classify run/model.int8.onnx photos -o labels.csv",
    },
)
@click.argument("model", type=LOCAL_PATH, metavar="MODEL")
@click.argument("photos", type=LOCAL_PATH, nargs=-1, required=True, metavar="PHOTOS...")
@click.option("-o", "--output", "dest", type=LOCAL_PATH, metavar="FILE", help="Write CSV to a new file.")
@click.option("--force", is_flag=True, help="Replace FILE.")
@click.option(
    "--threshold",
    type=float,
    metavar="N",
    help="Reject photos that are less familiar than this; default: that of the model.",
)
@click.option("--no-reject", is_flag=True, help="Choose a class for every photo.")
@progress_options
@click.option("--json", "as_json", is_flag=True, help="Print all numbers as JSON on stdout.")
def command(
    model, photos, dest, force, threshold, no_reject, progress_style, progress_every, as_json
):  # fmt: skip
    """Say of which class PHOTOS are: photo, class and its probability, one line each.

    MODEL is a run of `blendgen train` or one of its ONNX files. A photo that looks like none of the classes
    is unknown; the threshold of that is part of the model, and docs/learning.md says how far to trust it.
    """
    if dest is not None and os.path.lexists(dest) and not force:
        raise DatasetError(f"{printable(str(dest))}: exists; --force replaces it")
    with opened_progress(progress_style, progress_every, as_json) as progress:
        guesses = api.classify(model, *photos, threshold=threshold, reject=not no_reject, progress=progress)
    for message in guesses.left_out:
        say(f"note: {message}")
    if dest is not None:
        Folder(dest.parent, ".blendgen-partial").write(
            dest.name, guesses.csv().encode("utf-8", "surrogateescape")
        )
    if as_json:
        echo_json(guesses.facts())
    elif dest is None:
        for one in guesses:
            label = one.label if one.is_known else f"unknown (nearest: {one.label})"
            echo(f"{printable(str(one.photo))}: {label} {100 * one.probability:.1f} %")
    else:
        echo(str(dest))
