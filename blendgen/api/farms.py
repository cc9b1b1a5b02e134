"""Render farms: one data set on many machines. A failure raises a BlendgenError."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, Unpack

from blendgen.api.specs import load_spec

if TYPE_CHECKING:
    from blendgen.api.specs import Overrides
    from blendgen.farm.job import FarmJob, FarmOptions

    AnyPath: TypeAlias = str | os.PathLike[str]


def slurm_script(
    spec: AnyPath, folder: AnyPath, shards: int, *,
    overrides: Overrides | None = None, time: str = "4:00:00", partition: str | None = None,
    account: str | None = None, max_running: int | None = None, max_requeues: int = 20,
    logs: AnyPath | None = None, sbatch: Sequence[str] = (), **options: Unpack[FarmOptions],
) -> str:  # fmt: skip
    """A bash script that submits an array of `shards` jobs to Slurm, and a job that merges them.

    spec, overrides: as for generate, but a file; folder: of the data set; all machines see both
    time: limit of each job, in Slurm's notation; max_running: jobs at the same time
    max_requeues: how often a shard that stopped early may ask for a new place in the queue
    logs: existing folder of the log files; None: the one in which the script is run
    sbatch: further options of sbatch, such as "--exclude=node7"
    options: see FarmOptions
    raises: SpecError; UsageError for what Slurm could not run
    """
    from blendgen.farm import slurm

    place = None if logs is None else Path(logs)
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
    image: str, claim: str, volume: AnyPath, overrides: Overrides | None = None,
    namespace: str | None = None, max_running: int | None = None, retries: int = 6,
    **options: Unpack[FarmOptions],
) -> str:  # fmt: skip
    """The manifest of an Indexed Job that makes the shards, and of a Job that merges them.

    image: of the pods, with blendgen as its entry point; claim: name of the volume claim that they share
    volume: the folder here that the claim holds, with spec, models and data set; pods see it at the same path
    max_running: pods at the same time; retries: of a shard, without lost nodes
    The rest is as for slurm_script.
    raises: SpecError; UsageError for what a Job could not express
    """
    from blendgen.farm import kubernetes

    place = kubernetes.KubernetesOptions(image, claim, Path(volume), namespace, max_running, retries)
    return kubernetes.manifest(_job(spec, folder, shards, overrides, options), place)


def _job(
    spec: AnyPath, folder: AnyPath, shards: int, overrides: Overrides | None, options: FarmOptions
) -> FarmJob:
    from blendgen.farm.job import farm_job

    return farm_job(load_spec(Path(spec), overrides), Path(spec), Path(folder), shards, **options)
