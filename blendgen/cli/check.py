"""blendgen check: is the spec valid, can its models be used, and what would be made."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from blendgen import api
from blendgen.cli.command import Command
from blendgen.cli.options import overrides, spec_argument, spec_options
from blendgen.cli.progress import Progress
from blendgen.cli.terminal import echo, echo_json

if TYPE_CHECKING:
    from blendgen.draw.survey import CheckReport, SampledShots


@click.command(
    "check",
    cls=Command,
    examples={
        "report mistakes and what would be made": "blendgen check scene.yaml",
        "try another value": "blendgen check scene.yaml --set camera.roll_deg=0",
    },
)
@spec_argument
@spec_options
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON on stdout.")
def command(spec, settings, seed, render, strict, as_json):
    """Check SPEC and its models, and report what would be made. Nothing is rendered."""
    with Progress(own_stdout=as_json):
        report = api.check(spec, overrides=overrides(settings, seed, render), strict=strict)
    if as_json:
        echo_json({"schema_version": 1, **report.as_dict()})
    else:
        echo("\n".join(_lines(report)))


def _lines(report: CheckReport) -> list[str]:
    sampled, (width, height) = report.sampled, report.resolution
    nearest_m, farthest_m = sampled.distance_m
    least, most = sampled.frame_fill
    smallest_m, largest_m = sampled.largest_side_m
    return [
        f"{report.name}: {report.images} images of {width} x {height} px",
        f"{report.products} products in {len(report.classes)} classes: {', '.join(report.classes)}",
        f"camera {nearest_m:g} to {farthest_m:g} m away, products fill {least:g} to {most:g} of the frame "
        f"(first {sampled.shots + sampled.given_up} shots)",
        f"the largest sides of the products measure {smallest_m:g} to {largest_m:g} m",
        *_infeasible(sampled),
        *(f"note: {note}" for note in report.notes),
        "ok",
    ]


def _infeasible(sampled: SampledShots) -> list[str]:
    """How many draws are infeasible, and why."""
    total = sampled.draws - sampled.shots
    if not total:
        return []
    return [
        f"{total} of {sampled.draws} draws ({total / sampled.draws:.1%}) are infeasible:",
        *(f"  {one.draws} {one.reason}, such as: {one.example}" for one in sampled.infeasible),
    ]
