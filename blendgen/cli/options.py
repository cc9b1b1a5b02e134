"""Options and steps that several commands share: the spec, its overrides, its products."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from blendgen.cli.terminal import say

if TYPE_CHECKING:
    from blendgen.models.inventory import Inventory
    from blendgen.spec.load import Override, SpecFile

spec_argument = click.argument("spec", type=click.Path(path_type=Path), metavar="SPEC")


def spec_options(command):
    """The options that change a spec as it is loaded."""
    options = [
        click.option("--seed", type=click.IntRange(min=0), help="Override the seed of the spec."),
        click.option("--set", "settings", multiple=True, metavar="KEY=VALUE",
                     help="Override a field, such as camera.roll_deg=0; may be repeated."),
        click.option("--render", metavar="PRESET", help="Render preset: smoke, draft or final."),
        click.option("--strict", is_flag=True, help="Stop where a model of a folder cannot be used."),
    ]  # fmt: skip
    return functools.reduce(lambda wrapped, option: option(wrapped), reversed(options), command)


class _Workers(click.ParamType):
    """A number of workers; None for "auto"."""

    name = "auto|N"

    def convert(self, value, param, ctx):
        if value is None or isinstance(value, int):
            return value
        if value.strip().lower() == "auto":
            return None
        if not value.strip().isdecimal() or int(value) < 1:
            self.fail(f"{value}: give auto, or a number from 1 on", param, ctx)
        return int(value)


workers_option = click.option(
    "--workers",
    type=_Workers(),
    default="auto",
    show_default=True,
    help="Worker processes, each with its own Blender; auto: one a core, or one a GPU, as memory allows.",
)


def overrides(
    settings: tuple[str, ...], seed: int | None, render: str | None, images: int | None = None
) -> Iterator[Override]:
    """The overrides of the command line, each with the option that it comes from.

    The preset is the first, so that --set render.KEY changes a field of it.
    """
    from blendgen.spec.load import Override, parse_override

    if render is not None:
        yield Override(f"--render {render}", ("render",), render)
    yield from map(parse_override, settings)
    if seed is not None:
        yield Override(f"--seed {seed}", ("seed",), seed)
    if images is not None:
        yield Override(f"-n {images}", ("images",), images)


def load(
    spec: Path, settings: tuple[str, ...], seed: int | None, render: str | None, images: int | None = None
) -> SpecFile:
    """Load a spec with the command line's overrides; they enter here and nowhere later."""
    from blendgen.api import load_spec

    return load_spec(spec, overrides(settings, seed, render, images))


def stock(spec_file: SpecFile, strict: bool) -> Inventory:
    """Measure the products of a spec, telling on stderr what was left out."""
    from blendgen.engine.blender.importing.measuring import BlenderMeasurer
    from blendgen.models.inventory import load_inventory
    from blendgen.models.measuring.cache import cache_folder

    inventory = load_inventory(spec_file, BlenderMeasurer(cache_folder() / "measure.log"), strict)
    if inventory.refusals:
        say(f"left out {len(inventory.refusals)} model(s):")
        for refusal in inventory.refusals:
            say(f"  {refusal}")
    return inventory
