"""Costs of large frames, from traces with known times."""

from __future__ import annotations

import pytest

from benchmarks.large import CASES, cost, line, summary
from benchmarks.plan import Variant
from benchmarks.stopwatch import DENOISE, RENDER, Seconds
from benchmarks.trace import DEVELOP, DRAW, WRITE, Trace, Trial

MB = 2**20


def trace(resolution, sampling_s, peak_mb, after_s=0.3) -> Trace:
    """One shot that took 1 s to draw and 1 s to build, besides its path tracing."""
    trial = Trial(0, (0,), Variant(resolution=resolution, samples=4), 1)
    spent = {
        DRAW: Seconds(1, 1),
        RENDER: Seconds(1 + sampling_s, 1 + sampling_s),
        **dict.fromkeys((DENOISE, DEVELOP, WRITE), Seconds(after_s / 3, after_s / 3)),
    }
    return Trace(trial, 1, spent, Seconds(sampling_s, sampling_s), peak_mb * MB)


def test_costs_are_medians_for_each_megapixel():
    small = cost([trace((500, 200), seconds, 900) for seconds in (0.4, 0.8, 9.0)])
    assert (small.tracing_s, small.after_s, small.build_s) == pytest.approx((0.8 / 0.1 / 4, 3, 2))
    assert small.peak_bytes == 900 * MB


def test_the_summary_compares_the_large_frame_with_the_small_one():
    small, large = cost([trace((500, 200), 0.8, 900)]), cost([trace((1000, 1000), 10, 1800, 1.5)])
    assert line("a", large).split() == ["a", "1000x1000", "2.50", "1.50", "2.00", "1800"]
    text = summary("a", small, large)
    assert "1.25 times the path tracing" in text and "0.50 times the rest" in text
    assert "1000 MB of memory a megapixel" in text


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_small_frames_have_the_shape_of_the_large_ones_and_the_pixels_of_a_standard_image(case):
    (width, height), (small_width, small_height) = case.resolution, case.small
    assert small_width / small_height == pytest.approx(width / height, rel=0.01)
    assert small_width * small_height == pytest.approx(224 * 224, rel=0.01)
