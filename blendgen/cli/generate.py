"""blendgen generate: make a labelled data set."""

from __future__ import annotations

from pathlib import Path

import click

from blendgen.cli.options import load, spec_argument, spec_options, stock, workers_option
from blendgen.cli.terminal import echo, echo_json, say

_SHOWN = 5  # of a list of classes


@click.command("generate")
@spec_argument
@click.option(
    "-o",
    "--output",
    "folder",
    type=click.Path(path_type=Path),
    required=True,
    help="Folder of the data set; the same command goes on where it stopped.",
)
@click.option(
    "-n", "--images", type=click.IntRange(1, 100_000_000), help="How many images; default: the spec's."
)
@click.option(
    "--index",
    "index_range",
    metavar="RANGE",
    help="Only these images, such as 0-99,200-299:2, whatever -n says.",
)
@workers_option
@click.option(
    "--device",
    default="cpu",
    show_default=True,
    metavar="DEVICE",
    help="What Cycles computes on: cpu, cuda, optix, hip, oneapi, metal, some of the cards (cuda:0,2), "
    "or auto, the best that is there.",
)
@spec_options
@click.option(
    "--force",
    is_flag=True,
    help="Start afresh in a folder that holds another data set; files that are not of it are never removed.",
)
@click.option(
    "--check",
    is_flag=True,
    help="Compare every finished file with its sha256, not only its size, and make damaged ones again.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON on stdout.")
def command(
    spec, folder, images, index_range, workers, device, settings, seed, render, strict, force, check, as_json
):
    """Make the labelled images that SPEC describes, with masks and a manifest.

    Goes on where an earlier run stopped. The first Ctrl-C finishes the images in hand, the second
    stops at once. The images do not depend on --workers; on another --device their bytes do.
    """  # fmt: skip
    from blendgen.workers.early_worker import start_early_worker

    early_worker = click.get_current_context().with_resource(start_early_worker())  # Blender loads meanwhile

    import numpy as np

    from blendgen.cli.index_range import parse_range
    from blendgen.cli.progress import Progress
    from blendgen.dataset.identity import portable_spec
    from blendgen.dataset.ownership import SHEET_MARK
    from blendgen.dataset.record import dataset_record
    from blendgen.dataset.store import Store
    from blendgen.develop.encode import encode_jpeg
    from blendgen.engine.device import parse_device
    from blendgen.report.contact_sheet import dataset_sheet
    from blendgen.spec.load import resolved_yaml
    from blendgen.workers.calibrate import calibrate_spec
    from blendgen.workers.generate import generate
    from blendgen.workers.gpu_probe import devices_for
    from blendgen.workers.job import Job

    request = parse_device(device)
    spec_file = load(spec, settings, seed, render, images)
    wanted = parse_range(index_range) if index_range is not None else range(spec_file.spec.images)
    devices = devices_for(request)
    if device != "cpu":
        say(f"renders on {', '.join(map(str, devices))}")
    inventory = stock(spec_file, strict)
    spec_file = calibrate_spec(spec_file, inventory, devices, say, workers, None if force else folder)
    record = dataset_record(spec_file.spec, inventory)
    with Store(folder, record, resolved_yaml(portable_spec(spec_file)), force, check) as store:
        places = folder, store.layout.log
        job = Job(spec_file.spec, inventory.catalog, inventory.class_table, *places, devices=devices)
        with Progress() as progress:
            outcome = generate(job, store, wanted, progress, workers, early_worker)
        sheet = encode_jpeg(np.asarray(dataset_sheet(folder)), quality=88, comment=SHEET_MARK)
        store.write_sheet(sheet)
        _tell(outcome, store, as_json)


def _shots_words(exposures_per_shot: int) -> str:
    """What a person must know who counts images."""
    if exposures_per_shot == 1:
        return ""
    return f"; each {exposures_per_shot} are of one shot, and differ in light and camera alone"


def _tell(outcome, store, as_json: bool) -> None:
    from blendgen.dataset.store import unbalanced_splits

    record, layout = outcome.record, store.layout
    for split, labels in unbalanced_splits(record, store.summary).items():
        shown = ", ".join(labels[:_SHOWN]) + (
            f" and {len(labels) - _SHOWN} more" if len(labels) > _SHOWN else ""
        )
        say(f"note: the split {split} has no image of {shown}; make more images")
    result = {
        "schema_version": 1,
        "folder": str(layout.root),
        "images": record["images"],
        "made": outcome.made,
        "kept": outcome.existing,
        "images_per_split": record["images_per_split"],
        "classes": record["classes"],
        "contact_sheet": str(layout.contact_sheet),
    }
    if as_json:
        echo_json(result)
        return
    splits = ", ".join(f"{count} {split}" for split, count in record["images_per_split"].items())
    shots = _shots_words(record["exposures_per_shot"])
    say(f"{record['images']} images of {len(record['classes'])} classes ({splits}){shots}")
    echo(f"data set:      {layout.root}")
    echo(f"contact sheet: {layout.contact_sheet}")
