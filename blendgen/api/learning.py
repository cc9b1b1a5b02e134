"""Training on data sets and photos, and measuring on photos. A failure raises a BlendgenError."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, TypeAlias

from blendgen.errors import UsageError
from blendgen.files.url import local_path

if TYPE_CHECKING:
    from blendgen.learn.evaluate import Evaluation
    from blendgen.learn.run_folder import Run
    from blendgen.system.progress import ProgressLike

    AnyPath: TypeAlias = str | os.PathLike[str]


def train(
    folder: AnyPath, dest: AnyPath, *,
    head_only: bool = False, real: AnyPath | None = None, ratio: float | None = None,
    unlabelled: AnyPath | None = None, backbone: str = "efficientnet-lite0", seed: int = 0,
    progress: ProgressLike = False,
) -> Run:  # fmt: skip
    """Train a classifier on a data set (docs/learning.md), and on real photos, if there are some.

        run = train("dataset", "run", head_only=True, real="photos")

    folder: or the text of a URL, whose files are fetched into the cache first
    head_only: a linear head on a frozen backbone; the only way there is, and it must be asked for
    real: photos in class folders, with or without split folders, of which only train is used
    ratio: of the weight of all renders to that of all photos; None: chosen by cross-validation
    unlabelled: photos without classes, whose feature mean and spread the renders get
    raises: UsageError, DatasetError; SetupError where the extra `features` or the weights are missing
    """
    from blendgen.api.datasets import open_dataset
    from blendgen.learn.train import Options
    from blendgen.learn.train import train as trained
    from blendgen.system.progress import reported_to

    _refuse_options(head_only, real, ratio)
    real_folder, other_folder = (None if place is None else local_path(place) for place in (real, unlabelled))
    share = None if ratio is None else 1 / (1 + ratio)
    options = Options(backbone, real_folder, other_folder, share, seed)
    with reported_to(progress) as reporter:
        return trained(open_dataset(folder), local_path(dest), options, reporter)


def evaluate(
    run: AnyPath, photos: AnyPath, *,
    dest: AnyPath | None = None, dataset: AnyPath | None = None, arms: bool = False, seeds: int = 3,
    progress: ProgressLike = False,
) -> Evaluation:  # fmt: skip
    """Test a run on labelled photos that it has not seen, and write a page (docs/learning.md).

    photos: in class folders, with or without split folders, of which test is used, or val
    dest: of the page, which ends with .html; None: evaluation.html in run. Its numbers are next to it as JSON
    dataset: that of the run, where it has moved: for the nearest renders, and for arms
    arms: also train on renders only, on few photos only, and on both, seeds times, and compare
    raises: UsageError, DatasetError, SetupError
    """
    from blendgen.learn.evaluate import evaluate as evaluated
    from blendgen.learn.run_folder import read_run
    from blendgen.system.progress import reported_to

    if seeds < 1:
        raise UsageError(f"seeds (--seeds): expected at least 1, got {seeds}")
    page, data = (None if place is None else local_path(place) for place in (dest, dataset))
    with reported_to(progress) as reporter:
        return evaluated(
            read_run(local_path(run)), local_path(photos), page, data, seeds if arms else None, reporter
        )


def _refuse_options(head_only: bool, real: AnyPath | None, ratio: float | None) -> None:
    if not head_only:
        raise UsageError(
            "head_only (--head-only): training all layers is not part of this version; ask for a linear head "
            "on a frozen backbone"
        )
    if ratio is not None and real is None:
        raise UsageError("ratio (--ratio): is for real photos; name their folder with real (--real)")
    if ratio is not None and not ratio > 0:
        raise UsageError(f"ratio (--ratio): expected a number above 0, got {ratio}")
