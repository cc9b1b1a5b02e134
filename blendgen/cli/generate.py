"""blendgen generate: make a labelled data set.

Index ranges such as "0-9,12,20-40:5" have the notation of Slurm arrays and OpenJD.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from blendgen import api
from blendgen.cli.command import Command
from blendgen.cli.duration import Duration
from blendgen.cli.executor_options import executor_options
from blendgen.cli.final_report import write_final_report
from blendgen.cli.options import (
    opened_progress,
    overrides,
    progress_options,
    spec_argument,
    spec_options,
    workers_option,
)
from blendgen.cli.places import PLACE, staging_option
from blendgen.cli.terminal import echo, echo_json, say
from blendgen.errors import ExitCode, UsageError
from blendgen.files.regular_file import read_bounded
from blendgen.files.url import is_url
from blendgen.system.process import process_age_s
from blendgen.workers.event_file import EventFile

if TYPE_CHECKING:
    from blendgen.workers.run import GenerateReport

MAX_INDICES = 100_000_000
_MAX_LISTED = 10_000_000  # each takes about a hundred bytes
_STDOUT = 1
_RANGE = re.compile(r"(\d{1,12})(?:-(\d{1,12})(?::(\d{1,12}))?)?")


@click.command(
    "generate",
    cls=Command,
    examples={
        "5000 images; the same command continues": "blendgen generate scene.yaml -o out -n 5000",
        "for two hours, with a changed field": "blendgen generate scene.yaml -o out --time-limit 2h "
        "--set camera.roll_deg=0",
    },
)
@spec_argument
@click.option(
    "-o",
    "--output",
    "folder",
    type=PLACE,
    required=True,
    help="Folder of the data set, or URL such as s3://bucket/prefix. If it holds images of this spec, the "
    "missing ones are made.",
)
@staging_option
@click.option(
    "-n", "--images", type=click.IntRange(1, MAX_INDICES), help="Number of images; default: as the spec says."
)
@click.option(
    "--index",
    "index_range",
    metavar="RANGE",
    help="Make these images only, such as 0-99,200-299:2, or those in a file: @FILE, such as `blendgen "
    "select` writes. -n does not limit them.",
)
@click.option(
    "--shard",
    metavar="I/N",
    help="Make shard I of N, from 0, in OUT/shards, for `blendgen merge`; none: all images. Default, without "
    "--index: as the variables of a scheduler say, such as SLURM_ARRAY_TASK_ID.",
)
@workers_option
@click.option(
    "--device",
    default="cpu",
    show_default=True,
    metavar="DEVICE",
    help="What Cycles renders on: cpu, cuda, optix, hip, oneapi, metal, some of the GPUs (cuda:0,2), or "
    "auto for the best that is available.",
)
@spec_options
@click.option(
    "--force",
    is_flag=True,
    help="Replace another data set in the folder. Files that are not part of it are never removed.",
)
@click.option(
    "--check",
    "check_files",
    is_flag=True,
    help="Compare finished files with their sha256, not with their size alone; make damaged ones again.",
)
@click.option(
    "--retry-failed",
    is_flag=True,
    help="Try the images in failed.jsonl again; otherwise they stay set aside.",
)
@click.option(
    "--events",
    metavar="FILE",
    help="Append what happens to FILE, one JSON object a line (docs/farms.md); - for stdout.",
)
@click.option(
    "--time-limit",
    type=Duration(),
    metavar="TIME",
    help="End within this time, such as 90s, 30m, 3h, 1:30:00 or 2-12:00:00, with exit code 75 if images are "
    "missing; the same command continues.",
)
@click.option(
    "--allow-failed",
    is_flag=True,
    help="Exit with 0 instead of 7 if only images are missing that cannot be made, for schedulers that would "
    "not start what comes next.",
)
@click.option(
    "--no-report",
    is_flag=True,
    envvar="BLENDGEN_NO_REPORT",
    help="Do not write OUT/report.html at the end; BLENDGEN_NO_REPORT=1 does the same.",
)
@executor_options
@progress_options
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON on stdout.")
def command(
    spec, folder, images, index_range, shard, workers, device, settings, seed, render, strict, force,
    check_files, retry_failed, allow_failed, events, time_limit, staging, progress_style, progress_every,
    as_json, tasks, no_report,
):  # fmt: skip
    """Make the labelled images that SPEC describes, with masks and a manifest.

    Run it again to continue after a stop. The first Ctrl-C finishes the images that are being rendered,
    the second stops at once. The images do not depend on --workers; on another --device their bytes
    differ. Images that cannot be made are recorded in failed.jsonl; the exit code is then 7.
    """  # fmt: skip
    began_s = time.monotonic() - process_age_s()
    indices = None if index_range is None else indices_of(index_range)
    if shard is None and indices is None:
        shard = "auto"
    if events == "-" and as_json:
        raise UsageError("--events -: prints to stdout, which --json has for itself; give a file instead")
    own_stdout = as_json or events == "-"
    if events == "-":
        events = EventFile(_STDOUT, "stdout").write
    with opened_progress(progress_style, progress_every, own_stdout) as progress:
        options: dict[str, Any] = {
            "overrides": overrides(settings, seed, render, images), "workers": workers, "device": device,
            "strict": strict, "check_files": check_files, "retry_failed": retry_failed, "progress": progress,
        }  # fmt: skip
        if tasks is not None:
            report = api.generate_on(spec=spec, folder=folder, **options, **tasks)
        else:
            report = api.generate(
                spec, folder, indices=indices, force=force, shard=None if shard == "none" else shard,
                events=events, time_limit_s=_left_s(time_limit, began_s), staging=staging, **options,
            )  # fmt: skip
        page = None
        if not (no_report or is_url(folder) or indices is not None or _is_shard(report, folder)):
            page = write_final_report(report, began_s, time_limit, progress)
    if as_json:
        page_text = None if page is None else str(page)
        echo_json({"schema_version": 1, **report.as_dict(), "report": page_text})
    else:
        _print(report, page, say if own_stdout else echo)
    return ExitCode.INCOMPLETE if report.failed and not allow_failed else ExitCode.OK


def _left_s(time_limit_s: float | None, began_s: float) -> float | None:
    """What is left of a time that began with this process."""
    return None if time_limit_s is None else max(time_limit_s - (time.monotonic() - began_s), 1e-3)


def _is_shard(report: GenerateReport, folder: Path | str) -> bool:
    """Whether the images are in another folder than the wanted one, which may be a relative path."""
    return Path(report.folder).absolute() != Path(folder).absolute()


def _print(report: GenerateReport, page: Path | None, result: Callable[[str], None]) -> None:
    """Print how the run went; result: prints what a program may want to read."""
    splits = ", ".join(f"{count} {split}" for split, count in report.images_per_split.items())
    text = f"{report.images} images of {len(report.classes)} classes ({splits})"
    if report.exposures_per_shot > 1:
        text += f"; every {report.exposures_per_shot} show one arrangement in other light"
    say(text)
    result(f"data set:      {report.folder}")
    if report.contact_sheet is not None:
        result(f"contact sheet: {report.contact_sheet}")
    if page is not None:
        result(f"report:        {page}")


def indices_of(text: str) -> Sequence[int]:
    """The indices of --index: of a range expression, or of @FILE with such expressions in its lines.

    raises: UsageError
    """
    if not text.startswith("@"):
        return parse_range(text)
    file = Path(text[1:])
    try:
        lines = read_bounded(file).decode("utf-8").splitlines()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"--index: {file}: cannot be read: {reason}") from None
    parts = [part for line in lines if (part := line.partition("#")[0].strip())]
    if not parts:
        raise UsageError(f"--index: {file}: has no ranges of images such as 0-99")
    return parse_range(",".join(parts))


def parse_range(text: str) -> Sequence[int]:
    """The indices of a range expression in its order; raises UsageError.

    A single part becomes a range, which takes no memory; several become a list of limited length.
    """
    parts = [_part(part.strip(), text) for part in text.split(",")]
    if len(parts) == 1:
        return parts[0]
    if sum(map(len, parts)) > _MAX_LISTED:
        raise UsageError(
            f"--index: several parts together are limited to {_MAX_LISTED} images; a single part, such as "
            f"0-{MAX_INDICES - 1}, is not"
        )
    return list(chain(*parts))


def _part(part: str, text: str) -> range:
    match = _RANGE.fullmatch(part)
    if match is None:
        raise UsageError(f"--index: expected ranges such as 0-9,12,20-40:5, got {text!r}")
    first, last, step = (int(number) for number in (match[1], match[2] or match[1], match[3] or "1"))
    if last < first or step == 0 or last >= MAX_INDICES:
        raise UsageError(f"--index: expected a range from low to high below {MAX_INDICES}, got {part!r}")
    return range(first, last + 1, step)
