"""blendgen init: a folder to start from, with a spec that already renders."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from blendgen import api
from blendgen.cli.command import Command
from blendgen.cli.places import LOCAL_PATH, LocalPath
from blendgen.cli.progress import Progress
from blendgen.cli.terminal import echo, echo_json, say

if TYPE_CHECKING:
    from blendgen.starter.create import Started

_MODELS = "models"  # the folder in DIR that is taken where none is named
_MOST_NAMED = 8


@click.command(
    "init",
    cls=Command,
    examples={
        "start with a folder of models": "blendgen init my-data --models models",
        "with a photo of the place": "blendgen init my-data --models models --from belt.jpg",
    },
)
@click.argument("folder", type=LOCAL_PATH, metavar="DIR")
@click.option(
    "--models",
    type=LocalPath(exists=True, file_okay=False),
    metavar="FOLDER",
    help="Folder of your 3D models; default: DIR/models if it exists, else three built-in phones.",
)
@click.option(
    "--from",
    "photo",
    type=LocalPath(exists=True, dir_okay=False),
    metavar="IMAGE",
    help="Photo of the place, from which colours, light and framing are guessed.",
)
@click.option("--yes", is_flag=True, help="Ask nothing, also on a terminal.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON on stdout.")
def command(folder, models, photo, yes, as_json):
    """Write a first spec into DIR, scene.yaml, that already renders the models of FOLDER; and a .gitignore.

    The models are measured; camera, lens, surface, lamps and the number of images are guessed from their
    sizes. Each value stands with its reason. Models that cannot be used are named and left out. No file that
    is in DIR is replaced.
    """
    if models is None:
        models = _models(folder, ask=not (yes or as_json) and _is_terminal())
    say(f"measuring the models of {models}" if models else "using three built-in phones")
    with Progress(own_stdout=as_json) as progress:
        started = api.create_spec(folder, models, photo=photo, progress=progress)
    if as_json:
        echo_json({"schema_version": 1, **started.as_dict()})
    else:
        echo("\n".join(_lines(started)))


def _is_terminal() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()


def _models(folder: Path, ask: bool) -> Path | None:
    """The folder of models in DIR, or the one that a person names; None for built-in models."""
    default = folder / _MODELS
    if default.is_dir() or not ask:
        return default if default.is_dir() else None
    answer = click.prompt(
        "Folder of your 3D models (empty: three built-in phones)", default="", show_default=False,
        type=str, err=True,
    )  # fmt: skip
    named = os.path.expanduser(answer.strip())  # noqa: PTH111 - Path.expanduser raises for ~ of nobody
    return LocalPath(exists=True, file_okay=False).convert(named, None, None) if named else None


def _lines(started: Started) -> Iterator[str]:
    yield from (str(file) for file in started.files)
    for file in started.unchanged:
        yield f"{file} is unchanged: consider adding /out/ and /preview.png to it"
    report = started.report
    smallest_m, largest_m = report.sampled.largest_side_m
    nearest_m, farthest_m = report.sampled.distance_m
    counted = f"{_count(report.products, 'product')} in {_count(len(report.classes), 'class', 'classes')}"
    yield f"{counted}: {_some(report.classes)}"
    sizes = f"{smallest_m:g} m" if smallest_m == largest_m else f"{smallest_m:g} to {largest_m:g} m"
    yield f"products of {sizes}, camera {nearest_m:g} to {farthest_m:g} m away"
    yield from (f"left out: {refusal}" for refusal in started.left_out)
    yield from (f"note: {note}" for note in (*started.notes, *report.notes))
    yield from (str(guess) for guess in started.from_photo)
    yield from (f"not read off the photo: {text}" for text in started.not_read)
    yield "next:"
    yield from (f"  {line}" for line in _next(started))


def _count(number: int, one: str, several: str | None = None) -> str:
    return f"{number} {one if number == 1 else several or one + 's'}"


def _some(names: tuple[str, ...]) -> str:
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _next(started: Started) -> Iterator[str]:
    spec, out = shlex.quote(str(started.spec)), shlex.quote(str(started.folder / "out"))
    sheet = shlex.quote(str(started.folder / "preview.png"))
    yield f"blendgen preview {spec} -o {sheet}"
    yield f"blendgen generate {spec} -o {out} -n 40"
    yield f"blendgen report {out}"
