"""blendgen train: a classifier or a detector from a data set, and from real photos."""

from __future__ import annotations

from typing import Any

import click

from blendgen import api
from blendgen.cli.choice import Choice
from blendgen.cli.command import Command
from blendgen.cli.options import opened_progress, progress_options
from blendgen.cli.places import LOCAL_PATH, PLACE
from blendgen.cli.ratio import parsed_ratio
from blendgen.cli.terminal import echo, echo_json, say_always
from blendgen.errors import UsageError

TASKS = ("classify", "detect")


@click.command(
    "train",
    cls=Command,
    examples={
        "all layers, on renders and real photos": "blendgen train out --real photos -o run",
        "a linear head on renders alone, in seconds": "blendgen train out --head-only -o run",
        "a detector, on renders and photos": "blendgen train out --task detect --real photos -o run",
    },
)
@click.argument("folder", type=PLACE, metavar="OUT")
@click.option("-o", "--output", "dest", type=LOCAL_PATH, required=True, help="Folder of the run.")
@click.option(
    "--task",
    type=Choice(TASKS),
    default="classify",
    show_default=True,
    help="What the network says of a picture: its class, or (detect) boxes with classes.",
)
@click.option(
    "--head-only",
    is_flag=True,
    help="Train a linear head on a frozen backbone: seconds, and no torch.",
)
@click.option(
    "--real",
    type=LOCAL_PATH,
    metavar="FOLDER",
    help="Real photos in class folders; of split folders, only train is used. For detect: with boxes, as a "
    "COCO file, or a folder with annotations/instances_train.json and images/train.",
)
@click.option(
    "--ratio",
    metavar="S:R",
    help="Renders to photos in a batch, or in weight with --head-only, such as 5:1; default: 1:1, or "
    "chosen by cross-validation.",
)
@click.option(
    "--unlabelled",
    type=LOCAL_PATH,
    metavar="FOLDER",
    help="Photos of the products without classes: renders get their feature mean and spread.",
)
@click.option(
    "--pseudo-labels",
    is_flag=True,
    help="Train all layers on half of the --unlabelled photos too, with the classes that the network takes "
    "them for.",
)
@click.option(
    "--unknown",
    type=LOCAL_PATH,
    metavar="FOLDER",
    help="Pictures of none of the classes, such as the empty place: they set when classify rejects a photo.",
)
@click.option(
    "--backbone",
    default="efficientnet-lite0",
    show_default=True,
    metavar="NAME",
    help="Also efficientnet-lite1, efficientnet-lite2, mobilenet-v2; their weights are other packages.",
)
@click.option(
    "--size",
    type=click.IntRange(32, 1024),
    metavar="N",
    help="Side of the network's pictures in pixels; 128 takes a third of the time. Default: that of the "
    "backbone, such as 224; 320 for detect.",
)
@click.option(
    "--epochs",
    type=click.IntRange(min=1),
    metavar="N",
    help="Epochs of each stage; default: 5, for detect 20.",
)
@click.option(
    "--min-visible",
    type=click.FloatRange(0, 1),
    metavar="SHARE",
    help="For detect: objects of which less is visible are neither trained on nor background; default: 0.1.",
)
@click.option(
    "--min-area",
    type=click.FloatRange(0),
    metavar="PIXELS",
    help="For detect: the same for objects with fewer visible pixels; default: 25.",
)
@click.option(
    "--naive",
    is_flag=True,
    help="For comparison: all layers at once, without the head first, photos as rare as they are.",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Of the folds of cross-validation, the order of the pictures and how they are changed.",
)
@progress_options
@click.option("--json", "as_json", is_flag=True, help="Print run.json on stdout.")
def command(
    folder,
    dest,
    task,
    head_only,
    real,
    ratio,
    unlabelled,
    pseudo_labels,
    unknown,
    backbone,
    size,
    epochs,
    min_visible,
    min_area,
    naive,
    seed,
    progress_style,
    progress_every,
    as_json,
):
    """Train a classifier or a detector on the images of the split train of OUT, and on --real photos.

    The run is a folder with model.onnx, which gives the probabilities of the classes for a photo, run.json,
    which says how it was made, and a page. A linear head comes first, then all layers at a small rate. With
    photos, training on photos alone is compared, so renders are only used where they help. A training that
    was stopped goes on when the same command is run again. Needs the extra learn (torch), and --head-only
    just features.

    With --task detect, the network finds products and their boxes: `blendgen detect` prints them, and
    docs/detection.md has the details.
    """  # fmt: skip
    of_task = {
        "head_only": head_only, "unlabelled": unlabelled, "pseudo_labels": pseudo_labels, "unknown": unknown,
        "naive": naive,
    }  # fmt: skip
    if task == "detect":
        _refuse(of_task, "classify")
        of_task, train = {"min_visible": min_visible, "min_area": min_area}, api.train_detector
    else:
        _refuse({"min_visible": min_visible, "min_area": min_area}, "detect")
        train = api.train
    given = {**of_task, "size": size, "epochs": epochs}
    with opened_progress(progress_style, progress_every, as_json) as progress:
        run = train(
            folder, dest, real=real, ratio=None if ratio is None else parsed_ratio(ratio),
            backbone=backbone, seed=seed, progress=progress,
            **{name: value for name, value in given.items() if value is not None},
        )  # fmt: skip
    for note in run.record["notes"]:
        say_always(f"note: {note}")
    if as_json:
        echo_json(run.record)
    else:
        echo(str(run.folder))


def _refuse(options: dict[str, Any], task: str) -> None:
    """Raises UsageError if options of another task were given."""
    for name, value in options.items():
        if value is not None and value is not False:
            raise UsageError(f"--{name.replace('_', '-')}: is for --task {task}; leave it out")
