"""blendgen quantize: a model for small devices."""

from __future__ import annotations

import click

from blendgen import api
from blendgen.cli.command import Command
from blendgen.cli.options import opened_progress, progress_options
from blendgen.cli.places import LOCAL_PATH
from blendgen.cli.terminal import echo, echo_json, say


@click.command(
    "quantize",
    cls=Command,
    examples={
        "write run/model.int8.onnx": "blendgen quantize run",
        "and measure on photos what it costs": "blendgen quantize run --photos photos",
    },
)
@click.argument("run", type=LOCAL_PATH, metavar="RUN")
@click.option(
    "--photos",
    type=LOCAL_PATH,
    metavar="FOLDER",
    help="Photos in class folders (of a detector: with boxes) to test both models on; of split folders, "
    "test or val. Default: renders.",
)
@click.option("--dataset", type=LOCAL_PATH, metavar="OUT", help="The data set of the run, if it has moved.")
@progress_options
@click.option("--json", "as_json", is_flag=True, help="Print the numbers as JSON on stdout.")
def command(run, photos, dataset, progress_style, progress_every, as_json):
    """Round the model of RUN to 8-bit integers: a quarter of the size, and several times as fast.

    Renders of its data set say which values occur in the network. Prints size, time for a picture on one
    core, and accuracy of both models. If more than a point is lost, more careful ways of rounding are tried.
    """
    with opened_progress(progress_style, progress_every, as_json) as progress:
        result = api.quantize(run, photos=photos, dataset=dataset, progress=progress)
    for note in result.facts["notes"]:
        say(f"note: {note}")
    if as_json:
        echo_json(result.facts)
        return
    for name in ("float", "int8"):
        one = result.facts[name]
        measured = f"mAP50 {100 * one['map50']:.1f} %" if "map50" in one else _accuracy(one)
        echo(
            f"{name}: {one['file_bytes'] / 1e6:.1f} MB, {one['latency_ms']:.1f} ms, {measured} on "
            f"{result.facts['tested_on']}"
        )
    echo(str(result.model))


def _accuracy(facts) -> str:
    return f"accuracy {100 * facts['accuracy']['value']:.1f} %"
