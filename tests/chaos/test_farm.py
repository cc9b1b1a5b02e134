"""How the chaos judges the exit codes of shards."""

from types import SimpleNamespace

import pytest

from tests.chaos.farm import Farm


@pytest.mark.parametrize(
    ("code", "is_fault"),
    [(0, False), (75, False), (143, False), (-9, False), (-15, False), (-10, False), (1, True), (-11, True),
     (-6, True), (137, True)],
)  # fmt: skip
def test_a_shard_may_end_by_the_signals_that_were_sent_and_by_no_other(code, is_fault):
    farm = Farm([], lambda text: None)
    farm._note(SimpleNamespace(number=3, last_words=lambda: "the end"), code)
    assert farm.faults == ([f"shard 3 exits with {code}: the end"] if is_fault else [])
