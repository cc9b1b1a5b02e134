"""Gains on the same photos, against values worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from blendgen.learn.arms import Trial, gain_of
from blendgen.learn.paired import chance_of_difference, paired_gain, points


def test_the_interval_is_that_of_the_photos_that_differ():
    theirs = np.array([1.0] * 50 + [0.0] * 50)
    ours = theirs.copy()
    ours[50:60] = 1
    gain = paired_gain(ours, theirs)
    # ten of a hundred photos: a binomial share of 0.1 with a standard error of 0.03
    assert gain.mean == pytest.approx(0.1)
    assert gain.low == pytest.approx(0.1 - 1.96 * 0.03, abs=0.01)
    assert gain.high == pytest.approx(0.1 + 1.96 * 0.03, abs=0.01)
    assert gain.is_shown and not paired_gain(theirs[::-1], theirs).is_shown
    assert points(gain.facts()).startswith("+10.0 (+")


def test_mcnemar_counts_photos_that_are_right_in_one_alone():
    ours = np.array([True] * 6 + [False] * 4)
    assert chance_of_difference(ours, np.zeros(10, bool)) == pytest.approx(2 / 2**6)
    assert chance_of_difference(ours, ours) == 1
    assert chance_of_difference(ours, ~ours) == pytest.approx(386 * 2 / 1024)  # 6 or more of 10, both sides


def test_each_photo_counts_once_however_many_seeds_test_it():
    trials = [Trial({"a": True, "b": True}, 1, True), Trial({"a": True, "c": False}, 1, True)]
    others = [Trial({"a": False, "b": True}, 1, False), Trial({"a": True, "c": False}, 1, False)]
    # a: 1 against 0.5, b and c: no difference
    assert gain_of(trials, others).mean == pytest.approx(0.5 / 3)
