"""Elastic: one data set by tasks on many machines, and one process that watches them and merges the shards.

In: a spec, a folder that all machines see, and an executor. Out: the data set that one run would make. What
is finished is in OUT/shards, so the same command continues after any end of this process.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import cast

from blendgen.dataset.identity import portable_spec
from blendgen.dataset.layout import Layout
from blendgen.dataset.lock import FolderLock
from blendgen.dataset.ownership import MERGING_KEY
from blendgen.dataset.store import read_record
from blendgen.engine.device import parse_device
from blendgen.errors import DatasetError, UsageError, did_you_mean
from blendgen.farm.elastic_run import ElasticRun
from blendgen.farm.executors import EXECUTORS
from blendgen.farm.executors.base import Executor, Resources, Work
from blendgen.farm.merge import MergeOptions, merge
from blendgen.farm.merge_places import refuse_foreign_output, removal_has_begun
from blendgen.farm.shard_count import shard_count
from blendgen.farm.shard_progress import ShardProgress
from blendgen.farm.shards import Shard
from blendgen.files.folder import Folder
from blendgen.spec.load import SpecFile, resolved_yaml
from blendgen.system.progress import Progress
from blendgen.workers.run import GenerateReport
from blendgen.workers.stop_signal import StopSignal


@dataclass(frozen=True)
class ElasticOptions:
    """How a data set is made on many machines; see api.generate.

    workers: of each task; shards: None for tasks of about a minute
    """

    executor: str
    resources: Resources
    shards: int | None = None
    device: str = "cpu"
    workers: int | None = None
    strict: bool = False
    check_files: bool = False
    retry_failed: bool = False
    allow_mixed_devices: bool = False

    def __post_init__(self) -> None:
        """Raises UsageError for what no machine could run."""
        if self.executor not in EXECUTORS:
            known = did_you_mean(self.executor, EXECUTORS)
            raise UsageError(f"--executor {self.executor}: unknown executor{known}")
        device, gpus = parse_device(self.device), self.resources.gpus
        if device.backend == "auto" or device.numbers:
            raise UsageError(f"--device {self.device}: name a kind that all machines have, such as cuda")
        if (device.backend == "cpu") == bool(gpus):
            raise UsageError(
                f"--device {self.device} and {gpus:g} GPUs for each task do not go together; with GPUs name "
                "a device such as cuda"
            )

    def words(self) -> tuple[str, ...]:
        """The options of `generate` in each task."""
        words = ["--progress", "none", "--device", self.device]
        words += ["--workers", str(self.workers)] if self.workers is not None else []
        flags = {"--strict": self.strict, "--check": self.check_files, "--retry-failed": self.retry_failed}
        return (*words, *(flag for flag, is_set in flags.items() if is_set))


def make_elastic(
    spec_file: SpecFile, folder: Path, options: ElasticOptions, progress: Progress
) -> GenerateReport | None:
    """Make and merge the shards of a data set; None if the folder is a finished data set already.

    raises: BlendgenError; Interrupted after a signal
    """
    spec, layout = spec_file.spec, Layout(folder.absolute())
    if spec.render.samples_per_pixel is None:
        raise UsageError(
            "render.target_psnr_db: each machine would measure the samples for itself; give "
            "render.samples_per_pixel too, as it is in the spec.yaml that `blendgen generate -n 1` writes"
        )
    if is_merged(layout, spec.images):
        if options.check_files or options.retry_failed:
            raise UsageError(
                f"{layout.root}: is a data set already, which only this machine can check (--check) or "
                "complete (--retry-failed); leave out --executor"
            )
        return None
    began_s = time.monotonic()
    existing = _make_shards(spec_file, layout, options, progress)
    _merge_and_remove(layout, options, progress)
    return _report(layout, existing, time.monotonic() - began_s)


def finish_removal(folder: Path, options: ElasticOptions, progress: Progress) -> None:
    """Remove the rest of the shards of a finished data set if their removal was cut off.

    Shards that somebody keeps next to it stay.
    """
    layout = Layout(folder.absolute())
    if removal_has_begun(layout):
        _merge_and_remove(layout, options, progress)


def _merge_and_remove(layout: Layout, options: ElasticOptions, progress: Progress) -> None:
    merge(layout.root, [], MergeOptions("hard", False, options.allow_mixed_devices, True), progress)


def _make_shards(spec_file: SpecFile, layout: Layout, options: ElasticOptions, progress: Progress) -> int:
    """Make all shards; returns how many images were there before."""
    spec, resources = spec_file.spec, options.resources
    spec_yaml, is_new = resolved_yaml(portable_spec(spec_file)), not layout.root.exists()
    with _removed_if_empty(layout.root, is_new), FolderLock(layout):
        refuse_foreign_output(layout)
        count = shard_count(layout, spec, options.shards, resources.cpus, resources.gpus)
        shards = [Shard(index, count) for index in range(count)]
        counts = ShardProgress(layout, spec, spec_yaml, shards, progress)
        existing = counts.begin()
        with (
            _shared_spec(layout, spec_yaml) as path,
            opened_executor(Work(path, layout.root, options.words()), options, progress) as executor,
            StopSignal() as stop,
        ):
            left = unfinished(shards, counts, options)
            ElasticRun(shards, left, executor, counts, options.allow_mixed_devices).make_all(stop)
    return existing


@contextmanager
def _removed_if_empty(folder: Path, is_new: bool) -> Iterator[None]:
    try:
        yield
    finally:
        if is_new:
            with suppress(OSError):  # not empty
                folder.rmdir()


def is_merged(layout: Layout, images: int) -> bool:
    """Whether the folder is a finished data set; raises DatasetError if it has a part of the images."""
    record = read_record(layout)
    if not record or MERGING_KEY in record:
        return False
    if record.get("images", 0) + record.get("images_failed", 0) >= images:
        return True
    raise DatasetError(
        f"{layout.root}: is a data set already, and only this machine can make the images that are missing; "
        "leave out --executor"
    )


def unfinished(shards: list[Shard], counts: ShardProgress, options: ElasticOptions) -> list[Shard]:
    """The shards that need a task. At least one does, which sees whether the models are still the same."""
    if options.check_files:
        return shards
    again = [
        shard
        for shard in shards
        if not counts.is_complete(shard) or (options.retry_failed and counts.has_failed_images(shard))
    ]
    return again or shards[-1:]


def opened_executor(
    work: Work, options: ElasticOptions, progress: Progress
) -> AbstractContextManager[Executor]:
    """raises: SetupError where the engine is missing"""
    opened = import_module(f"blendgen.farm.executors.{options.executor}").opened_executor
    return cast("AbstractContextManager[Executor]", opened(work, options.resources, progress))


@contextmanager
def _shared_spec(layout: Layout, spec_yaml: str) -> Iterator[Path]:
    """The spec, with all overrides, as a file that all machines see as long as the block lasts."""
    path = layout.temporary / "spec.yaml"
    folder = Folder(layout.root, layout.temporary.name)
    folder.write(layout.name(path), spec_yaml.encode())
    try:
        yield path
    finally:
        folder.remove(layout.name(path))
        folder.remove_temporary_files()


def _report(layout: Layout, existing: int, seconds: float) -> GenerateReport:
    record = read_record(layout)
    images, sheet = record["images"], layout.contact_sheet
    return GenerateReport(
        folder=layout.root,
        images=images,
        made=max(0, images - existing),
        existing=existing,
        failed=record["images_failed"],
        failed_per_reason=record["images_failed_per_reason"],
        images_per_split=record["images_per_split"],
        classes=tuple(record["classes"]),
        exposures_per_shot=record["exposures_per_shot"],
        contact_sheet=sheet if images else None,
        seconds=round(seconds, 3),
    )
