"""blendgen compare: how the images of a data set differ from photos, and what to change."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from blendgen import api
from blendgen.cli.command import Command
from blendgen.cli.options import opened_progress, progress_options
from blendgen.cli.places import LOCAL_PATH
from blendgen.cli.terminal import echo, echo_json, say_warning

if TYPE_CHECKING:
    from blendgen.matching.compare import Comparison


@click.command(
    "compare",
    cls=Command,
    examples={
        "photos and images side by side": "blendgen compare photos out",
        "as JSON, with the page elsewhere": "blendgen compare photos out -o compared.html --json",
    },
)
@click.argument("photos", type=LOCAL_PATH, metavar="PHOTOS")
@click.argument("folder", type=LOCAL_PATH, metavar="OUT")
@click.option(
    "-o",
    "--output",
    "dest",
    type=LOCAL_PATH,
    metavar="FILE",
    help="The page; default: OUT/compare-photos.html. Its numbers are in a JSON file next to it.",
)
@progress_options
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON on stdout.")
def command(photos, folder, dest, progress_style, progress_every, as_json):
    """Compare PHOTOS with the images of the data set in OUT: noise, sharpness, tone, colour, background.

    Says what differs, by how much in units of the photos' own spread, and which field of the spec moves it.
    Photos need no labels. With the extra `features` it also says how well a network tells both apart, and
    how many photos have images like them; in folders of classes, of each class. Whether a classifier minds
    is another question, which blendgen evaluate answers.
    """
    with opened_progress(progress_style, progress_every, as_json) as progress:
        comparison = api.compare(photos, folder, dest, progress=progress)
    for warning in (*comparison.left_out, *comparison.warnings):
        say_warning(f"warning: {warning}")
    if as_json:
        echo_json({"schema_version": 1, **comparison.as_dict()})
    else:
        echo("\n".join(_lines(comparison)))


def _lines(comparison: Comparison) -> Iterator[str]:
    from blendgen.matching.compare_page import summary

    yield f"page: {comparison.page}"
    yield summary(comparison.as_dict())
    for one in comparison.differing:
        low, high = one.interval
        yield f"{one.name}: {one.spreads:+.1f} spreads ({low:+.1f} to {high:+.1f}): {one.move}"
    for one in comparison.varying:
        yield f"{one.name}: images vary {one.varies} than photos"
    apart = comparison.appearance
    if isinstance(apart, str):
        yield f"how far apart they are for a network is not known: {apart}"
        return
    yield f"separated by a linear classifier: {apart.telling.accuracy}; 50 % is chance"
    yield f"photos with images like them: {apart.neighbourhoods.covered}; for the same pictures about 97 %"
    yield from (
        f"photos of {one.label} with images of it like them: {one.neighbourhoods.covered}"
        for one in apart.classes
    )
