"""Quantize: the model of a detector with 8-bit integers, for small devices.

In: a DetectorRun, its data set, and photos with boxes if there are some. Out: model.int8.onnx in the run, and
what it costs. As for classifiers, renders of the split train say which values occur in the network, and ways
of rounding are tried until no more than one point of mAP50 is lost on other pictures. Decoding of boxes and
their suppression stay as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from blendgen.dataset.dataset import Dataset
from blendgen.dataset.object_limits import ObjectLimits
from blendgen.detection.average_precision import AveragePrecision, average_precision
from blendgen.detection.boxed_picture import BoxedPicture, dataset_pictures
from blendgen.detection.detector import Detector, opened_detector
from blendgen.detection.evaluate import unseen_photos
from blendgen.detection.run import DetectorRun
from blendgen.errors import DatasetError
from blendgen.files.scratch import scratch_folder
from blendgen.geometry.arrays import AnyArray
from blendgen.learn.choice import shuffled
from blendgen.learn.quantize import CALIBRATED, TESTED, Quantized
from blendgen.learn.rounding import MOST_LOST, latency_ms, least_lossy
from blendgen.learn.run_folder import INT8_MODEL, dataset_of_run, write_int8
from blendgen.learn.train import TRAIN, VAL
from blendgen.system.progress import Progress


@dataclass(frozen=True)
class _Inputs:
    """calibrating: of renders; tested: of other pictures, which are `of`"""

    calibrating: list[AnyArray]
    pictures: Sequence[BoxedPicture]
    tested: list[AnyArray]
    of: str


def quantize(run: DetectorRun, photos: Path | None, dataset: Path | None, progress: Progress) -> Quantized:
    """photos: with boxes, to test on; None: renders; dataset: that of the run, if it has moved

    raises: UsageError, DatasetError, SetupError
    """
    notes: list[str] = []
    plain = opened_detector(run.model)
    inputs = _inputs(run, plain, photos, dataset_of_run(run, dataset), notes, progress)
    before = _measured(plain, inputs)
    with scratch_folder("quantize") as scratch:
        path, rounding, after = least_lossy(
            run.model, inputs.calibrating, before.ap50,
            lambda path: _measured(opened_detector(path), inputs), lambda measured: measured.ap50, scratch,
        )  # fmt: skip
        model = path.read_bytes()
        facts = {
            "float": _facts(run.model, before, inputs), "int8": _facts(path, after, inputs),
            **rounding.facts(), "calibrated_on": f"{len(inputs.calibrating)} renders",
            "tested_on": inputs.of, "notes": notes,
        }  # fmt: skip
    if before.ap50 - after.ap50 > MOST_LOST:
        notes.append(f"{100 * (before.ap50 - after.ap50):.1f} points of mAP50 are lost on {inputs.of}")
    write_int8(run, model, facts)
    return Quantized(run.folder / INT8_MODEL, facts)


def _inputs(
    run: DetectorRun, detector: Detector, photos: Path | None, dataset: Dataset, notes: list[str],
    progress: Progress,
) -> _Inputs:  # fmt: skip
    limits = ObjectLimits(*(float(run.record["dataset"][name]) for name in ("min_visible", "min_area")))
    renders = {one.name: one for one in dataset_pictures(dataset, (TRAIN,), limits)}
    names = shuffled([*renders], 0)
    chosen = [renders[name] for name in names[: min(CALIBRATED, len(names) // 2)]]
    if not chosen:
        raise DatasetError(f"{dataset.folder}: has too few images for calibration")
    if photos is not None:
        tested, of = unseen_photos(run, photos, notes), "photos"
    elif VAL in dataset.splits:
        tested, of = dataset_pictures(dataset, (VAL,), limits)[:TESTED], "renders"
    else:
        tested, of = [renders[name] for name in names[len(chosen) :][:TESTED]], "renders"
    progress.begin(len(chosen) + len(tested), "image")
    calibrating, read = ([_read(detector, one, progress) for one in own] for own in (chosen, tested))
    return _Inputs(calibrating, tested, read, f"{len(tested)} {of}")


def _read(detector: Detector, picture: BoxedPicture, progress: Progress) -> AnyArray:
    progress.advance(1)
    return detector.input(picture.read())


def _measured(detector: Detector, inputs: _Inputs) -> AveragePrecision:
    detections = [
        detector.boxes_of(given, one.size_px)
        for given, one in zip(inputs.tested, inputs.pictures, strict=True)
    ]
    return average_precision(inputs.pictures, detections, len(detector.classes))


def _facts(path: Path, measured: AveragePrecision, inputs: _Inputs) -> dict[str, Any]:
    """latency_ms: median of one picture on one core, without reading it"""
    detector = opened_detector(path, threads=1)
    return {
        "file_bytes": path.stat().st_size,
        "latency_ms": latency_ms(
            lambda image: detector.boxes_of(image, (image.shape[2], image.shape[1])), inputs.calibrating
        ),
        "map50": measured.ap50, "map50_95": measured.ap50_95,
    }  # fmt: skip
