"""blendgen farm: the files with which a render farm makes a data set in shards, and merges them."""

from __future__ import annotations

import functools

import click

from blendgen import api
from blendgen.cli.command import Group
from blendgen.cli.options import overrides, spec_argument, spec_options
from blendgen.cli.places import LOCAL_PATH, PLACE, LocalPath
from blendgen.cli.progress import Progress
from blendgen.cli.terminal import echo, echo_json, say


def _job_options(command):
    """What all farms need to know of the data set and of one shard."""
    options = [
        click.option("--shards", type=click.IntRange(1), required=True,
                     help="Number of shards, each a folder in `shards` of the data set."),
        click.option("-n", "--images", type=click.IntRange(1),
                     help="Number of images; default: as the spec says."),
        click.option("--cpus", type=click.IntRange(1), default=4, show_default=True,
                     help="Cores of a shard."),
        click.option("--memory", default="8G", show_default=True, help="Memory of a shard, such as 16G."),
        click.option("--gpus", type=click.IntRange(0), default=0, show_default=True, help="GPUs of a shard."),
        click.option("--device", default="cpu", show_default=True, metavar="DEVICE",
                     help="With --gpus: cuda, optix, hip or oneapi."),
        click.option("--name", help="Name of the job: a-z, 0-9 and -; default: from the name of the spec."),
        click.option("--notice", "notice_s", type=click.IntRange(1), default=120, show_default=True,
                     help="Seconds between the signal to stop and the end: more than a shot takes."),
        click.option("--program", metavar="COMMAND",
                     help="What starts blendgen there, such as 'apptainer exec blendgen.sif blendgen'."),
        click.option("--allow-mixed-devices", is_flag=True,
                     help="Merge also shards of different devices or kinds of processors."),
        spec_options,
    ]  # fmt: skip
    return functools.reduce(lambda wrapped, option: option(wrapped), reversed(options), command)


_out_option = click.option(
    "-o", "--output", "folder", type=PLACE, required=True,
    help="Folder of the data set, which all machines see at the same path, or its URL.",
)  # fmt: skip


_json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print the result as JSON on stdout."
)  # fmt: skip


def _job(spec, folder, shards, images, settings, seed, render, **options) -> dict[str, object]:
    """The options of a command as arguments of a function of blendgen.api."""
    changes = list(overrides(settings, seed, render, images))
    return {"spec": spec, "folder": folder, "shards": shards, "overrides": changes, **options}


@click.group(
    "farm",
    cls=Group,
    examples={
        "20 shards on Slurm, then their merge": "blendgen farm slurm scene.yaml -o /shared/out --shards 20 "
        "--submit",
        "a bundle for AWS Deadline Cloud": "blendgen farm openjd scene.yaml -o bundle --shards 20",
    },
)
def command():
    """Write what a render farm needs to make one data set in shards.

    docs/farms.md describes the farms, and others that need no file of their own.
    """


@command.command(
    "slurm",
    short_help="A script for Slurm: shards, then their merge.",
    examples={
        "write the script, to read it before it is run": "blendgen farm slurm scene.yaml -o /shared/out "
        "--shards 20 --script job.sh",
        "one GPU for each shard": "blendgen farm slurm scene.yaml -o /shared/out "
        "--shards 20 --gpus 1 --device cuda --submit",
    },
)
@spec_argument
@_out_option
@_job_options
@click.option("--time", default="4:00:00", show_default=True,
              help="Time limit of a shard, as Slurm writes it.")  # fmt: skip
@click.option("--partition", help="Partition of Slurm.")
@click.option("--account", help="Account of Slurm.")
@click.option("--max-running", type=click.IntRange(1), help="Shards at the same time; default: all.")
@click.option("--max-requeues", type=click.IntRange(0), default=20, show_default=True,
              help="How often a shard that stopped early asks for a new place in the queue.")  # fmt: skip
@click.option("--logs", type=LocalPath(exists=True, file_okay=False),
              help="Folder of the log files; default: where the script is submitted.")  # fmt: skip
@click.option("--sbatch", multiple=True, metavar="OPTION",
              help="Another option of sbatch, such as --exclude=node7. May be repeated.")  # fmt: skip
@click.option("--script", type=LOCAL_PATH, help="Write the script to this file instead of stdout.")
@click.option("--submit", "is_submitted", is_flag=True, help="Submit both jobs and print their ids.")
@_json_option
def slurm(script, is_submitted, as_json, **options):
    """Write a bash script that submits an array of shards to Slurm, and a job that merges them."""
    from blendgen.farm.slurm import submit
    from blendgen.files.result_file import write_result

    with Progress(own_stdout=True):
        text = api.slurm_script(**_job(**options))
        if script is not None:
            write_result(script, text.encode("ascii"))
        jobs = dict(submit(text)) if is_submitted else {}
    if as_json:
        place = None if script is None else str(script)
        echo_json({"schema_version": 1, "script": place, "text": text, "jobs": jobs})
    elif is_submitted:
        for name, number in jobs.items():
            echo(f"{name} {number}")
    elif script is None:
        echo(text.removesuffix("\n"))
    else:
        say(f"{script}: written; submit it with bash")


@command.command(
    "openjd",
    short_help="A bundle of Open Job Description.",
    examples={
        "a bundle whose data set is made in it": "blendgen farm openjd scene.yaml -o bundle --shards 20",
        "with the data set in a folder that all machines see": "blendgen farm openjd scene.yaml -o bundle "
        "--dataset /shared/out --shards 200",
    },
)
@spec_argument
@click.option("-o", "--output", "folder", type=LocalPath(file_okay=False), required=True,
              help="Folder of the bundle.")  # fmt: skip
@click.option("--dataset", "dataset", type=PLACE,
              help="Folder of the data set, which all machines see, or its URL; default: in the "
              "bundle.")  # fmt: skip
@_job_options
@click.option("--target-time", "target_s", type=click.IntRange(1), default=900, show_default=True,
              help="Seconds that a task is to take; it gets as many shards as fit.")  # fmt: skip
@_json_option
def openjd(folder, dataset, as_json, **options):
    """Write a job bundle of Open Job Description, which AWS Deadline Cloud takes too."""
    from blendgen.files.result_file import refuse_others_file, write_result

    with Progress(own_stdout=True):
        files = api.openjd_bundle(**_job(folder=dataset or folder / "dataset", **options))
        for name in files:
            refuse_others_file(folder / name)
        for name, text in files.items():
            write_result(folder / name, text.encode("ascii"))
    if as_json:
        echo_json({"schema_version": 1, "bundle": str(folder), "files": [*files]})
    else:
        echo(str(folder))


@command.command(
    "kubernetes",
    short_help="A manifest for Kubernetes.",
    examples={
        "spec and models in the image, the data set in a bucket": "blendgen farm kubernetes scene.yaml "
        "-o s3://data/out --shards 9 --image blendgen --secret s3-key",
        "all of it on a volume": "blendgen farm kubernetes /d/s.yaml -o /d/out --shards 9 "
        "--image blendgen --claim data --volume /d",
    },
)
@spec_argument
@_out_option
@_job_options
@click.option("--image", required=True, help="Image of the pods, with blendgen as its entry point.")
@click.option("--claim", help="Volume claim that all pods read and write; not needed if OUT is a URL.")
@click.option("--volume", type=LOCAL_PATH,
              help="The folder here that the claim holds, with SPEC, models and OUT; pods see it at the same "
              "path. Without it, the image has SPEC and models.")  # fmt: skip
@click.option("--secret", help="Secret whose keys are variables of the pods, such as AWS_ACCESS_KEY_ID.")
@click.option("--service-account", help="Service account of the pods, such as one with rights to a bucket.")
@click.option("--namespace", help="Namespace of the Jobs.")
@click.option("--max-running", type=click.IntRange(1), help="Pods at the same time; default: all.")
@click.option("--retries", type=click.IntRange(0), default=6, show_default=True,
              help="How often a shard is tried again; lost nodes do not count.")  # fmt: skip
@_json_option
def kubernetes(as_json, **options):
    """Write an Indexed Job that makes the shards, and a suspended Job that merges them, to stdout."""
    with Progress(own_stdout=True):
        manifest = api.kubernetes_manifest(**_job(**options))
    if as_json:
        echo_json({"schema_version": 1, "text": manifest})
    else:
        echo(manifest.removesuffix("\n"))
