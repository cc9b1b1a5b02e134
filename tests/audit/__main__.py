"""`make audit`: the labels of every scene of scenes/ against a ray cast that is not Cycles.

Goes on until enough products were in view, prints one table, and exits with 1 where a label is wrong.
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


def cells(name: str, found: Findings) -> tuple[str, ...]:
    numbers = (
        *(found.rows, found.products, found.hidden_products, found.cut_products, found.wrong_px),
        *(f"{100 * found.wrong_share:.4f}", found.inner_px),
        *(found.lens_px, f"{found.fraction_error:.4f}", f"{found.truncation_error:.4f}", found.box_error_px),
        *(f"{1000 * found.depth_error_m:.3f}", found.wrong_classes, found.keypoints),
        *(found.wrong_keypoints, found.undecided_keypoints, found.unchecked_px),
        *(found.unchecked_products, found.unchecked_truncations, len(found.faults)),
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
