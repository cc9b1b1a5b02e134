"""blendgen export: a finished data set in the format of another program."""

from __future__ import annotations

import json

import click

from blendgen import api
from blendgen.cli import completions
from blendgen.cli.choice import Choice
from blendgen.cli.command import Command
from blendgen.cli.options import opened_progress, progress_options
from blendgen.cli.places import LOCAL_PATH, PLACE, staging_option
from blendgen.cli.terminal import echo, echo_json, say


class _Command(Command):
    """A command whose help ends with the formats, those of other packages included."""

    def format_epilog(self, ctx, formatter):
        from blendgen.exporters.formats import format_summaries

        super().format_epilog(ctx, formatter)
        with formatter.section("Formats"):
            formatter.write_dl(list(format_summaries().items()))


class _Format(click.ParamType):
    """The name of a format, of this package or of another."""

    name = "format"

    def convert(self, value, param, ctx):
        from blendgen.errors import did_you_mean
        from blendgen.exporters.formats import format_names

        names = format_names()
        if value not in names:
            self.fail(f"{value!r} is not an export format{did_you_mean(value, names)}", param, ctx)
        return value

    def get_missing_message(self, param, ctx=None):
        from blendgen.exporters.formats import format_names

        return f"Give one of {', '.join(format_names())}."

    def shell_complete(self, ctx, param, incomplete):
        return completions.one_of(completions.formats)(ctx, param, incomplete)


@click.command(
    "export",
    cls=_Command,
    examples={
        "a data set for Ultralytics, with outlines": "blendgen export out yolo yolo-data --task segment",
        "COCO without objects that are mostly hidden": "blendgen export out coco coco-data --min-visible 0.2",
    },
)
@click.argument("folder", type=PLACE, metavar="OUT")
@click.argument("fmt", type=_Format(), metavar="FORMAT")
@click.argument("dest", type=LOCAL_PATH, metavar="DEST")
@click.option(
    "--link",
    type=Choice(("hard", "copy", "symlink")),
    default="hard",
    show_default=True,
    help="How images are placed in DEST; a hard link is the same file, so use copy to change images there.",
)
@click.option(
    "--crops",
    type=click.FloatRange(0, 2),
    metavar="MARGIN",
    help="Write one crop per product, not whole images: its box, with a margin of this share of its size.",
)
@click.option(
    "--outlines",
    type=Choice(("rle", "polygon", "none")),
    default="rle",
    show_default=True,
    help="Segmentation in coco; with none, no masks are read.",
)
@click.option(
    "--task",
    type=Choice(("detect", "segment", "obb", "pose", "classify")),
    default="detect",
    show_default=True,
    help="The task that yolo trains for.",
)
@click.option(
    "--shard-mb",
    type=click.FloatRange(0.001, 100_000),
    default=500,
    show_default=True,
    help="Approximate size of a file of webdataset, parquet or hf --push-ready, in MB.",
)
@click.option(
    "--push-ready",
    is_flag=True,
    help="In hf, write what `hf upload` takes as it is, as parquet does, instead of an image folder.",
)
@click.option(
    "--include",
    "extras",
    metavar="FILES",
    default="",
    help="Other files of each image to include in hf, parquet or webdataset, such as mask,depth.",
)
@click.option(
    "--fields",
    metavar="NAMES",
    default="",
    help="Values of the rows that coco, csv, hf, parquet or webdataset carry, by dotted name, such as "
    "shot.surface.kind,shot.camera.elevation_deg.",
)
@click.option(
    "--quote-formulas",
    is_flag=True,
    help="For a csv that is opened in a spreadsheet: put a ' before names that would run as formulas.",
)
@click.option(
    "--min-visible",
    type=click.FloatRange(0, 1),
    default=0.0,
    metavar="SHARE",
    help="Objects of which a smaller share is visible are not labels.",
)
@click.option(
    "--min-area",
    type=click.FloatRange(0),
    default=0.0,
    metavar="PIXELS",
    help="Objects with fewer visible pixels are not labels: crowds in coco, difficult in voc, else left out.",
)
@click.option(
    "--license",
    metavar="ID",
    help="Licence that the dataset card states, such as cc-by-4.0; for hf, imagefolder, parquet, webdataset "
    "and croissant.",
)
@click.option(
    "--force",
    is_flag=True,
    help="Replace another export in DEST; refused if DEST holds files that no export wrote.",
)
@staging_option
@progress_options
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON on stdout.")
def command(
    folder, fmt, dest, link, crops, outlines, task, shard_mb, push_ready, extras, fields, quote_formulas,
    min_visible, min_area, license, force, staging,
    progress_style, progress_every, as_json,
):  # fmt: skip
    """Write the data set in OUT to the folder DEST in another format.

    OUT may be a URL. FORMAT is one of the formats below, which docs/exports.md describes. The same command
    resumes an export that was interrupted.
    """
    with opened_progress(progress_style, progress_every, as_json) as progress:
        counts = api.export(
            folder, fmt, dest, link=link, crops=crops, outlines=outlines, task=task, shard_mb=shard_mb,
            push_ready=push_ready, include=_names(extras), fields=_names(fields),
            quote_formulas=quote_formulas, min_visible=min_visible, min_area=min_area, license=license,
            force=force, staging=staging, progress=progress,
        )  # fmt: skip
    if as_json:
        echo_json({"schema_version": 1, "format": fmt, "folder": str(dest), **counts})
        return
    say(f"{fmt}: {json.dumps(counts)}")
    echo(str(dest))


def _names(text: str) -> list[str]:
    """The names in a list with commas, each once."""
    return list(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
