"""`make audit`: the labels of every scene of scenes/ against a ray cast that is not Cycles.

Small images of each scene as it is, with things hanging before the camera, with products cut by the
border, and through a distorting lens, until enough products were in view; where there are models to
import ($BLENDGEN_TEST_MODELS, or shared/data beside the checkout), of sets of those too. Prints one
table; exits with 1 where a label is wrong.
"""

from __future__ import annotations

import itertools
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import click

from blendgen.audit.findings import Findings, total
from blendgen.cli.options import load, stock
from blendgen.dataset.manifest import read_rows
from blendgen.dataset.store import Store
from blendgen.errors import ExitCode
from blendgen.farm.generate import generate
from blendgen.farm.job import Job
from blendgen.farm.ray_check import checked
from blendgen.identity import portable_spec
from blendgen.record import dataset_record
from blendgen.spec.load import resolved_yaml

REPOSITORY = Path(__file__).resolve().parents[2]
WORKERS = 2
SMALL = (
    "resolution=[128,128]",
    "output.depth=true",
    "images=1000000",
    "exposures_per_shot=1",
    "sensor=ideal",
    "render={samples_per_pixel: 1, max_bounces: 0, denoise: false}",
)
OCCLUDED = (
    "occluders.catalog=occluders",
    "occluders.count={integers: [1, 2]}",
    "occluders.visible_fraction={uniform: [0.15, 0.95]}",
)
DISTORTED = (
    "camera.distortion.k1={uniform: [-0.3, 0.15]}",
    "camera.distortion.k2={uniform: [-0.03, 0.06]}",
    "camera.distortion.p1={uniform: [-0.01, 0.01]}",
    "camera.focal_length_mm={uniform: [20, 40]}",
)
MANY = ("per_image={integers: [1, 4]}",)
# so near that a phone or two, or a heap of them, reach out of the frame
NEAR_M, NEAR_HEAP_M = (0.3, 0.5), (0.35, 0.6)
# folders of test models: those that are small enough to be hidden by a hand, and how near is too near
SHOE_AND_BOTTLE = ["MaterialsVariantsShoe", "WaterBottle"]
SETS = {
    "lego20": (None, (0.12, 0.2)),
    "models/gltf": (SHOE_AND_BOTTLE, (0.8, 1.2)),
    "models/ycb": (None, (0.6, 0.9)),
}


@dataclass(frozen=True)
class Variant:
    """A scene with overrides."""

    name: str
    scene: Path
    overrides: tuple[str, ...] = ()


class Silent:
    """Nobody watches the progress of one variant."""

    def begin(self, total: int) -> None: ...

    def advance(self, count: int) -> None: ...


def variants() -> list[Variant]:
    """Every scene in four ways, and imported models where there are any."""
    scenes = [path for path in sorted((REPOSITORY / "scenes").glob("*.yaml")) if path.stem != "my_models"]
    return [*itertools.chain(*(in_four_ways(path.stem, path) for path in scenes)), *imported()]


def in_four_ways(name: str, scene: Path, own=(), small=None, near_m=NEAR_M) -> list[Variant]:
    """own: its overrides; small: others instead, where things have to be hidden or cut"""
    heap = name == "tote"
    low, high = NEAR_HEAP_M if heap else near_m
    lens = "elevation_deg: {uniform: [60, 90]}, focal_length_mm: {uniform: [50, 80]}"
    cut = (f"camera={{distance_m: {{uniform: [{low}, {high}]}}, {lens}}}",)
    small, many = own if small is None else small, () if heap else MANY
    return [
        Variant(name, scene, own),
        Variant(f"{name}, occluded", scene, (*small, *many, *OCCLUDED)),
        Variant(f"{name}, cut", scene, (*small, *many, *cut)),
        Variant(f"{name}, distorted", scene, (*own, *many, *DISTORTED)),
    ]


def imported() -> Iterator[Variant]:
    folder = Path(os.environ.get("BLENDGEN_TEST_MODELS", REPOSITORY.parent / "shared" / "data"))
    scene = REPOSITORY / "scenes" / "my_models.yaml"
    for name, (small, near_m) in SETS.items():
        if (folder / name).is_dir():
            whole = {"directory": str(folder / name)}
            own, few = ((f"products=[{json.dumps(one)}]",) for one in (whole, whole | {"models": small}))
            yield from in_four_ways(Path(name).name, scene, own, few if small else None, near_m)


def audited(variant: Variant, products: int, seed: int) -> Findings:
    """Findings of as many images of a variant as show so many products."""
    spec_file = load(variant.scene, (*SMALL, *variant.overrides), seed, None)
    inventory = stock(spec_file, strict=False)
    record, spec = dataset_record(spec_file.spec, inventory), resolved_yaml(portable_spec(spec_file))
    found = Findings()
    with tempfile.TemporaryDirectory(prefix="blendgen-audit-") as scratch:
        folder, log = Path(scratch) / "set", Path(scratch) / "log"
        job = Job(spec_file.spec, inventory.catalog, inventory.roster, folder, log, threads=1)
        with Store(folder, record, spec) as store:
            while found.products < products:
                images = range(found.rows, found.rows + images_for(products - found.products, found))
                generate(job, store, images, Silent(), WORKERS)
                rows = [row for row in read_rows(store.layout.manifest) if row["index"] in images]
                of_rows = [told(variant, seed, row, one) for row, one in checked(job, rows, WORKERS)]
                found = total([found, *of_rows])
    return found


def images_for(products: int, found: Findings) -> int:
    """How many images more, by the products that those so far have shown."""
    return max(2, round(products / (found.products / found.rows if found.rows else 1.5)))


def told(variant: Variant, seed: int, row, findings: Findings) -> Findings:
    """Findings whose faults say how to make that image again."""
    place = f"{variant.name}, seed {seed}, index {row['index']}"
    return replace(findings, faults=tuple(f"{place}: {what}" for what in findings.faults))


HEAD = (
    *(
        "scene",
        "images",
        "products",
        "px differ",
        "share %",
        "inside",
        "lens",
        "fraction",
        "box px",
        "depth mm",
    ),
    *("classes", "px not checked", "products not checked", "faults"),
)


def cells(name: str, found: Findings) -> tuple[str, ...]:
    numbers = (
        *(found.rows, found.products, found.wrong_px, f"{100 * found.wrong_share:.4f}", found.inner_px),
        *(found.lens_px, f"{found.fraction_error:.4f}", found.box_error_px),
        *(f"{1000 * found.depth_error_m:.3f}", found.wrong_classes, found.unchecked_px),
        *(found.unchecked_products, len(found.faults)),
    )
    return (name, *map(str, numbers))


def printed(line: tuple[str, ...]) -> str:
    name, *numbers = line
    widths = [max(8, len(title)) for title in HEAD[1:]]
    return f"{name:26}" + " ".join(f"{one:>{width}}" for one, width in zip(numbers, widths, strict=True))


@click.command()
@click.option("--products", default=2000, show_default=True, help="How many must be in view, in all.")
@click.option("--seed", default=1, show_default=True)
@click.option("--only", help="Variants whose name begins so.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON on stdout.")
def main(products: int, seed: int, only: str | None, as_json: bool) -> None:
    """Check the labels of all scenes against a ray cast."""
    chosen = [one for one in variants() if one.name.startswith(only or "")]
    every: dict[str, Findings] = {}
    click.echo(printed(HEAD), err=as_json)
    for variant in chosen:
        every[variant.name] = audited(variant, -(-products // len(chosen)), seed)
        click.echo(printed(cells(variant.name, every[variant.name])), err=as_json)
    every["all"] = total(every.values())
    click.echo(printed(cells("all", every["all"])), err=as_json)
    for fault in every["all"].faults:
        click.echo(fault, err=True)
    if as_json:
        click.echo(json.dumps({"seed": seed, "sets": {name: asdict(one) for name, one in every.items()}}))
    sys.exit(ExitCode.FAILED if every["all"].faults else ExitCode.OK)


if __name__ == "__main__":
    main()
