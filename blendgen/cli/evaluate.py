"""blendgen evaluate: what a classifier or a detector is worth on real photos."""

from __future__ import annotations

import click

from blendgen import api
from blendgen.cli.command import Command
from blendgen.cli.options import opened_progress, progress_options
from blendgen.cli.places import LOCAL_PATH
from blendgen.cli.terminal import echo, echo_json, say_always


@click.command(
    "evaluate",
    cls=Command,
    examples={
        "write run/evaluation.html and run/evaluation.json": "blendgen evaluate run photos",
        "ask how many photos the renders are worth": "blendgen evaluate run photos --arms",
        "compare two runs on the same photos": "blendgen evaluate new photos --against old",
    },
)
@click.argument("run", type=LOCAL_PATH, metavar="RUN")
@click.argument("photos", type=LOCAL_PATH, metavar="PHOTOS")
@click.option(
    "-o",
    "--output",
    "dest",
    type=LOCAL_PATH,
    metavar="FILE",
    help="The page; default: RUN/evaluation.html.",
)
@click.option(
    "--arms",
    is_flag=True,
    help="Also train on renders only, on 1 to 20 photos a class only, and on both, and compare.",
)
@click.option(
    "--seeds",
    type=click.IntRange(1, 100),
    default=3,
    show_default=True,
    help="Of --arms: how often photos to train on are chosen.",
)
@click.option(
    "--against",
    type=LOCAL_PATH,
    multiple=True,
    metavar="RUN",
    help="Another run, to compare with on the same photos; may be given several times.",
)
@click.option(
    "--baseline",
    type=LOCAL_PATH,
    metavar="OUT",
    help="Of --arms: another data set of the same classes, such as plainer renders, as an arm of its own.",
)
@click.option("--dataset", type=LOCAL_PATH, metavar="OUT", help="The data set of the run, if it has moved.")
@progress_options
@click.option("--json", "as_json", is_flag=True, help="Print the numbers as JSON on stdout.")
def command(
    run, photos, dest, arms, seeds, against, baseline, dataset, progress_style, progress_every, as_json
):
    """Test the classifier in RUN on PHOTOS, real photos in class folders that it was not trained on.

    For a detector, PHOTOS is a COCO file, or a folder with annotations/instances_test.json and images/test;
    mAP50 and mAP50:95 are printed, with AP of each class.

    Of split folders, test is used, or val; --arms then trains on train. The page has accuracy, recall of each
    class, confusion, calibration, and the surest mistakes next to the nearest renders.
    """  # fmt: skip
    from blendgen.learn.paired import points

    with opened_progress(progress_style, progress_every, as_json) as progress:
        result = api.evaluate(
            run,
            photos,
            dest=dest,
            dataset=dataset,
            arms=arms,
            seeds=seeds,
            against=against,
            baseline=baseline,
            progress=progress,
        )
    for note in result.facts["notes"]:
        say_always(f"note: {note}")
    if as_json:
        echo_json(result.facts)
        return
    if "map50" in result.facts:
        _echo_detector(result)
        return
    share = result.facts["accuracy"]
    echo(
        f"accuracy: {100 * share['value']:.1f} % ({100 * share['low']:.1f} to {100 * share['high']:.1f}), "
        f"{share['right']} of {share['count']} photos"
    )
    for one in result.facts["against"]:
        echo(
            f"against {one['run']}: {points(one['gain'])} points on {one['photos']} photos, "
            f"by chance {one['chance']:.2g}"
        )
    if result.facts["arms"]:
        echo(result.facts["arms"]["worth"]["sentence"])
    echo(f"evaluation: {result.page}")


def _echo_detector(result) -> None:
    from blendgen.detection.run_page import share, with_interval

    facts = result.facts
    photos = f"{facts['photos']['count']} photos with {facts['photos']['boxes']} boxes"
    echo(f"mAP50 {with_interval(facts['map50'])}, mAP50:95 {with_interval(facts['map50_95'])}, {photos}")
    for one in facts["per_class"]:
        own, mean = share(one["ap50"]), share(one["ap50_95"])
        echo(f"  {one['label']}: AP50 {own}, AP50:95 {mean}, {one['boxes']} boxes")
    own = facts["at_threshold"]
    precision, recall = share(own["precision"]), share(own["recall"])
    echo(f"from a score of {facts['threshold']:.2g}: precision {precision}, recall {recall}")
    echo(f"evaluation: {result.page}")
