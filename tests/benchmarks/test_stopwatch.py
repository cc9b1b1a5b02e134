import pytest

from benchmarks.plan import Variant
from benchmarks.stopwatch import Seconds, Stopwatch, timed
from benchmarks.trace import STAGES, Trace, sampling, trials
from blendgen.pipeline import Task
from tests.conftest import make_spec


def ticking(*moments):
    """A clock that shows these moments, one at each look."""
    looks = iter(moments)
    return lambda: Seconds(moment := next(looks), 2 * moment)


def test_time_counts_for_the_innermost_stage_only():
    watch = Stopwatch(ticking(0, 1, 4, 9))
    with watch.stage("outer"), watch.stage("inner"):
        pass
    assert watch.spent == {"outer": Seconds(6, 12), "inner": Seconds(3, 6)}


def test_stages_sum_to_the_time_between_the_first_and_the_last_look():
    moments = [0, 2, 3, 5, 8, 13, 21, 34]
    watch = Stopwatch(ticking(*moments))
    with watch.stage("a"):
        for _ in range(2):
            with watch.stage("b"):
                pass
        with watch.stage("a"):
            pass
    assert sum(watch.spent.values(), Seconds()) == Seconds(34, 68)


def test_time_between_stages_does_not_count():
    watch = Stopwatch(ticking(0, 1, 5, 7))
    for _ in range(2):
        with watch.stage("a"):
            pass
    assert watch.spent == {"a": Seconds(3, 6)}


def test_an_exception_ends_its_stage():
    watch = Stopwatch(ticking(0, 1, 2, 5))
    with pytest.raises(ValueError), watch.stage("a"):
        raise ValueError
    with watch.stage("b"):
        pass
    assert watch.spent == {"a": Seconds(1, 2), "b": Seconds(3, 6)}


def test_a_timed_pipeline_makes_the_same_frames(flat_pipeline):
    pipeline, watch = flat_pipeline(make_spec()), Stopwatch()
    plain = list(pipeline.frames(Task(0, (0,))))
    with watch.stage("rest"):
        same = list(timed(pipeline, watch).frames(Task(0, (0,))))
    assert (same[0].rgb_u8 == plain[0].rgb_u8).all()
    assert set(watch.spent) == {"rest", "render"}


def test_the_stages_of_a_trace_sum_to_its_total():
    spent = {"draw and annotate": Seconds(1, 1), "render": Seconds(5, 9), "develop": Seconds(2, 2)}
    (trial,) = trials(Variant(), [0])
    for alone in (None, Seconds(3, 6), Seconds(30, 60)):  # also where noise makes sampling too long
        stages = Trace(trial, 1, spent, alone).stages()
        assert set(stages) == set(STAGES)
        assert sum(stages.values(), Seconds()) == Seconds(8, 12)
        assert min(part for seconds in stages.values() for part in (seconds.wall, seconds.computing)) >= 0


def test_the_sampling_of_n_is_what_2n_take_longer():
    building, each = 0.2, 0.1
    single = [Seconds(building + each, 2 * each), Seconds(building + each, 2 * each), Seconds(9, 9)]
    double = [Seconds(building + 2 * each, 4 * each)] * 3
    alone = sampling(single, double)
    assert alone.wall == pytest.approx(each)
    assert alone.computing == pytest.approx(2 * each)
    assert sampling(double, single) == Seconds(0, 0)
