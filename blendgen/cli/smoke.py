"""blendgen smoke: a spec in CI, compared with golden files within seconds."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from blendgen import api
from blendgen.cli.command import Command
from blendgen.cli.duration import Duration
from blendgen.cli.options import overrides, spec_argument, spec_options
from blendgen.cli.places import LOCAL_PATH
from blendgen.cli.progress import Progress
from blendgen.cli.terminal import echo, echo_json, say, say_always, say_warning
from blendgen.errors import BlendgenError, ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from blendgen.golden.findings import Check, SmokeReport


@click.command(
    "smoke",
    cls=Command,
    examples={
        "make the golden files, to be committed": "blendgen smoke scene.yaml --update",
        "compare with them in CI": "blendgen smoke scene.yaml --junit smoke.xml -o smoke-out",
    },
)
@spec_argument
@click.option(
    "--golden",
    type=LOCAL_PATH,
    metavar="DIR",
    help="Folder of the golden files; default: smoke/NAME next to SPEC, which is NAME.yaml.",
)
@click.option("--update", is_flag=True, help="Write the golden files instead; refused in CI.")
@click.option(
    "--budget",
    type=Duration(),
    default="60s",
    show_default=True,
    metavar="TIME",
    help="Begin no further image after this time; fails if a class has no image then.",
)
@click.option(
    "-o",
    "--output",
    type=LOCAL_PATH,
    metavar="DIR",
    help="Keep pictures here: golden, actual, difference and a montage, to be uploaded.",
)
@click.option("--junit", type=LOCAL_PATH, metavar="FILE", help="Also write the result as JUnit XML.")
@click.option(
    "--require-ray-check",
    is_flag=True,
    help="Fail without the ray check; otherwise it is left out if embreex is not installed.",
)
@click.option("--device", default="cpu", show_default=True, metavar="DEVICE", help="As for generate.")
@spec_options
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON on stdout.")
def command(
    spec,
    golden,
    update,
    budget,
    output,
    junit,
    require_ray_check,
    device,
    settings,
    seed,
    render,
    strict,
    as_json,
):
    """Make one tiny image of each class of SPEC, at most 12, and compare them with golden files.

    Checks that every class appears, that the files and labels pass `verify`, and that they agree with a ray
    cast. The comparison has three tiers: with the same Blender and CPU, all pixels are equal; with another
    one, labels are equal, and images are within bounds that --update measured; on a GPU or with EEVEE, labels
    are compared. Exits with 1 if anything differs, with 9 without golden files. In GitHub Actions, adds
    annotations and a summary.
    """  # fmt: skip
    workspace = Path(os.environ.get("GITHUB_WORKSPACE") or ".")
    try:
        with Progress(own_stdout=as_json) as progress:
            report = api.smoke(
                spec, golden, output, junit=junit, overrides=overrides(settings, seed, render),
                budget_s=budget, update=update, require_ray_check=require_ray_check, device=device,
                strict=strict, progress=progress,
            )  # fmt: skip
    except BaseException as error:
        _tell_github_of_failure(error, spec, workspace)
        raise
    if as_json:
        echo_json({"schema_version": 1, **report.as_dict()})
    else:
        _print(report)
    _tell_github(report, workspace)
    if not report.passed:
        return ExitCode.FAILED
    return ExitCode.OK if report.has_golden else ExitCode.NO_GOLDEN


def _print(report: SmokeReport) -> None:
    for check in report.checks:
        echo(_check_line(check))
        if not check.skipped:
            for finding in check.findings:
                file, line = report.place(finding)
                echo(f"  {finding.text}  [{file}:{line}]" if finding.path else f"  {finding.text}")
    for text in report.left_out:
        echo(f"left out: {text}")
    if report.tier_text:
        echo(report.tier_text)
    say(", ".join(f"{step} {seconds:.1f} s" for step, seconds in report.seconds.items()))
    if report.updated:
        echo(f"wrote {report.golden}; look at its pictures, then commit it")
    elif report.has_golden and not report.passed:
        if report.output is None:
            say("-o DIR keeps pictures of what differs")
        say(f"if this is what you want: blendgen smoke {report.spec} --update")


def _check_line(check: Check) -> str:
    reason = check.findings[0].text if check.skipped else check.note
    return f"{check.name:<10} {check.status:<8} {reason}"


def _tell_github_of_failure(error: BaseException, spec: Path, workspace: Path) -> None:
    from blendgen.golden.ci import is_github
    from blendgen.golden.failure import failure_of
    from blendgen.golden.github import failure_annotations, failure_summary

    if is_github(os.environ):
        failure = failure_of(error, str(spec))
        _publish(failure_annotations(failure, workspace), failure_summary(failure))


def _tell_github(report: SmokeReport, workspace: Path) -> None:
    from blendgen.golden.ci import is_github
    from blendgen.golden.github import report_annotations, summary

    if is_github(os.environ):
        _publish(report_annotations(report, workspace), summary(report))


def _publish(annotations: Iterator[str], text: str) -> None:
    """Print annotations, and append to the summary of the job; that it cannot be written decides nothing."""
    from blendgen.files.folder import Folder

    for line in annotations:
        say_always(line)
    file = os.environ.get("GITHUB_STEP_SUMMARY")
    if file:
        path = Path(file).absolute()
        try:
            Folder(path.parent).append(path.name, text.encode())
        except BlendgenError as error:
            say_warning(f"note: the summary of the job was not written: {error}")
