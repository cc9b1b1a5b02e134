"""Detectors: training, and finding products in photos. A failure raises a BlendgenError."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from blendgen.api.learning import refuse_options
from blendgen.errors import UsageError
from blendgen.files.url import local_path

if TYPE_CHECKING:
    from blendgen.detection.detect import Findings
    from blendgen.detection.run import DetectorRun
    from blendgen.learn.evaluate import Evaluation
    from blendgen.system.progress import ProgressLike

    AnyPath: TypeAlias = str | os.PathLike[str]


def train_detector(
    folder: AnyPath, dest: AnyPath, *,
    real: AnyPath | None = None, ratio: float | None = None, backbone: str = "efficientnet-lite0",
    size: int = 320, epochs: int = 20, min_visible: float = 0.1, min_area: float = 25.0, seed: int = 0,
    progress: ProgressLike = False,
) -> DetectorRun:  # fmt: skip
    """Train a detector on the boxes of a data set (docs/detection.md), and on photos with boxes, if there are
    some.

        run = train_detector("dataset", "run", real="photos")

    folder: or the text of a URL, whose files are fetched into the cache first
    A run that was killed goes on after the last epoch when it is called again.

    real: a COCO file, or a folder with annotations/instances_train.json and images/train
    ratio: of renders to photos in a batch; None: one to one, if that is better than photos alone
    size: side of the network's pictures, in pixels
    min_visible, min_area: objects of which a smaller share, or fewer pixels, are visible do not count
    raises: UsageError, DatasetError; SetupError where the weights or the extra `learn` are missing
    """
    from blendgen.api.datasets import open_dataset
    from blendgen.dataset.object_limits import ObjectLimits
    from blendgen.detection.train import Options
    from blendgen.detection.train import train_detector as trained
    from blendgen.system.progress import reported_to

    refuse_options(False, real, ratio, size, epochs, False)
    if not 0 <= min_visible <= 1:
        raise UsageError(f"min_visible (--min-visible): expected a share from 0 to 1, got {min_visible}")
    if not 0 <= min_area < math.inf:
        raise UsageError(f"min_area (--min-area): expected a number of pixels, 0 or more, got {min_area}")
    share = None if ratio is None else 1 / (1 + ratio)
    photos = None if real is None else local_path(real)
    limits = ObjectLimits(min_visible, min_area)
    options = Options(backbone, photos, share, seed, size, epochs, limits)
    with reported_to(progress) as reporter:
        return trained(open_dataset(folder), local_path(dest), options, reporter)


def evaluate_detector(run: Path, photos: Path, dest: AnyPath | None, progress: ProgressLike) -> Evaluation:
    """What `evaluate` does with a run of a detector."""
    from blendgen.detection.evaluate import evaluate as evaluated
    from blendgen.detection.run import read_detector_run
    from blendgen.system.progress import reported_to

    page = None if dest is None else local_path(dest)
    with reported_to(progress) as reporter:
        return evaluated(read_detector_run(run), photos, page, reporter)


def detect(
    model: AnyPath, *photos: AnyPath, threshold: float | None = None, progress: ProgressLike = False
) -> Findings:
    """Find products in photos, with their boxes (docs/detection.md).

        for finding in detect("run", "photos"):
            for one in finding.boxes:
                print(finding.photo, one.label, one.score, one.box)

    model: a run of `train_detector`, or one of its ONNX files; photos: files, and folders at any depth
    threshold: of the score, below which a box does not count; None: that of the model
    raises: UsageError, DatasetError, SetupError
    """
    from blendgen.detection.detect import detect as detected
    from blendgen.detection.detector import opened_detector
    from blendgen.system.progress import reported_to

    if not photos:
        raise UsageError("photos (PHOTOS): expected a photo or a folder of photos")
    if threshold is not None and not 0 <= threshold <= 1:
        raise UsageError(f"threshold (--threshold): expected a number from 0 to 1, got {threshold}")
    opened = opened_detector(local_path(model))
    with reported_to(progress) as reporter:
        return detected(opened, [local_path(place) for place in photos], threshold, reporter)
