"""Options that several commands share: the spec, its overrides, the workers, progress."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from blendgen.cli import completions
from blendgen.cli.choice import Choice
from blendgen.cli.duration import Duration
from blendgen.cli.places import LOCAL_PATH
from blendgen.cli.progress import EVERY_S, STYLES, Progress
from blendgen.errors import UsageError

if TYPE_CHECKING:
    from blendgen.spec.load import Override

spec_argument = click.argument("spec", type=LOCAL_PATH, metavar="SPEC", shell_complete=completions.specs)


def spec_options(command):
    """The options that change a spec as it is loaded."""
    options = [
        click.option("--seed", type=click.IntRange(min=0), help="Override the seed of the spec."),
        click.option("--set", "settings", multiple=True, metavar="KEY=VALUE",
                     shell_complete=completions.one_of(completions.settings),
                     help="Override a field, such as camera.roll_deg=0. May be repeated."),
        click.option("--render", metavar="PRESET", help="Render preset: smoke, draft or final.",
                     shell_complete=completions.one_of(completions.render_presets)),
        click.option("--strict", is_flag=True,
                     help="Stop if a model cannot be used, or would lack part of its look."),
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
        try:
            workers = int(value)
        except ValueError:
            workers = 0
        if workers < 1:
            self.fail(f"expected auto or a number of at least 1, got {value!r}", param, ctx)
        return workers


workers_option = click.option(
    "--workers",
    type=_Workers(),
    default="auto",
    show_default=True,
    help="Worker processes, each with its own Blender; auto: one per core or GPU, if memory allows.",
)

draft_size_option = click.option(
    "--size",
    type=click.IntRange(32, 1024),
    default=96,
    show_default=True,
    metavar="PX",
    help="Longer side of the drafts.",
)


def progress_options(command):
    """How a command reports its progress; see `opened_progress`."""
    options = [
        click.option("--progress", "progress_style", type=Choice(STYLES), default="auto",
                     show_default=True,
                     help="A bar or lines on stderr, or the lines of Open Job Description on stdout; auto: a "
                     "bar on a terminal, else lines; openjd where a session of Open Job Description runs "
                     "this."),
        click.option("--progress-every", type=Duration(), default=EVERY_S, metavar="TIME",
                     help="Time between two lines, such as 30s or 5m; default: 10s."),
    ]  # fmt: skip
    return functools.reduce(lambda wrapped, option: option(wrapped), reversed(options), command)


def opened_progress(style: str, every_s: float, own_stdout: bool) -> Progress:
    """The Progress of the options; raises UsageError.

    own_stdout: stdout holds a result that no other line may break into
    """
    if style == "openjd" and own_stdout:
        raise UsageError(
            "--progress openjd: prints to stdout, which --json and --events - have for themselves; leave one "
            "of them out"
        )
    return Progress(style, every_s, own_stdout)


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
