"""blendgen match: a spec whose camera, light and surface are those of photos of the place."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from blendgen import api
from blendgen.cli import completions
from blendgen.cli.command import Command
from blendgen.cli.options import opened_progress, progress_options
from blendgen.cli.places import LOCAL_PATH
from blendgen.cli.terminal import echo, echo_json, say_warning

if TYPE_CHECKING:
    from blendgen.matching.match import Matched


@click.command(
    "match",
    cls=Command,
    examples={
        "camera and surface from photos": "blendgen match photos -o matched.yaml --spec scene.yaml",
        "a first spec, with built-in phones": "blendgen match photos -o matched.yaml",
    },
)
@click.argument("photos", type=LOCAL_PATH, metavar="PHOTOS")
@click.option("-o", "--output", "dest", type=LOCAL_PATH, required=True, metavar="SPEC", help="The new spec.")
@click.option(
    "--spec",
    "base",
    type=LOCAL_PATH,
    metavar="BASE",
    shell_complete=completions.specs,
    help="The spec to start from, whose comments stay; default: one of three built-in phones.",
)
@click.option("--force", is_flag=True, help="Replace SPEC and what an earlier match wrote next to it.")
@progress_options
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON on stdout.")
def command(photos, dest, base, force, progress_style, progress_every, as_json):
    """Match a spec to PHOTOS, 5 to 20 photos of the place without labels, taken as those that will be
    classified: noise, sharpness, white balance, exposure, dark corners, JPEG quality and background.

    Each matched value stands in SPEC with its evidence. What photos do not tell stays as it is in BASE, and
    is listed. All numbers are in a JSON file next to SPEC; pieces of the background, in a folder next to it.
    """
    with opened_progress(progress_style, progress_every, as_json) as progress:
        matched = api.match(photos, dest, spec=base, force=force, progress=progress)
    for warning in (*matched.left_out, *matched.warnings):
        say_warning(f"warning: {warning}")
    if as_json:
        echo_json({"schema_version": 1, **matched.as_dict()})
    else:
        echo("\n".join(_lines(matched, photos)))


def _lines(matched: Matched, photos: Path) -> Iterator[str]:
    yield from (str(file) for file in matched.files[:2])
    width, height = matched.resolution
    yield f"{matched.photos} photos, compared at the size of the images, {width} x {height}"
    yield from (str(value) for value in matched.values)
    yield from (f"not determined by the photos: {text}" for text in matched.undetermined)
    yield from (f"note: {note}" for note in matched.report.notes)
    yield "next:"
    spec = shlex.quote(str(matched.spec))
    yield f"  blendgen preview {spec}"
    yield f"  blendgen generate {spec} -o out -n 40"
    yield f"  blendgen compare {shlex.quote(str(photos))} out"
