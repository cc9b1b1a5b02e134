"""blendgen probe: which parameters of a spec change the answers of a classifier."""

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
    "probe",
    cls=Command,
    examples={
        "write run/probe.html and run/probe.json": "blendgen probe run scene.yaml",
        "only the surface, and a changed spec": "blendgen probe run scene.yaml --parameter surface "
        "--write-spec wider.yaml",
    },
)
@click.argument("run", type=LOCAL_PATH, metavar="RUN")
@spec_argument
@click.option(
    "-o",
    "--output",
    "dest",
    type=LOCAL_PATH,
    metavar="FILE",
    help="The page; default: RUN/probe.html.",
)
@click.option(
    "--parameter",
    "parameters",
    multiple=True,
    metavar="NAME",
    help="Probe this parameter or section, such as surface.kind; may be repeated. Default: all that vary.",
)
@click.option(
    "-n",
    "--images",
    type=click.IntRange(min=1),
    default=1000,
    show_default=True,
    help="Number of drafts to render, about.",
)
@draft_size_option
@click.option(
    "--write-spec",
    type=LOCAL_PATH,
    metavar="FILE",
    help="Write SPEC with the proposed changes, its comments kept.",
)
@click.option("--force", is_flag=True, help="Replace the file of --write-spec.")
@workers_option
@progress_options
@click.option("--json", "as_json", is_flag=True, help="Print the numbers as JSON on stdout.")
def command(run, spec, dest, progress_style, progress_every, as_json, **options):
    """Find out which parameters of SPEC change the answers of the classifier in RUN.

    The same shots are rendered small at combinations of low and high values, by a fractional factorial
    design; everything else in them stays the same. The page has an analysis of variance, shortcuts (what
    decides in place of the product), blind spots, and the changes to SPEC that they suggest.
    """
    with opened_progress(progress_style, progress_every, as_json) as progress:
        result = api.probe(run, spec, dest=dest, progress=progress, **options)
    for note in result.facts["notes"]:
        say_always(f"note: {note}")
    if as_json:
        echo_json(result.facts)
        return
    from blendgen.experiments.probe_page import sentences

    for sentence in sentences(result.facts):
        echo(sentence)
    for advice in result.facts["advice"]:
        echo(f"advice: {advice}")
    echo(f"probe: {result.page}")
    if result.written is not None:
        echo(f"spec: {result.written}")
    elif result.facts["changes"] and options["write_spec"] is None:
        say(f"changes to {shlex.quote(str(spec))} are on the page; --write-spec FILE writes them")
