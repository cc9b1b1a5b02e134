"""A shot that takes the whole run down is set aside in the end, and only that one."""

import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from blendgen.dataset.failures import read_failures
from blendgen.dataset.layout import Layout
from blendgen.dataset.manifest import read_rows
from blendgen.dataset.suspects import MAX_KILLS, Suspects
from blendgen.draw.shot import draw_feasible_shot
from blendgen.engine.flat import FlatEngine
from blendgen.verification.dataset import verify
from blendgen.workers.caution import careful_order, killed_message
from blendgen.workers.worker import worker_job
from tests.conftest import REPOSITORY, make_class_table, make_spec
from tests.workers import flat_run

SPEC = make_spec(images=40, exposures_per_shot=2)


def order_after(kills, crashes=(), done=(), indices=range(40)):
    """(together, alone, set aside) as numbers of shots; the suspects that are left."""
    suspects = Suspects()
    suspects.kills, suspects.crashes = dict(kills), dict.fromkeys(crashes, 1)
    order = careful_order(SPEC, indices, set(done), suspects)
    groups = (order.together, order.alone, order.set_aside)
    return *([task.shot_index for task in group] for group in groups), suspects.shots


def test_without_suspects_the_order_is_that_of_the_images():
    assert order_after({}, done=range(4)) == ([*range(2, 20)], [], [], set())


def test_shots_of_one_killed_run_come_last_and_those_of_two_alone():
    together, alone, set_aside, _ = order_after({0: 1, 5: 2, 6: 3, 7: MAX_KILLS, 8: 1}, crashes=[9])
    assert together == [1, 2, 3, 4, *range(10, 20), 0, 8]
    assert (alone, set_aside) == ([5, 6, 9], [7])


def test_what_is_made_or_not_wanted_is_not_tried_and_only_what_is_made_is_forgotten():
    together, alone, set_aside, left = order_after({0: 4, 1: 4, 2: 1}, done=[0, 1, 4], indices=range(6))
    assert (together, alone, set_aside, left) == ([2], [], [1], {1, 2})
    assert order_after({0: 4, 1: 4}, done=[0, 1], indices=range(2))[3] == {1}


class KillsTheRun(FlatEngine):
    """At a sphere the system kills the whole run, as it does when memory runs out: after a while."""

    def render(self, shot):
        if shot.products[0].product == "sphere":
            suspects, deadline = Layout(worker_job().folder).suspects, time.monotonic() + 60
            while f'"running": [{shot.index}]' not in suspects.read_text() and time.monotonic() < deadline:
                time.sleep(0.02)
            os.kill(os.getppid(), signal.SIGKILL)
            signal.pause()
        return super().render(shot)


def runs_until_one_survives(folder: str, *indices: str) -> None:
    """Prints how each run ended."""
    wanted = [*map(int, indices)]
    initialize = partial(flat_run.initialize, engine=KillsTheRun)
    for _ in range(MAX_KILLS + 3):
        child = os.fork()
        if not child:
            flat_run.run(Path(folder), make_spec(images=40), wanted, initialize=initialize)
            os._exit(0)
        print(status := os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
        if not status:
            return


def subjects_of(spec) -> list[str]:
    table = make_class_table(flat_run.CATALOG)
    shots = (draw_feasible_shot(spec, flat_run.CATALOG, table, index) for index in range(spec.images))
    return [shot.products[0].product for shot in shots]


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="the test starts its runs with fork")
def test_a_shot_that_kills_every_run_is_set_aside_with_its_reason(tmp_path):
    subjects = subjects_of(make_spec(images=40))
    sphere, *boxes = subjects.index("sphere"), subjects.index("box"), subjects.index("box", 12)
    layout = Layout(tmp_path)
    layout.temporary.mkdir()
    layout.suspects.write_text(f'{{"kills": {{"{sphere}": 1}}}}')
    code = "import sys, tests.workers.test_killed_runs as t; t.runs_until_one_survives(*sys.argv[1:])"
    command = [sys.executable, "-c", code, tmp_path, *map(str, (*boxes, sphere))]
    ended = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=300)
    assert ended.stdout.split() == ["-9"] * (MAX_KILLS - 1) + ["0"], ended.stderr
    (failure,) = read_failures(layout)
    assert failure.reason == "run_killed" and "(the subject is sphere)" in failure.message
    assert f"{MAX_KILLS} runs were killed while it was rendered, the last 2 of them" in failure.message
    assert [row.index for row in read_rows(layout.manifest)] == boxes
    assert [str(fault) for fault in verify(tmp_path)] == []
    assert not layout.temporary.exists()


def test_the_message_states_the_number_of_killed_runs():
    suspects = Suspects()
    suspects.kills = {3: 5}
    task = next(iter(careful_order(SPEC, [6], set(), suspects).set_aside))
    assert killed_message(task, suspects).startswith("shot 3: 5 runs were killed while it was rendered, ")
