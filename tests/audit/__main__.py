"""`make audit`: compare the labels of every scene of scenes/ with a ray cast without Cycles.

Continues until enough products were visible, prints one table, and exits with 1 if a label is wrong.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

import click

from blendgen.errors import ExitCode
from blendgen.verification.rays.findings import Findings, total
from tests.audit.scenes import audited, variants

_TITLES = """scene, images, products, hidden, cut, px differ, share %, inside, lens, fraction, truncation,
box px, depth mm, classes, keypoints, wrong, undecided, px not checked, products not checked,
truncations not checked, faults"""
HEAD = tuple(title.strip() for title in _TITLES.split(","))


def cells(name: str, findings: Findings) -> tuple[str, ...]:
    numbers = (
        *(
            findings.rows,
            findings.products,
            findings.hidden_products,
            findings.cut_products,
            findings.wrong_px,
        ),
        *(f"{100 * findings.wrong_share:.4f}", findings.inner_px),
        *(
            findings.lens_px,
            f"{findings.fraction_error:.4f}",
            f"{findings.truncation_error:.4f}",
            findings.box_error_px,
        ),
        *(f"{1000 * findings.depth_error_m:.3f}", findings.wrong_classes, findings.keypoints),
        *(findings.wrong_keypoints, findings.undecided_keypoints, findings.unchecked_px),
        *(findings.unchecked_products, findings.unchecked_truncations, len(findings.faults)),
    )
    return (name, *map(str, numbers))


def printed(line: tuple[str, ...]) -> str:
    name, *numbers = line
    widths = [max(8, len(title)) for title in HEAD[1:]]
    return f"{name:26}" + " ".join(f"{one:>{width}}" for one, width in zip(numbers, widths, strict=True))


@click.command()
@click.option("--products", default=2000, show_default=True, help="How many must be in view, in all.")
@click.option("--seed", default=1, show_default=True)
@click.option("--only", multiple=True, help="Variants whose name begins so; may be repeated.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON on stdout.")
def main(products: int, seed: int, only: tuple[str, ...], as_json: bool) -> None:
    """Check the labels of all scenes against a ray cast."""
    chosen = [one for one in variants() if one.name.startswith(only or ("",))]
    every: dict[str, Findings] = {}
    click.echo(printed(HEAD), err=as_json)
    for variant in chosen:
        every[variant.name] = audited(variant, -(-products // len(chosen)), seed)
        click.echo(printed(cells(variant.name, every[variant.name])), err=as_json)
        for fault in every[variant.name].faults:
            click.echo(fault, err=True)
    every["all"] = total(every.values())
    click.echo(printed(cells("all", every["all"])), err=as_json)
    if as_json:
        click.echo(json.dumps({"seed": seed, "sets": {name: asdict(one) for name, one in every.items()}}))
    sys.exit(ExitCode.FAILED if every["all"].faults else ExitCode.OK)


if __name__ == "__main__":
    main()
