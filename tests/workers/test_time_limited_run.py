"""A run with a time limit ends in time with what it has begun, says what is missing, and goes on later."""

import time

import pytest

from blendgen.dataset.layout import Layout
from blendgen.dataset.manifest import read_rows
from blendgen.errors import ExitCode, TimeLimitReached
from blendgen.system.time_limit import TimeLimit
from tests.conftest import make_spec
from tests.dataset.test_dataset import content
from tests.workers.flat_run import initialize, initialize_hanging, run


class Ends(TimeLimit):
    """A limit some seconds after the third image, however long workers take to start."""

    def note(self, finished, total):
        if finished == 3:
            self.seconds = time.monotonic() - self._began_s + 1.5

    def late_s(self):
        return time.monotonic() - self._began_s - self.seconds


@pytest.mark.slow
@pytest.mark.parametrize("start", [initialize, initialize_hanging])
def test_a_run_ends_in_time_also_while_a_shot_hangs_and_the_next_one_makes_the_rest(tmp_path, start):
    limit, folder = Ends(600.0), tmp_path / "limited"
    spec = make_spec(images=12 if start is initialize_hanging else 500)
    with pytest.raises(TimeLimitReached, match=r"limit is reached: \d+ images are finished") as raised:
        run(folder, spec, report=limit.note, time_limit=limit, slow=True, initialize=start)
    assert limit.late_s() < 0.5
    assert raised.value.exit_code == ExitCode.RETRY
    made = len(list(read_rows(Layout(folder).manifest)))
    assert 3 <= made < spec.images and f", {spec.images - made} are missing; run" in str(raised.value)
    if start is initialize_hanging:
        run(folder, spec, time_limit=TimeLimit(600.0))
        run(tmp_path / "calm", spec)
        assert content(folder) == content(tmp_path / "calm")
