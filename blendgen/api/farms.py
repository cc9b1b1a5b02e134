"""Render farms: one data set on many machines. A failure raises a BlendgenError."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias, Unpack

from blendgen.api.specs import generate, load_spec
from blendgen.files.url import is_url, local_path, parse_url

if TYPE_CHECKING:
    from blendgen.api.specs import AnySpec, Overrides
    from blendgen.farm.job import FarmJob, FarmOptions
    from blendgen.system.progress import ProgressLike
    from blendgen.workers.run import GenerateReport

    AnyPath: TypeAlias = str | os.PathLike[str]


def generate_on(
    executor: str, spec: AnySpec, folder: AnyPath, *,
    overrides: Overrides | None = None, shards: int | None = None, cpus_per_task: int = 1,
    gpus_per_task: float = 0, memory_per_task: str | None = None, workers: int | None = None,
    device: str = "cpu", strict: bool = False, check_files: bool = False, retry_failed: bool = False,
    allow_mixed_devices: bool = False, progress: ProgressLike = False,
) -> GenerateReport:  # fmt: skip
    """As generate, by tasks on many machines, each of which makes a shard (docs/farms.md).

    Ctrl-C lets the tasks finish the images that are being rendered and raises Interrupted; a second one ends
    them at once. The same call continues later, also after this process was killed.

    executor: "ray", the cluster of RAY_ADDRESS or one of this machine; "slurm", jobs that are submitted here
    folder: of the data set, which all machines see under this path, as they see the models
    shards: into how many parts the data set is divided; None for tasks of about a minute
    cpus_per_task, gpus_per_task, memory_per_task: what the engine gives to each task; memory has a unit, such
        as "4G"
    workers: processes of each task; None for one a core, as memory allows
    device: what Cycles renders on; not "auto", as all tasks have to render on the same kind
    allow_mixed_devices: accept images of different kinds of processors or cards, whose bytes differ
    spec, overrides, strict, check_files, retry_failed, progress: as for generate
    raises: BlendgenError; SetupError where the engine is missing; Interrupted after a signal
    """
    from blendgen.farm.elastic import ElasticOptions, finish_removal, make_elastic

    place = local_path(folder, "an executor")
    from blendgen.farm.executors.base import Resources
    from blendgen.farm.job import memory_mib
    from blendgen.system.progress import reported_to

    memory = None if memory_per_task is None else memory_mib(memory_per_task)
    options = ElasticOptions(
        executor, Resources(cpus_per_task, gpus_per_task, memory), shards, device, workers,
        strict, check_files, retry_failed, allow_mixed_devices,
    )  # fmt: skip
    spec_file = load_spec(spec, overrides)
    with reported_to(progress) as reporter:
        report = make_elastic(spec_file, place, options, reporter)
        if report is None:  # all is there: sees whether it is this data set
            report = generate(spec_file, folder, workers=1, strict=strict, progress=reporter)
            finish_removal(place, options, reporter)
        return report


def slurm_script(
    spec: AnyPath, folder: AnyPath, shards: int, *,
    overrides: Overrides | None = None, time: str = "4:00:00", partition: str | None = None,
    account: str | None = None, max_running: int | None = None, max_requeues: int = 20,
    logs: AnyPath | None = None, sbatch: Sequence[str] = (), **options: Unpack[FarmOptions],
) -> str:  # fmt: skip
    """A bash script that submits an array of `shards` jobs to Slurm, and a job that merges them.

    spec, overrides: as for generate, but a file; folder: of the data set; all machines see both, or
        folder is the text of a URL
    time: limit of each job, in Slurm's notation; max_running: jobs at the same time
    max_requeues: how often a shard that stopped early may ask for a new place in the queue
    logs: existing folder of the log files; None: the one in which the script is run
    sbatch: further options of sbatch, such as "--exclude=node7"
    options: see FarmOptions
    raises: SpecError; UsageError for what Slurm could not run
    """
    from blendgen.farm import slurm

    place = None if logs is None else local_path(logs)
    return slurm.slurm_script(
        _job(spec, folder, shards, overrides, options),
        slurm.SlurmOptions(time, partition, account, max_running, max_requeues, place, sbatch),
    )


def openjd_bundle(
    spec: AnyPath, folder: AnyPath, shards: int, *,
    overrides: Overrides | None = None, target_s: int = 900, **options: Unpack[FarmOptions],
) -> dict[str, str]:  # fmt: skip
    """The files of a job bundle for Open Job Description and AWS Deadline Cloud, by name.

    target_s: how long a task is to take; the scheduler gives it as many shards as fit
    The rest is as for slurm_script.
    raises: SpecError; UsageError for what a template could not express
    """
    from blendgen.farm import openjd

    return openjd.bundle(_job(spec, folder, shards, overrides, options), target_s)


def kubernetes_manifest(
    spec: AnyPath, folder: AnyPath, shards: int, *,
    image: str, claim: str | None = None, volume: AnyPath | None = None, overrides: Overrides | None = None,
    namespace: str | None = None, max_running: int | None = None, retries: int = 6,
    secret: str | None = None, service_account: str | None = None,
    **options: Unpack[FarmOptions],
) -> str:  # fmt: skip
    """The manifest of an Indexed Job that makes the shards, and of a Job that merges them.

    image: of the pods, with blendgen as its entry point; claim: name of the volume claim that they share
    volume: the folder here that the claim holds, with spec, models and data set; pods see it at the same path
    Without claim and volume, folder is a URL, and the image has spec and models.
    secret: whose keys are variables of the pods, such as credentials of an object store
    service_account: of the pods
    max_running: pods at the same time; retries: of a shard, without lost nodes
    The rest is as for slurm_script.
    raises: SpecError; UsageError for what a Job could not express
    """
    from blendgen.farm import kubernetes

    place = kubernetes.KubernetesOptions(
        image, claim, None if volume is None else local_path(volume), namespace, max_running, retries, secret,
        service_account,
    )  # fmt: skip
    return kubernetes.manifest(_job(spec, folder, shards, overrides, options), place)


def _job(
    spec: AnyPath, folder: AnyPath, shards: int, overrides: Overrides | None, options: FarmOptions
) -> FarmJob:
    from blendgen.farm.job import farm_job

    file, place = local_path(spec), parse_url(folder) if is_url(folder) else local_path(folder)
    return farm_job(load_spec(file, overrides), file, place, shards, **options)
