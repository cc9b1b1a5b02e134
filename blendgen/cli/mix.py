"""blendgen mix: synthetic images and real photos in one training set."""

from __future__ import annotations

import math
import re
from pathlib import Path

import click

from blendgen.cli.progress import Progress
from blendgen.cli.terminal import echo, echo_json, say

_FOLDER = click.Path(path_type=Path)


@click.command("mix")
@click.argument("folder", type=_FOLDER, metavar="OUT")
@click.argument("photos", type=_FOLDER, metavar="PHOTOS")
@click.option("-o", "--output", "dest", type=_FOLDER, required=True, help="Folder of the mixed training set.")
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
    help="Shares of photos that lie in no split folders.",
)
@click.option("--extra-classes", is_flag=True, help="Take photos of classes that OUT does not have.")
@click.option(
    "--link",
    type=click.Choice(("hard", "copy", "symlink")),
    default="copy",
    show_default=True,
    help="How files come to the folder; a change in place of a link changes the original.",
)
@click.option("--force", is_flag=True, help="Replace another mixture in the folder.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON on stdout.")
def command(folder, photos, dest, ratio, photo_splits, extra_classes, link, force, as_json):
    """Mix the data set in OUT with real PHOTOS (an image folder, with or without split folders).

    Only train is mixed. val and test hold real photos alone; val_synthetic and test_synthetic the
    synthetic ones: what is measured on stays what it is. The manifest has a column source.
    """  # fmt: skip
    from blendgen.exporters.mix import Mixture, mix

    mixture = Mixture(_ratio(ratio), _shares(photo_splits), extra_classes)
    with Progress() as progress:
        progress.begin(0, "file")
        told = mix(folder, photos, dest, mixture, link, force, progress.advance)
    for note in told["notes"]:
        say(f"note: {note}")
    if as_json:
        echo_json({"schema_version": 1, "folder": str(dest), **told})
        return
    for split, kinds in told["images"].items():
        say(f"{split}: " + ", ".join(f"{count} {kind}" for kind, count in kinds.items()))
    echo(str(dest))


def _ratio(text: str) -> float:
    match = re.fullmatch(r"\s*([0-9]*\.?[0-9]+)\s*:\s*([0-9]*\.?[0-9]+)\s*", text)
    many, few = (float(match[1]), float(match[2])) if match else (0.0, 0.0)
    if not (0 < many < math.inf and 0 < few < math.inf and 0 < many / few < math.inf):
        raise click.BadParameter(f"{text!r} is not a ratio such as 5:1", param_hint="--ratio")
    return many / few


def _shares(text: str) -> dict[str, float]:
    shares: dict[str, float] = {}
    for part in text.split(","):
        match = re.fullmatch(r"\s*(train|val|test)\s*=\s*([0-9]*\.?[0-9]+)\s*", part)
        if match is None or match[1] in shares:
            raise click.BadParameter(f"{part!r} is not such as train=0.7", param_hint="--photo-splits")
        shares[match[1]] = float(match[2])
    if abs(sum(shares.values()) - 1) > 1e-6:
        raise click.BadParameter("the shares must sum to 1", param_hint="--photo-splits")
    return shares
