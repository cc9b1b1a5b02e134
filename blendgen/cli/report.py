"""blendgen report: a page about a finished data set."""

from __future__ import annotations

import click

from blendgen import api
from blendgen.cli.command import Command
from blendgen.cli.options import opened_progress, progress_options
from blendgen.cli.places import LOCAL_PATH
from blendgen.cli.terminal import echo, echo_json


@click.command(
    "report",
    cls=Command,
    examples={
        "write out/report.html and out/report.json": "blendgen report out",
        "show two data sets side by side": "blendgen report out --compare older -o compare.html",
    },
)
@click.argument("folder", type=LOCAL_PATH, metavar="OUT")
@click.option(
    "--compare",
    type=LOCAL_PATH,
    metavar="OTHER",
    help="Show a second data set next to the first one.",
)
@click.option(
    "-o",
    "--output",
    "dest",
    type=LOCAL_PATH,
    metavar="FILE",
    help="The page; default: OUT/report.html, with --compare OUT/report-compare.html.",
)
@progress_options
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON on stdout.")
def command(folder, compare, dest, progress_style, progress_every, as_json):
    """Write a page about the data set in OUT: what was sampled and what was asked for, balance, shortcuts,
    image quality, failures, and all images with their labels.

    The page needs no network and opens from the disk. For more than 2,000 images, its data are in a folder
    next to it. The numbers are in report.json, too. `generate` writes the same report when it has finished.
    """  # fmt: skip
    with opened_progress(progress_style, progress_every, as_json) as progress:
        page = api.report(folder, dest, compare=compare, progress=progress)
    if as_json:
        echo_json({"schema_version": 1, "report": str(page), "json": str(page.with_suffix(".json"))})
    else:
        echo(f"report: {page}")
