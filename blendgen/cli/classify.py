"""blendgen classify: of which class photos are, or frames of a camera."""

from __future__ import annotations

import json
import os
import time
from itertools import islice

import click

from blendgen import api
from blendgen.cli.command import Command
from blendgen.cli.options import opened_progress, progress_options
from blendgen.cli.places import LOCAL_PATH
from blendgen.cli.terminal import echo, echo_json, say
from blendgen.errors import DatasetError, UsageError
from blendgen.files.folder import Folder
from blendgen.files.names import printable


@click.command(
    "classify",
    cls=Command,
    examples={
        "all photos of a folder": "blendgen classify run photos",
        "with the small model, as CSV": "blendgen classify run/model.int8.onnx photos -o labels.csv",
        "what the first camera sees, until Ctrl-C": "blendgen classify run --camera 0",
    },
)
@click.argument("model", type=LOCAL_PATH, metavar="MODEL")
@click.argument("photos", type=LOCAL_PATH, nargs=-1, metavar="[PHOTOS]...")
@click.option(
    "--camera",
    metavar="N",
    help="In place of PHOTOS: the number of a camera, a video file, or the URL of a stream.",
)
@click.option(
    "--frames",
    type=click.IntRange(1),
    metavar="N",
    help="Of --camera: end after so many frames; default: none for a camera.",
)
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
    model, photos, camera, frames, dest, force, threshold, no_reject, progress_style, progress_every, as_json
):  # fmt: skip
    """Say of which class PHOTOS are: photo, class and its probability, one line each.

    With --camera, frames are classified as they come; --json then prints an object for each. Needs the extra
    camera.

    MODEL is a run of `blendgen train` or one of its ONNX files. A photo that looks like none of the classes
    is unknown; the threshold of that is part of the model, and docs/learning.md says how far to trust it.
    """
    if camera is None and frames is not None:
        raise UsageError("--frames is of --camera; leave it out")
    if camera is not None:
        if photos or dest is not None:
            raise UsageError("--camera takes the place of PHOTOS, and prints; leave PHOTOS and --output out")
        _watch(camera, frames, model, threshold, not no_reject, as_json)
        return
    if not photos:
        raise UsageError("missing PHOTOS: name photos, or a folder of photos, or a --camera")
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
            echo(f"{printable(str(one.photo))}: {_stated(one)}")
    else:
        echo(str(dest))


def _watch(camera: str, count: int | None, model, threshold, reject: bool, as_json: bool) -> None:
    """Print a line for each frame, with the time that it took from its arrival."""
    from blendgen.photos.camera import camera_frames

    arrived_s = [0.0]

    def arriving():
        for frame in camera_frames(camera):
            arrived_s[0] = time.perf_counter()
            yield frame

    guesses = api.classify_frames(model, arriving(), threshold=threshold, reject=reject)
    for number, one in enumerate(islice(guesses, count)):
        taken_ms = 1000 * (time.perf_counter() - arrived_s[0])
        if as_json:
            facts = {"frame": number, "milliseconds": round(taken_ms, 3), **one.facts()}
            echo(json.dumps({key: value for key, value in facts.items() if key != "photo"}))
        else:
            echo(f"frame {number}: {_stated(one)}, {taken_ms:.0f} ms")


def _stated(guess) -> str:
    label = guess.label if guess.is_known else f"unknown (nearest: {guess.label})"
    return f"{label} {100 * guess.probability:.1f} %"
