"""blendgen sample: the Shot and Exposure of one image, as JSON."""

from __future__ import annotations

import click

from blendgen.cli.options import load, spec_argument, spec_options, stock
from blendgen.cli.terminal import echo_json


@click.command("sample")
@spec_argument
@click.option("--index", type=click.IntRange(min=0), default=0, show_default=True, help="Which image.")
@click.option("--attempt", type=click.IntRange(min=0), default=0, help="Which attempt at it.")
@spec_options
def command(spec, index, attempt, overrides, seed, render, strict):
    """Print the values sampled for one image of SPEC; nothing is rendered."""
    from blendgen.draw.shot import draw_exposures, draw_shot

    spec_file = load(spec, overrides, seed, render)
    inventory = stock(spec_file, strict)
    shot_index = index // spec_file.spec.exposures_per_shot
    shot = draw_shot(spec_file.spec, inventory.catalog, inventory.class_table, shot_index, attempt)
    (exposure,) = draw_exposures(spec_file.spec, shot, [index])
    drawn = {"shot": shot.model_dump(mode="json"), "exposure": exposure.model_dump(mode="json")}
    echo_json(drawn, indent=2)
