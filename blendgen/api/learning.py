"""Training on data sets and photos, and measuring on photos. A failure raises a BlendgenError."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeAlias

from blendgen.errors import UsageError
from blendgen.files.url import local_path

if TYPE_CHECKING:
    from blendgen.geometry.arrays import ImageHW3U8
    from blendgen.learn.classifier import Classifier
    from blendgen.learn.classify import Guess, Guesses
    from blendgen.learn.evaluate import Evaluation
    from blendgen.learn.quantize import Quantized
    from blendgen.learn.run_folder import Run
    from blendgen.refining.refine import Refined
    from blendgen.system.progress import ProgressLike

    AnyPath: TypeAlias = str | os.PathLike[str]


def train(
    folder: AnyPath, dest: AnyPath, *,
    head_only: bool = False, real: AnyPath | None = None, ratio: float | None = None,
    unlabelled: AnyPath | None = None, unknown: AnyPath | None = None,
    backbone: str = "efficientnet-lite0", size: int | None = None, epochs: int = 5,
    naive: bool = False, pseudo_labels: bool = False, seed: int = 0,
    progress: ProgressLike = False,
) -> Run:  # fmt: skip
    """Train a classifier on a data set (docs/learning.md), and on real photos, if there are some.

        run = train("dataset", "run", real="photos")

    For a detector, see train_detector.

    folder: or the text of a URL, whose files are fetched into the cache first
    A run that was killed goes on after the last epoch when it is called again.

    head_only: a linear head on a frozen backbone, in seconds; otherwise all layers are trained after it
    real: photos in class folders, with or without split folders, of which only train is used
    ratio: of the weight of all renders to that of all photos; None: chosen by cross-validation
    unlabelled: photos of the products without classes, whose feature mean and spread the renders get
    unknown: pictures of none of the classes: they set from when on `classify` rejects a photo
    size: side of the network's pictures, in pixels; None: that of the backbone's own training
    naive: everything at once, for comparison: no head first, photos as rare as they are
    pseudo_labels: train all layers on the surest half of the unlabelled photos too, with the classes that the
        network takes them for
    raises: UsageError, DatasetError; SetupError where the weights or an extra are missing: `learn`, or for
        head_only `features`
    """
    from blendgen.api.datasets import open_dataset
    from blendgen.learn.train import Options
    from blendgen.learn.train import train as trained
    from blendgen.system.progress import reported_to

    refuse_options(head_only, real, ratio, size, epochs, naive)
    if pseudo_labels and (unlabelled is None or real is not None or head_only or naive):
        raise UsageError(
            "pseudo_labels (--pseudo-labels): needs unlabelled (--unlabelled), and is not for real, "
            "head_only or naive"
        )
    own, plain, others = (
        None if place is None else local_path(place) for place in (real, unlabelled, unknown)
    )
    share = None if ratio is None else 1 / (1 + ratio)
    options = Options(
        backbone, own, plain, others, share, seed, size, head_only, epochs, naive, pseudo_labels
    )
    with reported_to(progress) as reporter:
        return trained(open_dataset(folder), local_path(dest), options, reporter)


def evaluate(
    run: AnyPath, photos: AnyPath, *,
    dest: AnyPath | None = None, dataset: AnyPath | None = None, arms: bool = False, seeds: int = 3,
    against: Sequence[AnyPath] = (), baseline: AnyPath | None = None, progress: ProgressLike = False,
) -> Evaluation:  # fmt: skip
    """Test a run on labelled photos that it has not seen, and write a page (docs/learning.md).

    photos: in class folders, with or without split folders, of which test is used, or val; for a detector
        with boxes, as a COCO file or a folder with annotations/instances_test.json and images/test
    dest: of the page, which ends with .html; None: evaluation.html in run. Its numbers are next to it as JSON
    The rest is for classifiers.

    dataset: that of the run, where it has moved: for the nearest renders, and for arms
    arms: also train on renders only, on few photos only, and on both, seeds times, and compare
    against: other runs of the same classes, to compare with on the same photos
    baseline: another data set of the same classes, such as plainer renders, as an arm of its own
    raises: UsageError, DatasetError, SetupError
    """
    from blendgen.learn.evaluate import evaluate as evaluated
    from blendgen.learn.run_folder import is_detector, read_run
    from blendgen.system.progress import reported_to

    if seeds < 1:
        raise UsageError(f"seeds (--seeds): expected at least 1, got {seeds}")
    if is_detector(local_path(run)):
        from blendgen.api.detection import evaluate_detector

        if arms or against or dataset is not None or baseline is not None:
            raise UsageError(
                "arms, against, dataset and baseline (--arms, ...): are for classifiers, RUN is a detector"
            )
        return evaluate_detector(local_path(run), local_path(photos), dest, progress)
    if baseline is not None and not arms:
        raise UsageError("baseline (--baseline) needs arms (--arms)")
    page, data, plain = (None if place is None else local_path(place) for place in (dest, dataset, baseline))
    with reported_to(progress) as reporter:
        own, *others = [read_run(local_path(one)) for one in (run, *against)]
        return evaluated(
            own, local_path(photos), page, data, seeds if arms else None, reporter, others, plain
        )


def quantize(
    run: AnyPath, *,
    photos: AnyPath | None = None, dataset: AnyPath | None = None, progress: ProgressLike = False,
) -> Quantized:  # fmt: skip
    """Add model.int8.onnx to a run, a quarter of the size, and measure both models (docs/learning.md).

    photos: labelled ones to test both on, as for evaluate; None: renders that were not used for calibration,
        for a detector perhaps those of val
    dataset: that of the run, where it has moved
    raises: UsageError, DatasetError, SetupError
    """
    from blendgen.detection.quantize import quantize as quantized_detector
    from blendgen.detection.run import read_detector_run
    from blendgen.learn.quantize import quantize as quantized
    from blendgen.learn.run_folder import is_detector, read_run
    from blendgen.system.progress import reported_to

    tested, data = (None if place is None else local_path(place) for place in (photos, dataset))
    with reported_to(progress) as reporter:
        if is_detector(local_path(run)):
            return quantized_detector(read_detector_run(local_path(run)), tested, data, reporter)
        return quantized(read_run(local_path(run)), tested, data, reporter)


def classify(
    model: AnyPath, *photos: AnyPath,
    threshold: float | None = None, reject: bool = True, progress: ProgressLike = False,
) -> Guesses:  # fmt: skip
    """Say of which class photos are, or of none (docs/learning.md).

        for guess in classify("run", "photos"):
            print(guess.photo, guess.label if guess.is_known else None, guess.probability)

    model: a run, or one of its ONNX files; photos: files, and folders of files at any depth
    threshold: of familiarity, below which a photo is of none of the classes; None: that of the model
    raises: UsageError, DatasetError, SetupError
    """
    from blendgen.learn.classify import classify as classified
    from blendgen.system.progress import reported_to

    if not photos:
        raise UsageError("photos (PHOTOS): expected a photo or a folder of photos")
    opened, limit = _classifier(model, threshold, reject)
    with reported_to(progress) as reporter:
        return classified(opened, [local_path(place) for place in photos], limit, reporter)


def classify_frames(
    model: AnyPath, frames: Iterable[ImageHW3U8], *, threshold: float | None = None, reject: bool = True
) -> Iterator[Guess]:
    """Say of which class pictures in memory are, one by one, such as those of an industrial camera.

        for guess in classify_frames("run/model.int8.onnx", camera):
            print(guess.label if guess.is_known else None, guess.probability)

    frames: each (h, w, 3) uint8, sRGB in the order red, green, blue; each is taken when the guess of the one
        before was
    threshold, reject: as of classify
    raises: UsageError, also for a frame of another kind; DatasetError, SetupError
    """
    from blendgen.learn.classify import classify_frames as classified

    opened, limit = _classifier(model, threshold, reject)
    return classified(opened, frames, limit)


def _classifier(model: AnyPath, threshold: float | None, reject: bool) -> tuple[Classifier, float | None]:
    """The model, and the familiarity below which it rejects; None: it rejects nothing."""
    from blendgen.learn.classifier import opened_classifier

    if threshold is not None and not math.isfinite(threshold):
        raise UsageError(f"threshold (--threshold): expected a finite number, got {threshold}")
    opened = opened_classifier(local_path(model))
    return opened, (opened.threshold if threshold is None else threshold) if reject else None


def refine(
    folder: AnyPath, dest: AnyPath, *,
    photos: AnyPath | None = None, command: str | None = None, steps: int = 2000,
    minutes: float | None = None, size: int = 96, regularization: float = 3.0, seed: int = 0,
    timeout_s: float = 120.0, link: str = "hard", force: bool = False, progress: ProgressLike = False,
) -> Refined:  # fmt: skip
    """Make the images of a data set more like photos, and write them with their labels as another data set
    (docs/refining.md). An image whose labels would no longer be right is left as it was.

        made = refine("dataset", "refined", photos="photos")
        print(made.origin["refined"], made.origin["left"])

    photos: a folder without labels, on which a refiner is trained; steps: of the training; minutes: after
        which it ends even if they are not done; size: side of the crops, pixels; regularization: weight of
        the difference from the renders; seed: of the training
    command: in place of photos, a program that is called for each image, such as
        "prog {image} {depth} {mask} {out}"; timeout_s: for each image
    link: how files that stay the same are placed in dest, "hard" or "copy"; force: replace another refined
        data set in dest
    raises: UsageError, DatasetError; SetupError where the extra `learn` is missing
    """
    from blendgen.api.datasets import open_dataset
    from blendgen.exporters.subset import LINKS
    from blendgen.photos.folder import photo_folder
    from blendgen.refining.program import Program, parsed_program
    from blendgen.refining.refine import Learning
    from blendgen.refining.refine import refine as refined
    from blendgen.system.progress import reported_to

    if (photos is None) == (command is None):
        raise UsageError("expected either photos (--photos) or a command (--command)")
    if link not in LINKS:
        raise UsageError(f"link: expected one of {', '.join(LINKS)}, got {link!r}")
    by: Learning | Program
    if photos is None:
        by = parsed_program(command or "", timeout_s)
    else:
        _refuse_training(steps, minutes, size, regularization)
        seconds = None if minutes is None else 60 * minutes
        by = Learning(photo_folder(local_path(photos)), steps, seconds, size, regularization, seed)
    with reported_to(progress) as reporter:
        return refined(open_dataset(folder).source, local_path(dest), by, link, force, reporter)


def _refuse_training(steps: int, minutes: float | None, size: int, regularization: float) -> None:
    if steps < 1:
        raise UsageError(f"steps (--steps): expected at least 1, got {steps}")
    if minutes is not None and not 0 < minutes < math.inf:
        raise UsageError(f"minutes (--minutes): expected more than 0, got {minutes:g}")
    if not 32 <= size <= 512:
        raise UsageError(f"size (--size): expected 32 to 512 pixels, got {size}")
    if not 0 <= regularization < math.inf:
        raise UsageError(f"regularization (--regularization): expected 0 or more, got {regularization:g}")


def refuse_options(
    head_only: bool, real: AnyPath | None, ratio: float | None, size: int | None, epochs: int, naive: bool
) -> None:
    """Raises UsageError for options that no training accepts."""
    if head_only and naive:
        raise UsageError("naive (--naive): is a way to train all layers; leave head_only (--head-only) out")
    if naive and ratio is not None:
        raise UsageError("ratio (--ratio): with naive (--naive), photos are as rare as they are")
    if ratio is not None and real is None:
        raise UsageError("ratio (--ratio): is for real photos; name their folder with real (--real)")
    if ratio is not None and not ratio > 0:
        raise UsageError(f"ratio (--ratio): expected a number above 0, got {ratio}")
    if size is not None and not 32 <= size <= 1024:
        raise UsageError(f"size (--size): expected 32 to 1024 pixels, got {size}")
    if epochs < 1:
        raise UsageError(f"epochs (--epochs): expected at least 1, got {epochs}")
