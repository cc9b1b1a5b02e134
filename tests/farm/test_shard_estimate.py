"""The estimate of a run on many machines: said once, from its pace and the rows that are there."""

import pytest

from blendgen.farm.shard_estimate import ShardEstimate
from tests.farm.made import make
from tests.workers.test_estimate import Notes


def notes_of(shards, counts, before=0, wanted=1000):
    """The remarks if so many images are finished every 10 seconds."""
    now, notes = [0.0], Notes()
    estimate = ShardEstimate(shards, wanted, notes, clock=lambda: now[0])
    for finished in counts:
        now[0] += 10
        estimate.counted(before, finished)
    return notes


@pytest.fixture
def shards(tmp_path):
    """A shard with rows, and one that has begun."""
    (tmp_path / "00000-of-00002").mkdir()
    with make(tmp_path / "00001-of-00002", range(3)).manifest.open("a") as manifest:
        manifest.write('{"torn')
    return tmp_path


def test_the_estimate_is_that_of_the_pace_after_the_first_images(shards):
    (text,) = notes_of(shards, [100, 100, 102, 110, 120], before=100)
    # 102 -> 110 in 10 s: 890 images are missing
    assert text.startswith("about 19 min, ") and text.endswith(" for the missing 890 images")
    assert " 0 B" not in text


@pytest.mark.parametrize("counts", [[0, 0], [100], [100, 101], [10, 990]])
def test_nothing_is_said_without_a_pace_or_for_a_short_rest(shards, counts):
    assert notes_of(shards, counts) == []


def test_nothing_is_said_before_a_row_can_be_read(tmp_path):
    (tmp_path / "00000-of-00001").mkdir()
    (tmp_path / "00000-of-00001" / "manifest.jsonl").write_text("{}\n")
    assert notes_of(tmp_path, [1, 50, 100]) == []
