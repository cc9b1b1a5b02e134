"""blendgen preview: a labelled contact sheet in seconds."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click

from blendgen.cli.options import load, spec_argument, spec_options, stock
from blendgen.cli.progress import Progress
from blendgen.errors import DatasetError, UsageError

_LONGER_SIDE_PX = 160
_SAMPLES = 8


@click.command("preview")
@spec_argument
@click.option(
    "-o",
    "--output",
    "sheet",
    type=click.Path(path_type=Path),
    default=Path("preview.png"),
    show_default=True,
    help="Picture to write.",
)
@click.option(
    "-n", "--images", type=click.IntRange(1, 400), default=12, show_default=True, help="How many images."
)
@click.option("--boxes/--no-boxes", default=True, show_default=True, help="Draw the labels' boxes.")
@spec_options
def command(spec, sheet, images, boxes, overrides, seed, render, strict):
    """Render a few images of SPEC, small and quick, onto one labelled contact sheet.

    With --render the preset decides size and quality.
    """  # fmt: skip
    from blendgen.dataset.store import Store
    from blendgen.farm.generate import generate
    from blendgen.farm.job import Job
    from blendgen.record import dataset_record
    from blendgen.report.contact_sheet import dataset_sheet
    from blendgen.spec.load import resolved_yaml

    if sheet.suffix.lower() not in (".png", ".jpg", ".jpeg", ".webp"):
        raise UsageError(f"-o {sheet}: name a picture that ends in .png, .jpg or .webp")
    spec_file = load(spec, overrides, seed, render)
    quick = spec_file.spec if render else _quick(spec_file.spec)
    inventory = stock(spec_file, strict)
    record = dataset_record(quick, inventory)
    with tempfile.TemporaryDirectory(prefix="blendgen-preview-") as scratch:
        folder = Path(scratch) / "preview"
        with Store(folder, record, resolved_yaml(quick)) as store, Progress() as progress:
            job = Job(quick, inventory.catalog, inventory.roster, folder, store.layout.log)
            generate(job, store, range(images), progress)
        page = dataset_sheet(folder, limit=images, columns=min(6, images), boxes=boxes)
        try:
            sheet.parent.mkdir(parents=True, exist_ok=True)
            page.save(sheet)
        except OSError as error:
            raise DatasetError(f"{sheet}: cannot be written: {error.strerror or error}") from None
    click.echo(str(sheet))


def _quick(spec):
    """The spec at a size and quality for a first look."""
    scale = min(1.0, _LONGER_SIDE_PX / max(spec.resolution))
    resolution = tuple(max(16, round(side * scale)) for side in spec.resolution)
    samples = min(_SAMPLES, spec.render.samples_per_pixel)
    render = spec.render.model_copy(update={"samples_per_pixel": samples})
    return spec.model_copy(update={"resolution": resolution, "render": render})
