"""Experiments with cheap renders: what a classifier says about a spec. A failure raises a BlendgenError."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

from blendgen.errors import UsageError
from blendgen.files.url import local_path

if TYPE_CHECKING:
    from blendgen.experiments.probe import Probe
    from blendgen.experiments.select import Selection
    from blendgen.experiments.tune import Tuning
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


def select(
    run: AnyPath, spec: AnyPath, dest: AnyPath, *,
    images: int, candidates: int | None = None, photos: AnyPath | None = None, size: int = 96,
    workers: int | None = None, progress: ProgressLike = False,
) -> Selection:  # fmt: skip
    """Choose the images of a spec that are worth rendering, by drafts of more (docs/experiments.md).

        chosen = select("run", "scene.yaml", "chosen.txt", images=500)
        generate("scene.yaml", "out", indices=chosen.indices)

    dest: file for the numbers of the images; the scores go to a file of the same name with the suffix .json
    images: how many are chosen; candidates: from how many, None for four times as many
    photos: choose what is nearest to these photos; None: what the run is least sure of
    size: longer side of the drafts in pixels; workers: processes, None for as many as fit
    raises: UsageError, SpecError, CatalogError, DatasetError, SetupError; Interrupted
    """
    from blendgen.workers.early_worker import start_early_worker

    with start_early_worker() as early_worker:
        from blendgen.experiments.drafts import DraftOptions
        from blendgen.experiments.select import SelectOptions
        from blendgen.experiments.select import select as selected
        from blendgen.learn.run_folder import read_run
        from blendgen.system.progress import reported_to

        folder = None if photos is None else local_path(photos)
        options = SelectOptions(images, candidates, folder, DraftOptions(size, workers, early_worker))
        with reported_to(progress) as reporter:
            return selected(read_run(local_path(run)), local_path(spec), local_path(dest), options, reporter)


def tune(
    spec: AnyPath, dest: AnyPath, *,
    photos: AnyPath | None = None, unlabelled: AnyPath | None = None, parameters: Sequence[str] = (),
    trials: int = 30, images: int = 120, size: int = 96, backbone: str = "efficientnet-lite0", seed: int = 0,
    force: bool = False, workers: int | None = None, progress: ProgressLike = False,
) -> Tuning:  # fmt: skip
    """Search ranges of a spec whose images make better classifiers for photos (docs/experiments.md).

    dest: the new spec, written only if it is better on photos that the search has not seen; the evidence
        goes to a file of the same name with the suffix .tune.json, the state of the search to .tune.log
    photos: in class folders, of split folders only train; or unlabelled: without classes
    parameters: names of parameters and sections; none for all ranges of numbers
    trials: how many, those of an earlier call included; images: drafts of each; size: their longer side
    seed: of the halves of the photos and of the search; force: replace dest
    workers: processes; None for as many as fit
    raises: UsageError, SpecError, CatalogError, DatasetError; SetupError, also where optuna is missing
    """
    from blendgen.experiments.drafts import DraftOptions
    from blendgen.experiments.search import TuneOptions
    from blendgen.experiments.tune import tune as tuned
    from blendgen.system.progress import reported_to

    labelled, others = (None if place is None else local_path(place) for place in (photos, unlabelled))
    options = TuneOptions(
        labelled,
        others,
        tuple(parameters),
        trials,
        images,
        backbone,
        seed,
        force,
        DraftOptions(size, workers),
    )
    with reported_to(progress) as reporter:
        return tuned(local_path(spec), local_path(dest), options, reporter)
