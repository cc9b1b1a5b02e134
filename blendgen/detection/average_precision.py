"""Average precision: how good the boxes of a detector are, as COCO measures it, with an interval.

In: pictures with boxes, and what a detector found in each. Out: AP at an IoU of 0.5, the mean over IoUs from
0.5 to 0.95, both for each class, and the share of boxes that were found. pycocotools measures; the interval
is a bootstrap over the pictures, as boxes of one picture are alike.
source: Lin et al. 2014, Microsoft COCO; Efron and Tibshirani 1993, An introduction to the bootstrap
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import bootstrap

from blendgen.detection.boxed_picture import BoxedPicture
from blendgen.detection.detector import Boxes
from blendgen.geometry.arrays import AnyArray

RESAMPLES = 400
_CONFIDENCE = 0.95
_MOST_BOXES = 100  # of a picture


@dataclass(frozen=True, eq=False)
class AveragePrecision:
    """ap: (t, c), of each IoU from 0.5 in steps of 0.05, and class; nan for classes without a box

    recall: (c,), the share of boxes found with an IoU of 0.5, however low their score; interval: of ap50 and
    of ap50_95, None where it was not asked for
    """

    ap: AnyArray
    recall: AnyArray
    boxes: AnyArray
    interval50: tuple[float, float] | None = None
    interval50_95: tuple[float, float] | None = None

    @property
    def ap50(self) -> float:
        return _mean(self.ap[0])

    @property
    def ap50_95(self) -> float:
        return _mean(self.ap)

    def facts(self, classes: Sequence[str]) -> dict[str, Any]:
        per_class = [
            {
                "label": label, "boxes": int(self.boxes[number]), "ap50": _plain(self.ap[0, number]),
                "ap50_95": _plain(self.ap[:, number].mean()), "recall50": _plain(self.recall[number]),
            }
            for number, label in enumerate(classes)
        ]  # fmt: skip
        return {
            "map50": _interval_facts(self.ap50, self.interval50),
            "map50_95": _interval_facts(self.ap50_95, self.interval50_95),
            "per_class": per_class,
        }


def average_precision(
    pictures: Sequence[BoxedPicture], detections: Sequence[Boxes], classes: int, has_interval: bool = False
) -> AveragePrecision:
    """At least one picture; found: of each picture, also boxes with low scores."""
    evaluation = _evaluated(pictures, detections, classes)
    ap, recall = _accumulated(evaluation)
    boxes = sum(
        (np.bincount(one.labels[~one.is_ignored], minlength=classes) for one in pictures),
        np.zeros(classes, int),
    )
    if not has_interval or len(pictures) < 2:
        return AveragePrecision(ap, recall, boxes)
    matches = np.array(evaluation.evalImgs, object).reshape(classes, len(pictures))

    def resampled(chosen: AnyArray) -> tuple[float, float]:
        evaluation.evalImgs = [*matches[:, chosen].ravel()]
        own, _ = _accumulated(evaluation)
        return _mean(own[0]), _mean(own)

    interval: Any = bootstrap(
        (np.arange(len(pictures)),), resampled, n_resamples=RESAMPLES, vectorized=False,
        confidence_level=_CONFIDENCE, method="percentile", random_state=0,
    ).confidence_interval  # fmt: skip
    low, high = (tuple(map(float, one)) for one in (interval.low, interval.high))
    return AveragePrecision(ap, recall, boxes, (low[0], high[0]), (low[1], high[1]))


def best_threshold(pictures: Sequence[BoxedPicture], detections: Sequence[Boxes], classes: int) -> float:
    """The score above which boxes give the largest F1 at an IoU of 0.5; 0.5 where nothing is found."""
    evaluation = _evaluated(pictures, detections, classes)
    matches = [one for one in evaluation.evalImgs if one is not None]
    is_counted = [~one["dtIgnore"][0].astype(bool) for one in matches]
    scores = np.concatenate(
        [np.array(one["dtScores"])[own] for one, own in zip(matches, is_counted, strict=True)]
    )
    is_right = np.concatenate(
        [one["dtMatches"][0][own] > 0 for one, own in zip(matches, is_counted, strict=True)]
    )
    wanted = sum(int((~one.is_ignored).sum()) for one in pictures)
    if not is_right.any():
        return 0.5
    order = np.argsort(-scores, kind="stable")
    right = np.cumsum(is_right[order])
    f1 = 2 * right / (np.arange(1, len(order) + 1) + wanted)
    return float(scores[order][int(np.argmax(f1))])


def _evaluated(pictures: Sequence[BoxedPicture], detections: Sequence[Boxes], classes: int) -> Any:
    """COCOeval after it has matched boxes, for all sizes of boxes."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = _coco(pictures, classes)
        truth.createIndex()
        result = COCO()
        result.dataset = {**truth.dataset, "annotations": _results(detections)}
        result.createIndex()
        evaluation = COCOeval(truth, result, "bbox")
        parameters = evaluation.params
        parameters.areaRng, parameters.areaRngLbl = [parameters.areaRng[0]], ["all"]
        parameters.maxDets = [_MOST_BOXES]
        evaluation.evaluate()
    return evaluation


def _accumulated(evaluation: Any) -> tuple[AnyArray, AnyArray]:
    """AP, (t, c), and recall at an IoU of 0.5, (c,); nan for classes without a box"""
    with contextlib.redirect_stdout(io.StringIO()):
        evaluation.accumulate()
    precision, recall = evaluation.eval["precision"][..., 0, 0], evaluation.eval["recall"][0, :, 0, 0]
    return _known(precision.mean(axis=1)), _known(recall)


def _coco(pictures: Sequence[BoxedPicture], classes: int) -> dict[str, Any]:
    annotations: list[dict[str, Any]] = []
    for image, one in enumerate(pictures):
        for box, label, is_ignored in zip(one.boxes, one.labels, one.is_ignored, strict=True):
            annotations.append(
                _annotation(len(annotations), image, box, label) | {"iscrowd": int(is_ignored)}
            )
    return {
        "info": {}, "images": [{"id": number} for number in range(len(pictures))],
        "categories": [{"id": number} for number in range(classes)], "annotations": annotations,
    }  # fmt: skip


def _results(detections: Sequence[Boxes]) -> list[dict[str, Any]]:
    results: list[dict[str, Any]] = []
    for image, own in enumerate(detections):
        for box, label, score in zip(own.boxes, own.labels, own.scores, strict=True):
            results.append(_annotation(len(results), image, box, label) | {"score": float(score)})
    return results


def _annotation(number: int, image: int, box: AnyArray, label: int) -> dict[str, Any]:
    x0, y0, x1, y1 = map(float, box)
    width, height = x1 - x0, y1 - y0
    return {
        "id": number + 1, "image_id": image, "category_id": int(label), "iscrowd": 0,
        "bbox": [x0, y0, width, height], "area": width * height,
    }  # fmt: skip


def _known(values: AnyArray) -> AnyArray:
    """pycocotools states -1 where there is nothing to measure."""
    return np.where(values < 0, np.nan, values)


def _mean(values: AnyArray) -> float:
    """Of those that are known; 0 if none is."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else 0.0


def _plain(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _interval_facts(value: float, interval: tuple[float, float] | None) -> dict[str, float | None]:
    low, high = interval or (None, None)
    return {"value": value, "low": low, "high": high}
