"""Faults: everything that can be checked of a finished data set, one check after the other.

In: a folder, and which checks in depth are wanted. Out: Faults as they are detected.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from blendgen.dataset.layout import Layout
from blendgen.dataset.refined import refuse_refined
from blendgen.dataset.store import read_record
from blendgen.errors import DatasetError, UsageError
from blendgen.system.progress import Progress
from blendgen.verification.dataset import Fault, verify


def dataset_faults(
    folder: Path, ray_check: int | None, rerender: int | None, workers: int | None, progress: Progress
) -> Iterator[Fault]:
    """Faults of all files and rows, then of a ray check and of images that are rendered again.

    ray_check, rerender: number of images; None for none
    raises: as api.verify
    """
    refuse_call(folder, ray_check, rerender)
    progress.begin(read_record(Layout(folder)).get("images", 0), "row")
    yield from verify(folder, progress.advance)
    if ray_check is not None or rerender is not None:
        yield from faults_in_depth(folder, ray_check, rerender, workers, progress)


def refuse_call(folder: Path, ray_check: int | None, rerender: int | None) -> None:
    """Raises UsageError for numbers below 1, DatasetError without a folder."""
    if rerender is not None:
        way_out = "leave rerender (--rerender) out, or check the data set that was refined"
        refuse_refined(folder, read_record(Layout(folder)), way_out)
    for name, count in (("ray_check", ray_check), ("rerender", rerender)):
        if count is not None and count < 1:
            raise UsageError(f"{name}: expected at least 1 image, got {count}")
    if not folder.is_dir():
        raise DatasetError(
            f"{folder}: is not a folder, or does not exist; give the OUT of `blendgen generate`"
        )


def faults_in_depth(
    folder: Path, ray_check: int | None, rerender: int | None, workers: int | None, progress: Progress
) -> Iterator[Fault]:
    """What needs the models and Blender, which is imported only here."""
    from blendgen.engine.blender.importing.measurer import BlenderMeasurer
    from blendgen.verification.ray_check import ray_faults
    from blendgen.verification.rays.cast import require_embree
    from blendgen.verification.reopen import reopen
    from blendgen.verification.rerender import rerender_faults

    if ray_check is not None:
        require_embree()
    reopened = reopen(folder, BlenderMeasurer())
    if reopened.fault is not None:
        yield reopened.fault
        return
    if ray_check is not None:
        yield from ray_faults(reopened, ray_check, progress, workers)
    if rerender is not None:
        yield from rerender_faults(reopened, rerender, progress, workers)
