"""AP: what is right, what is ignored, and an interval that is there for what was measured."""

from __future__ import annotations

import numpy as np
import pytest

from blendgen.detection.average_precision import average_precision, best_threshold
from blendgen.detection.boxed_picture import BoxedPicture
from blendgen.detection.detector import Boxes
from blendgen.detection.mistakes import mistakes_of


def picture(boxes, labels, ignored=()):
    own = np.array(boxes, float).reshape(-1, 4)
    is_ignored = np.array([number in ignored for number in range(len(own))], bool)
    return BoxedPicture("key", "name", "group", (100, 100), own, np.array(labels, np.int64), is_ignored, None)


def detections(*rows):
    """rows: (box, label, score)"""
    boxes = np.array([row[0] for row in rows], float).reshape(-1, 4)
    labels = np.array([row[1] for row in rows], np.int64)
    return Boxes(boxes, labels, np.array([row[2] for row in rows], np.float32))


A, B, C = [10, 10, 40, 50], [50, 10, 90, 50], [5, 60, 30, 90]
SHIFTED = [13, 12, 43, 52]  # IoU with A: 0.73


def test_everything_found_is_one_and_nothing_found_is_zero():
    pictures = [picture([A, B], [0, 1]), picture([C], [0])]
    right = [detections((A, 0, 0.9), (B, 1, 0.8)), detections((C, 0, 0.4))]
    whole = average_precision(pictures, right, 3, has_interval=True)
    assert (whole.ap50, whole.ap50_95, *whole.interval50) == pytest.approx((1,) * 4)
    facts = whole.facts(("a", "b", "c"))
    assert facts["per_class"][2] == {
        "label": "c", "boxes": 0, "ap50": None, "ap50_95": None, "recall50": None,
    }  # fmt: skip
    nothing = average_precision(pictures, [detections(), detections()], 3)
    assert nothing.ap50 == nothing.ap50_95 == 0 and nothing.recall[0] == 0
    assert best_threshold(pictures, [detections(), detections()], 3) == 0.5


def test_a_box_a_little_off_counts_at_low_ious_only():
    measured = average_precision([picture([A], [0])], [detections((SHIFTED, 0, 0.9))], 1)
    assert (measured.ap50, measured.ap50_95) == pytest.approx((1, 0.5))  # IoUs of 0.5 to 0.7


def test_a_surer_wrong_box_lowers_the_precision_and_one_on_an_ignored_box_does_not():
    pictures = [picture([A, B], [0, 0], ignored=[1])]
    assert average_precision(pictures, [detections((B, 0, 0.9), (A, 0, 0.8))], 1).ap50 == pytest.approx(1)
    assert average_precision(pictures, [detections((C, 0, 0.9), (A, 0, 0.8))], 1).ap50 == pytest.approx(0.5)


def test_the_interval_comes_from_the_pictures():
    pictures = [picture([A], [0]) for _ in range(12)]
    half = [detections((A, 0, 0.9)) if number % 2 else detections() for number in range(12)]
    measured = average_precision(pictures, half, 1, has_interval=True)
    low, high = measured.interval50
    assert low < measured.ap50 < high and high - low > 0.2


def test_the_threshold_leaves_out_what_is_mostly_wrong():
    pictures = [picture([A], [0]), picture([B], [0])]
    boxes = [detections((A, 0, 0.9), (C, 0, 0.3)), detections((B, 0, 0.6), (C, 0, 0.2))]
    assert best_threshold(pictures, boxes, 1) == pytest.approx(0.6)


def test_mistakes_are_missed_extra_and_of_another_class():
    own = picture([A, B, C], [0, 1, 0], ignored=[2])
    mistakes = mistakes_of(own, detections((A, 0, 0.9), (SHIFTED, 0, 0.8), (B, 0, 0.7), (C, 0, 0.6)))
    assert mistakes.facts() == {"right": 1, "missed": 1, "extra": 2, "of_another_class": 1}
    assert mistakes_of(own, detections()).missed == 2
