"""blendgen detect: which products are where in photos."""

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
    "detect",
    cls=Command,
    examples={
        "all photos of a folder": "blendgen detect run photos",
        "with the small model, as CSV": "blendgen detect run/model.int8.onnx photos -o boxes.csv",
    },
)
@click.argument("model", type=LOCAL_PATH, metavar="MODEL")
@click.argument("photos", type=LOCAL_PATH, nargs=-1, required=True, metavar="PHOTOS...")
@click.option("-o", "--output", "dest", type=LOCAL_PATH, metavar="FILE", help="Write CSV to a new file.")
@click.option("--force", is_flag=True, help="Replace FILE.")
@click.option(
    "--threshold",
    type=click.FloatRange(0, 1),
    metavar="N",
    help="Leave out boxes with a score below this; default: that of the model.",
)
@progress_options
@click.option("--json", "as_json", is_flag=True, help="Print all numbers as JSON on stdout.")
def command(model, photos, dest, force, threshold, progress_style, progress_every, as_json):
    """Find products in PHOTOS: a line for each photo, with class, score and box of each product.

    MODEL is a run of `blendgen train --task detect` or one of its ONNX files. A box is x0, y0, x1, y1 in
    pixels of the photo.
    """
    if dest is not None and os.path.lexists(dest) and not force:
        raise DatasetError(f"{printable(str(dest))}: exists; --force replaces it")
    with opened_progress(progress_style, progress_every, as_json) as progress:
        detections = api.detect(model, *photos, threshold=threshold, progress=progress)
    for message in detections.left_out:
        say(f"note: {message}")
    if dest is not None:
        content = detections.csv().encode("utf-8", "surrogateescape")
        Folder(dest.parent, ".blendgen-partial").write(dest.name, content)
    if as_json:
        echo_json(detections.facts())
    elif dest is None:
        for one in detections:
            echo(f"{printable(str(one.photo))}: {', '.join(map(_stated, one.boxes)) or 'nothing'}")
    else:
        echo(str(dest))


def _stated(one) -> str:
    box = " ".join(f"{number:.0f}" for number in one.box)
    return f"{one.label} {100 * one.score:.0f} % [{box}]"
