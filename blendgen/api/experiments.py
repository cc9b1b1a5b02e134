"""Experiments with cheap renders: what a classifier says about a spec. A failure raises a BlendgenError."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

from blendgen.errors import UsageError
from blendgen.files.url import local_path

if TYPE_CHECKING:
    from blendgen.experiments.probe import Probe
    from blendgen.system.progress import ProgressLike

    AnyPath: TypeAlias = str | os.PathLike[str]


def probe(
    run: AnyPath, spec: AnyPath, *,
    dest: AnyPath | None = None, parameters: Sequence[str] = (), images: int = 1000, size: int = 96,
    write_spec: AnyPath | None = None, force: bool = False, workers: int | None = None,
    progress: ProgressLike = False,
) -> Probe:  # fmt: skip
    """Find out by a designed experiment which parameters of a spec change the answers of a run, and write a
    page (docs/experiments.md).

    dest: of the page, which ends with .html; None: probe.html in run. Its numbers are next to it as JSON
    parameters: names of parameters and sections, such as "surface.kind"; none for all that vary
    images: how many drafts are rendered, about; size: their longer side in pixels
    write_spec: file for the spec with the changes that the page proposes; force: replace it
    workers: processes; None for as many as fit
    raises: UsageError, SpecError, CatalogError, DatasetError, SetupError; Interrupted
    """
    from blendgen.workers.early_worker import start_early_worker

    if images < 1:
        raise UsageError(f"images (--images): expected at least 1, got {images}")
    with start_early_worker() as early_worker:
        from blendgen.experiments.drafts import DraftOptions
        from blendgen.experiments.probe import ProbeOptions
        from blendgen.experiments.probe import probe as probed
        from blendgen.learn.run_folder import read_run
        from blendgen.system.progress import reported_to

        page, written = (None if place is None else local_path(place) for place in (dest, write_spec))
        options = ProbeOptions(
            tuple(parameters), images, written, force, DraftOptions(size, workers, early_worker)
        )
        with reported_to(progress) as reporter:
            return probed(read_run(local_path(run)), local_path(spec), page, options, reporter)
