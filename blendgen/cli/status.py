"""blendgen status: how far a data set is, while one machine or many machines make it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from blendgen import api
from blendgen.cli.command import Command
from blendgen.cli.options import Duration
from blendgen.cli.places import PLACE
from blendgen.cli.progress import Progress
from blendgen.cli.terminal import clear, echo, echo_json
from blendgen.system.pace import duration_text, rate_text

if TYPE_CHECKING:
    from blendgen.dataset.run_status import RunStatus
    from blendgen.farm.part_status import PartStatus
    from blendgen.farm.status import Status

_CONTINUE = "run the same command to continue"


@click.command(
    "status",
    cls=Command,
    examples={
        "how far is it, and who works on it": "blendgen status out",
        "look every minute until it is complete": "blendgen status out --watch 1m",
    },
)
@click.argument("folder", type=PLACE, metavar="OUT")
@click.option(
    "--watch",
    "watch_s",
    type=Duration(),
    is_flag=False,
    flag_value="10s",
    metavar="[TIME]",
    help="Look again every so often, such as 30s (default: 10s), until all images are made.",
)
@click.option(
    "--wait",
    "wait_s",
    type=click.FloatRange(min=0),
    default=20.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for a sign of life of runs on other machines; not with --watch.",
)
@click.option(
    "--lines",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    help="Print at most so many shards.",
)
@click.option(
    "--json", "as_json", is_flag=True, help="Print JSON on stdout; with --watch, one object a line."
)
def command(folder, watch_s, wait_s, lines, as_json):
    """Print how far the data set in OUT is, or all shards in OUT/shards.

    Counts images and failures, with rate, time left, and the runs that work on it on any machine. Only
    reads, also on a read-only disk and while runs write. A run on another machine shows that it lives by a
    number in OUT/.partial that it increases every 5 seconds; clocks are not compared.
    """  # fmt: skip
    if watch_s is None:
        with Progress(own_stdout=as_json):  # it may wait
            statuses = iter([api.status(folder, wait_s=wait_s)])
    else:
        statuses = api.watch(folder, watch_s)
    for status in statuses:
        if as_json:
            echo_json({"schema_version": 1, **status.as_dict()})
        elif watch_s is None:
            echo("\n".join(_described(status, lines)))
        else:
            clear()
            now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            echo("\n".join([now, *_described(status, lines)]))


def _described(status: Status, most_lines: int) -> Iterator[str]:
    """The status as lines; at most so many of them for shards."""
    yield f"{status.folder}: {_counts(status)}{_failures(status.failed_per_reason)}"
    total = sum(status.parts_per_state.values())
    if total > 1:
        states = ", ".join(f"{count} {state}" for state, count in status.parts_per_state.items())
        yield f"{total} shards: {states}"
        if status.images_per_minute is not None:
            yield _pace(status.images_per_minute / 60, status.left_s)
        width = max((len(_counts(part)) for part in status.parts), default=0)
        for part in status.parts[:most_lines]:
            yield f"{part.name}  {_counts(part):>{width}}  {_run_line(part)}"
        if len(status.parts) > most_lines:
            yield f"and {len(status.parts) - most_lines} more"
        if status.is_complete:
            yield f"run `blendgen merge -o {status.folder}` to make one data set of them"
    elif not status.parts:
        yield "complete" if status.is_complete else "not started"
    else:
        yield _run_line(status.parts[0])
        yield from _workers(status.parts[0])


def _counts(status: Status | PartStatus) -> str:
    return (
        f"{status.images} images" if status.wanted is None else f"{status.images} of {status.wanted} images"
    )


def _failures(failed_per_reason: dict[str, int]) -> str:
    if not failed_per_reason:
        return ""
    reasons = ", ".join(f"{count} {reason}" for reason, count in failed_per_reason.items())
    return f", {sum(failed_per_reason.values())} failed ({reasons})"


def _run_line(part: PartStatus) -> str:
    """What becomes of a part, in one line."""
    run = part.run
    place = "" if run is None else f" on {run.host}, process {run.pid}"
    match part.state:
        case "stopped":
            return f"stopped: {_CONTINUE}"
        case "silent":
            return f"silent{place}: no sign of life; if it is gone, {_CONTINUE}"
        case "begun":
            return "begun: not complete in the object store; a machine may be making it"
        case "unknown":
            return f"perhaps running{place}: look again, or use --wait, to know"
        case "suspended":
            return f"suspended{place}: a signal or its scheduler has stopped it for now"
    text = f"{part.state}{place}" + (_run_facts(run, part.wanted) if run is not None else "")
    return text + (f": {_pace(part.images_per_s, part.left_s)}" if part.images_per_s else "")


def _run_facts(run: RunStatus, wanted: int | None) -> str:
    """Its phase, workers, start, and how far it is where it wants other images than the spec."""
    phase = "" if run.phase == "rendering" else f" ({run.phase})"
    workers = f"{len(run.workers)} {'worker' if len(run.workers) == 1 else 'workers'}"
    devices = ", ".join(dict.fromkeys(worker.device for worker in run.workers))
    is_part = run.phase != "starting" and run.wanted != wanted
    part = f", {run.existing + run.made} of the {run.wanted} images of this run" if is_part else ""
    return f"{phase}, {workers}{' on ' if devices else ''}{devices}, since {run.started}{part}"


def _pace(images_per_s: float, left_s: float | None) -> str:
    left = "" if left_s is None else f", {duration_text(left_s)} left"
    return rate_text(images_per_s, "image") + left


def _workers(part: PartStatus) -> Iterator[str]:
    if part.run is not None and part.state == "running":
        for worker in part.run.workers:
            yield f"  worker {worker.pid} on {worker.device}, since {worker.started}"
