"""blendgen preview: a labelled contact sheet in seconds."""

from __future__ import annotations

from pathlib import Path

import click

from blendgen.cli.options import load, spec_argument, spec_options, stock
from blendgen.cli.terminal import echo
from blendgen.errors import Interrupted, UsageError

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
@click.option("--vary", metavar="PARAMETER", help="Change only this parameter (or section), evenly.")
@click.option("--ablate", metavar="PARAMETER", help="Change everything but this parameter (or section).")
@click.option("--index", type=click.IntRange(min=0), default=0, help="Image that the rest is as in.")
@spec_options
def command(spec, sheet, images, boxes, vary, ablate, index, settings, seed, render, strict):
    """Render a few images of SPEC, small and quick, onto one labelled contact sheet.

    With --render the preset decides size and quality. --vary camera.elevation_deg shows what one
    parameter does; the caption then tells its value.
    """  # fmt: skip
    from blendgen.workers.early_worker import start_early_worker

    early_worker = click.get_current_context().with_resource(start_early_worker())  # Blender loads meanwhile

    from blendgen.cli.progress import Progress
    from blendgen.cli.result_file import refuse_others_file, write_result
    from blendgen.dataset.record import dataset_record
    from blendgen.dataset.store import Store
    from blendgen.files.scratch import scratch_folder
    from blendgen.models.measuring.cache import cache_folder
    from blendgen.report.contact_sheet import dataset_sheet, encoded_sheet
    from blendgen.spec.load import resolved_yaml
    from blendgen.workers.generate import generate
    from blendgen.workers.job import Job

    if sheet.suffix.lower() not in (".png", ".jpg", ".jpeg", ".webp"):
        raise UsageError(f"-o {sheet}: name a picture that ends in .png, .jpg or .webp")
    refuse_others_file(sheet)
    spec_file = load(spec, settings, seed, render)
    quick = spec_file.spec if render else _quick(spec_file.spec)
    inventory = stock(spec_file, strict)
    sweep, captions = None, {}
    if vary or ablate:
        quick = quick.model_copy(update={"exposures_per_shot": 1})
        sweep, captions = steered(quick, inventory, vary, ablate, index, images)
    record = dataset_record(quick, inventory)
    with scratch_folder("preview") as scratch:
        folder, log = scratch / "preview", cache_folder() / "preview.log"
        log.unlink(missing_ok=True)
        with Store(folder, record, resolved_yaml(quick)) as store, Progress() as progress:
            job = Job(quick, inventory.catalog, inventory.class_table, folder, log, sweep=sweep)
            try:
                generate(job, store, range(images), progress, early_worker=early_worker)
            except Interrupted as error:
                raise Interrupted(error.exit_code - 128, "stopped; no sheet was written") from None
        page = dataset_sheet(folder, images, min(6, images), boxes, captions)
        write_result(sheet, encoded_sheet(page, sheet.suffix))
    echo(str(sheet))


def steered(spec, inventory, vary, ablate, anchor, images):
    """What changes from picture to picture, and a caption for each."""
    from blendgen.draw.shot import drawn_values
    from blendgen.draw.sweep import Sweep
    from blendgen.errors import did_you_mean
    from blendgen.spec.renamed_keys import renamed_parameter

    if vary and ablate:
        raise UsageError("give either --vary or --ablate")
    target = vary or ablate
    stock = inventory.catalog, inventory.class_table
    drawn = drawn_values(spec, *stock, anchor)
    sections = {name.rsplit(".", depth)[0] for name in drawn for depth in range(1, name.count(".") + 1)}
    known = {*drawn, *sections, "products"}
    if target not in known:
        unknown = (
            f"{target!r} does not vary in this spec (a constant, or no parameter)"
            f"{did_you_mean(target, known)}"
        )
        raise UsageError(renamed_parameter(target) or unknown)
    sweep = Sweep(target, bool(vary), anchor, images)
    values = [drawn_values(spec, *stock, i, sweep).get(target) for i in range(images)]
    name = target.rsplit(".", 1)[-1]
    return sweep, {i: f"{name} {_shown(value)}" for i, value in enumerate(values) if value is not None}


def _shown(value) -> str:
    if isinstance(value, tuple):
        return "(" + ", ".join(_shown(v) for v in value) + ")"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _quick(spec):
    """The spec at a size and quality for a first look."""
    scale = min(1.0, _LONGER_SIDE_PX / max(spec.resolution))
    resolution = tuple(max(16, round(side * scale)) for side in spec.resolution)
    samples = min(_SAMPLES, spec.render.samples_per_pixel or _SAMPLES)
    render = spec.render.model_copy(update={"samples_per_pixel": samples})
    return spec.model_copy(update={"resolution": resolution, "render": render})
