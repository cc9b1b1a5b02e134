"""blendgen merge: one data set of the shards of many machines."""

from __future__ import annotations

import click

from blendgen import api
from blendgen.cli.choice import Choice
from blendgen.cli.command import Command
from blendgen.cli.options import opened_progress, progress_options
from blendgen.cli.places import LOCAL_PATH, PLACE
from blendgen.cli.terminal import echo, echo_json, say


@click.command(
    "merge",
    cls=Command,
    examples={
        "make one data set of all shards in out/shards": "blendgen merge -o out",
        "copy the shards of two machines": "blendgen merge /mnt/a/out/shards/* /mnt/b/out/shards/* -o out "
        "--link copy",
    },
)
@click.argument("shards", type=LOCAL_PATH, nargs=-1, metavar="[SHARD]...")
@click.option(
    "-o",
    "--output",
    "folder",
    type=PLACE,
    required=True,
    metavar="OUT",
    help="Folder of the data set, or its URL.",
)
@click.option(
    "--link",
    type=Choice(("hard", "copy", "move")),
    default="hard",
    show_default=True,
    help="How files are placed in OUT: hard links, which take no space; copies; or the files themselves, "
    "and then the shards are removed.",
)
@click.option("--allow-gaps", is_flag=True, help="Merge although images of the spec are missing.")
@click.option("--allow-mixed-devices", is_flag=True, help="Merge images that were made on different devices.")
@click.option("--remove-shards", is_flag=True, help="Remove the shards once all is in OUT and on the disk.")
@click.option(
    "--check", "check_files", is_flag=True, help="Compare the files of the shards with their sha256 first."
)
@progress_options
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON on stdout.")
def command(
    shards, folder, link, allow_gaps, allow_mixed_devices, remove_shards, check_files, progress_style,
    progress_every, as_json,
):  # fmt: skip
    """Merge shards into the data set in OUT: the same bytes as if one run had made it.

    A SHARD is a folder that `blendgen generate --shard` made; without any, all in OUT/shards are merged.
    Missing images, other specs, versions and devices are errors, and then nothing is written. The same
    command resumes a merge that was interrupted. Only blender.log differs from that of one run.
    """
    with opened_progress(progress_style, progress_every, as_json) as progress:
        counts = api.merge(
            folder, shards, link=link, allow_gaps=allow_gaps, allow_mixed_devices=allow_mixed_devices,
            remove_shards=remove_shards, check_files=check_files, progress=progress,
        )  # fmt: skip
    if as_json:
        echo_json({"schema_version": 1, "folder": str(folder), **counts})
        return
    per_split = ", ".join(f"{count} {split}" for split, count in counts["images_per_split"].items())
    failed = f"; {counts['images_failed']} cannot be made" if counts["images_failed"] else ""
    say(f"{counts['images']} images ({per_split}) of {counts['shards']} shards{failed}")
    echo(str(folder))
