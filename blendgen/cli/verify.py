"""blendgen verify: a data set checked file by file and row by row."""

from __future__ import annotations

import json
from pathlib import Path

import click

from blendgen.cli.options import say
from blendgen.cli.progress import Progress
from blendgen.errors import ExitCode


@click.command("verify")
@click.argument("folder", type=click.Path(path_type=Path), metavar="OUT")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON on stdout.")
def command(folder, as_json):
    """Check every file and every row of the data set in OUT.

    Files against their sha256, boxes and areas against the masks, labels against the drawn shots,
    poses against the boxes by projection, counts, duplicates and strays. Prints one line a fault;
    exits with 5 where there is one.
    """
    from blendgen.dataset.verify import verify
    from blendgen.export.source import open_source

    with Progress("row") as progress:
        progress.begin(open_source(folder).images)
        faults = []
        for fault in verify(folder, progress.advance):
            faults.append(fault)
            if not as_json:
                click.echo(str(fault))
    if as_json:
        told = [{"place": fault.place, "what": fault.what} for fault in faults]
        click.echo(json.dumps({"schema_version": 1, "faults": told}))
    else:
        say(f"{len(faults)} fault(s)" if faults else "no fault")
    return ExitCode.DATASET if faults else ExitCode.OK
