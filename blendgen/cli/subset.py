"""blendgen subset: some images of a data set as a data set of their own."""

from __future__ import annotations

import click

from blendgen import api
from blendgen.cli.choice import Choice
from blendgen.cli.command import Command
from blendgen.cli.places import LOCAL_PATH
from blendgen.cli.progress import Progress
from blendgen.cli.terminal import echo, echo_json, say


@click.command(
    "subset",
    cls=Command,
    examples={
        "images that show most of it": 'blendgen subset out --where "visible_fraction > 0.8" -o clear',
        "100 validation images of mugs": "blendgen subset out --where \"label == 'mug'\" --split val "
        "--limit 100 -o mugs",
    },
)
@click.argument("folder", type=LOCAL_PATH, metavar="OUT")
@click.option(
    "--where",
    metavar="EXPRESSION",
    help="Condition on the columns of a row, such as \"visible_fraction > 0.5 and label == 'mug'\".",
)
@click.option("--split", "splits", multiple=True, metavar="NAME", help="Only this split. May be repeated.")
@click.option(
    "--every",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    metavar="N",
    help="Of the images that match, the first and then every N-th.",
)
@click.option(
    "--limit", type=click.IntRange(min=1), metavar="N", help="At most N of these images, the first."
)
@click.option("-o", "--output", "dest", type=LOCAL_PATH, required=True, help="Folder of the subset.")
@click.option(
    "--link",
    type=Choice(("hard", "copy")),
    default="hard",
    show_default=True,
    help="How files are placed in the folder; a hard link is the same file, so use copy to change it there.",
)
@click.option("--force", is_flag=True, help="Replace another subset in the folder.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON on stdout.")
def command(folder, where, splits, every, limit, dest, link, force, as_json):
    """Choose images of the data set in OUT, and write them with all their files as a data set.

    An expression has the syntax of Python. Columns of objects are those of the subject of the image;
    any(o.area < 100 for o in objects) looks at all products. docs/dataset.md lists the columns. The same
    command resumes a run that was interrupted.
    """
    with Progress(own_stdout=as_json) as progress:
        counts = api.subset(
            folder, dest, where, splits=splits, every=every, limit=limit, link=link, force=force,
            progress=progress,
        )  # fmt: skip
    if as_json:
        echo_json({"schema_version": 1, "folder": str(dest), **counts})
        return
    per_split = ", ".join(f"{count} {split}" for split, count in counts["images_per_split"].items())
    say(f"images: {per_split}")
    echo(str(dest))
