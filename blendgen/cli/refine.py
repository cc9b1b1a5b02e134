"""blendgen refine: images of a data set made more like photos, as a data set of its own."""

from __future__ import annotations

import click

from blendgen import api
from blendgen.cli.choice import Choice
from blendgen.cli.command import Command
from blendgen.cli.duration import Duration
from blendgen.cli.options import opened_progress, progress_options
from blendgen.cli.places import LOCAL_PATH, PLACE
from blendgen.cli.terminal import echo, echo_json, say, say_always


@click.command(
    "refine",
    cls=Command,
    examples={
        "train a refiner on photos without labels, and use it": "blendgen refine out --photos photos -o "
        "refined --minutes 30",
        "use a program of your own": "blendgen refine out -o refined --command "
        "'python to_photo.py {image} {depth} {mask} {out}'",
    },
)
@click.argument("folder", type=PLACE, metavar="OUT")
@click.option(
    "-o",
    "--output",
    "dest",
    type=LOCAL_PATH,
    required=True,
    metavar="REFINED",
    help="Folder of the new data set.",
)
@click.option(
    "--photos",
    type=LOCAL_PATH,
    metavar="FOLDER",
    help="Photos without labels, which show about what the renders show, of the same size in the frame.",
)
@click.option(
    "--command",
    "program",
    metavar="COMMAND",
    help="In place of --photos: a program that is called for each image. {image}, {mask}, {depth} and other "
    "label files are replaced by copies of them, {label} by the class, {out} by the file to write.",
)
@click.option(
    "--steps", type=click.IntRange(min=1), default=2000, show_default=True, help="Steps of the training."
)
@click.option(
    "--minutes",
    type=click.FloatRange(min=0, min_open=True),
    metavar="N",
    help="End the training after so long, even if not all steps are done.",
)
@click.option(
    "--size",
    type=click.IntRange(32, 512),
    default=96,
    show_default=True,
    metavar="PX",
    help="Side of the crops to train on; images are then refined as a whole.",
)
@click.option(
    "--regularization",
    type=click.FloatRange(min=0),
    default=3.0,
    show_default=True,
    metavar="N",
    help="Weight of the difference from the renders: a larger one changes less.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the training.")
@click.option(
    "--timeout",
    "timeout_s",
    type=Duration(),
    default=120.0,
    metavar="TIME",
    help="With --command: time for each image, such as 30s or 5m; default: 2m.",
)
@click.option(
    "--link",
    type=Choice(("hard", "copy")),
    default="hard",
    show_default=True,
    help="How files that stay the same are placed in REFINED; a hard link is the same file.",
)
@click.option("--force", is_flag=True, help="Replace another refined data set in REFINED.")
@progress_options
@click.option("--json", "as_json", is_flag=True, help="Print what was refined as JSON on stdout.")
def command(folder, dest, program, progress_style, progress_every, as_json, **options):
    """Make the images of the data set in OUT more like photos, and write them as a data set to REFINED.

    A small network learns from photos what renders lack, such as noise and sharpness, while it changes them
    as little as possible. Each image is then checked: an image whose edges move, whose details or colours
    change too much is left as it was. Labels stay the same. A call that was stopped goes on when it is
    repeated. Needs the extra learn (torch), with --command nothing. docs/refining.md has the limits, and
    what it is worth.
    """  # fmt: skip
    with opened_progress(progress_style, progress_every, as_json) as progress:
        made = api.refine(folder, dest, command=program, progress=progress, **options)
    for note in made.notes:
        say_always(f"note: {note}")
    if as_json:
        echo_json({"schema_version": 1, "folder": str(dest), **made.origin})
        return
    left = made.origin["left"]
    reasons = ", ".join(f"{count} {reason}" for reason, count in left.items())
    rest = f"; {sum(left.values())} left as they were: {reasons}" if left else ""
    say(f"refined: {made.origin['refined']} of {made.record['images']} images{rest}")
    echo(str(dest))
