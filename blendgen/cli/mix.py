"""blendgen mix: synthetic images and real photos in one training set."""

from __future__ import annotations

import re

import click

from blendgen import api
from blendgen.cli.choice import Choice
from blendgen.cli.command import Command
from blendgen.cli.places import LOCAL_PATH
from blendgen.cli.progress import Progress
from blendgen.cli.ratio import parsed_ratio
from blendgen.cli.terminal import echo, echo_json, say, say_always


@click.command(
    "mix",
    cls=Command,
    examples={
        "five synthetic images to each real photo": "blendgen mix out photos -o mixed",
        "as many as photos, without a test split": "blendgen mix out photos -o mixed --ratio 1:1 "
        "--photo-splits train=0.8,val=0.2",
    },
)
@click.argument("folder", type=LOCAL_PATH, metavar="OUT")
@click.argument("photos", type=LOCAL_PATH, metavar="PHOTOS")
@click.option(
    "-o", "--output", "dest", type=LOCAL_PATH, required=True, help="Folder of the mixed training set."
)
@click.option(
    "--ratio",
    default="5:1",
    show_default=True,
    metavar="S:R",
    help="Synthetic images to real photos, in each class of train.",
)
@click.option(
    "--photo-splits",
    default="train=0.7,val=0.15,test=0.15",
    show_default=True,
    metavar="SHARES",
    help="Shares of the splits, for photos that are not in split folders.",
)
@click.option("--extra-classes", is_flag=True, help="Include photos of classes that OUT does not have.")
@click.option(
    "--link",
    type=Choice(("hard", "copy", "symlink")),
    default="copy",
    show_default=True,
    help="How files are placed in the folder; editing a link in place changes the original.",
)
@click.option("--force", is_flag=True, help="Replace another mixture in the folder.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON on stdout.")
def command(folder, photos, dest, ratio, photo_splits, extra_classes, link, force, as_json):
    """Mix the data set in OUT with real PHOTOS, an image folder with or without split folders.

    Only train is mixed. val and test hold only real photos, so evaluation never mixes the two. The manifest
    has a column source.
    """  # fmt: skip
    with Progress(own_stdout=as_json) as progress:
        mixed = api.mix(
            folder, photos, dest, ratio=parsed_ratio(ratio), photo_splits=_shares(photo_splits),
            extra_classes=extra_classes, link=link, force=force, progress=progress,
        )  # fmt: skip
    for note in mixed["notes"]:
        say_always(f"note: {note}")
    if as_json:
        echo_json({"schema_version": 1, "folder": str(dest), **mixed})
        return
    for split, counts in mixed["images"].items():
        say(f"{split}: " + ", ".join(f"{count} {source}" for source, count in counts.items()))
    echo(str(dest))


def _shares(text: str) -> dict[str, float]:
    shares: dict[str, float] = {}
    for part in text.split(","):
        match = re.fullmatch(r"\s*(train|val|test)\s*=\s*([0-9]*\.?[0-9]+)\s*", part)
        if match is None or match[1] in shares:
            raise click.BadParameter(
                f"expected SPLIT=SHARE such as train=0.7, got {part!r}", param_hint="--photo-splits"
            )
        shares[match[1]] = float(match[2])
    return shares
