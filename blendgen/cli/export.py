"""blendgen export: a finished data set in the format of another program."""

from __future__ import annotations

import json
import math
from pathlib import Path

import click

from blendgen.cli.progress import Progress
from blendgen.cli.terminal import echo, echo_json, say

_FORMATS = ("imagefolder", "coco", "yolo", "voc", "webdataset", "parquet", "hf", "croissant", "csv", "bop")
_FOLDER = click.Path(path_type=Path)


@click.command("export")
@click.argument("folder", type=_FOLDER, metavar="OUT")
@click.argument("fmt", type=click.Choice(_FORMATS), metavar="FORMAT")
@click.argument("dest", type=_FOLDER, metavar="DEST")
@click.option(
    "--link",
    type=click.Choice(("hard", "copy", "symlink")),
    default="hard",
    show_default=True,
    help="How images come to DEST; to work on them there, copy: a hard link is the same file.",
)
@click.option(
    "--crops",
    type=click.FloatRange(0, 2),
    metavar="MARGIN",
    help="For classifiers: a picture a product, its box wider by this share on each side.",
)
@click.option(
    "--outlines",
    type=click.Choice(("rle", "polygon", "none")),
    default="rle",
    show_default=True,
    help="Segmentation of coco; none reads no masks.",
)
@click.option(
    "--task",
    type=click.Choice(("detect", "segment", "obb", "pose", "classify")),
    default="detect",
    show_default=True,
    help="What yolo is to learn.",
)
@click.option(
    "--shard-mb",
    type=click.FloatRange(0.001, 100_000),
    default=256,
    show_default=True,
    help="About how large a file of webdataset or parquet becomes.",
)
@click.option(
    "--include",
    "extras",
    metavar="FILES",
    default="",
    help="For hf, parquet and webdataset: what else of an image goes along, as mask,depth.",
)
@click.option(
    "--quote-formulas",
    is_flag=True,
    help="For csv that people open in a spreadsheet: put a ' before names that would run as formulas.",
)
@click.option(
    "--force", is_flag=True, help="Replace another export in DEST; files that it did not write stop it."
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON on stdout.")
def command(folder, fmt, dest, link, crops, outlines, task, shard_mb, extras, quote_formulas, force, as_json):
    """Bring the data set in OUT into FORMAT, in the folder DEST.

    FORMAT is one of imagefolder, coco, yolo, voc, webdataset, parquet, hf, croissant, csv and bop
    (docs/exports.md).
    An export that was stopped goes on with the same command.
    """  # fmt: skip
    from blendgen.errors import UsageError
    from blendgen.exporters.formats import export
    from blendgen.exporters.options import Options

    classifies = fmt in ("imagefolder", "hf", "parquet", "webdataset") or (fmt, task) == ("yolo", "classify")
    if crops is not None and not classifies:
        raise UsageError(f"--crops: {fmt} labels whole images; crops are for imagefolder, hf, parquet, "
                         "webdataset and yolo --task classify")  # fmt: skip
    wanted = tuple(dict.fromkeys(name.strip() for name in extras.split(",") if name.strip()))
    if wanted and (crops is not None or fmt not in ("hf", "parquet", "webdataset")):
        raise UsageError(
            "--include: only hf, parquet and webdataset take other files, with whole images only"
        )
    if quote_formulas and fmt != "csv":
        raise UsageError(f"--quote-formulas is for csv, not for {fmt}")
    if not all(math.isfinite(number) for number in (crops or 0.0, shard_mb)):
        raise UsageError("--crops and --shard-mb take finite numbers")
    options = Options(crops, outlines, task, int(shard_mb * 2**20), wanted, quote_formulas)
    with Progress() as progress:
        counts = export(folder, fmt, dest, options, link, force, progress.advance, progress.begin)
    if as_json:
        echo_json({"schema_version": 1, "format": fmt, "folder": str(dest), **counts})
        return
    say(f"{fmt}: {json.dumps(counts)}")
    echo(str(dest))
