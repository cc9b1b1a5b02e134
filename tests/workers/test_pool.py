"""Failing engines: each ends with a clear message, and no work is lost or done twice."""

import multiprocessing
import os
import signal
import threading
import time
from dataclasses import replace
from types import SimpleNamespace

import pytest

from blendgen.dataset.layout import Layout
from blendgen.dataset.suspects import Suspects
from blendgen.engine.base import EngineError
from blendgen.errors import DatasetError, ExitCode, SetupError
from blendgen.pipeline import Task
from blendgen.system.machine import own_cores
from blendgen.system.time_limit import TimeLimit
from blendgen.workers import pool, share, worker_handle
from blendgen.workers.child import TaskResult
from blendgen.workers.job import Job
from blendgen.workers.outside_kills import OutsideKills
from blendgen.workers.pool import run_tasks
from blendgen.workers.share import Share, choose_worker_count
from blendgen.workers.spawn import Steps
from blendgen.workers.stop_signal import StopSignal
from blendgen.workers.worker import initialize
from blendgen.workers.worker_handle import WorkerHandle
from tests.conftest import make_class_table, make_spec
from tests.workers import failing

TASKS = [Task(i, (i,)) for i in range(5)]


@pytest.fixture
def job(tmp_path, shapes):
    return Job(make_spec(), shapes, make_class_table(shapes), tmp_path, tmp_path / "log")


def results(job, steps, workers=1, stop=None, tasks=TASKS):
    steps = steps if isinstance(steps, Steps) else Steps(steps)
    return list(run_tasks(job, tasks, stop or StopSignal(), workers, failing.initialize, steps))


def indices(job, steps, workers=1, stop=None):
    return sorted(row["index"] for rows, _ in results(job, steps, workers, stop) for row in rows)


def gives_up(task, message):
    return [{"index": index} for index in task.image_indices], {"message": message}


def after(path, action):
    """Call `action` as soon as `path` exists."""

    def watch():
        while not path.exists():
            time.sleep(0.01)
        action()

    threading.Thread(target=watch, daemon=True).start()


def signal_in_shot_1(job, monkeypatch):
    """Send SIGTERM to this process while a worker waits in shot 1 until it is asked to end."""
    shut_down = WorkerHandle.shut_down

    def noted(worker):
        shut_down(worker)
        (job.folder / "asked-to-end").touch()

    monkeypatch.setattr(WorkerHandle, "shut_down", noted)
    after(job.folder / "started-1", lambda: os.kill(os.getpid(), signal.SIGTERM))


several = pytest.mark.parametrize("workers", [*(pytest.param(n, marks=pytest.mark.slow) for n in (1, 2)), 3])


def test_a_worker_that_could_not_end_in_time_is_not_started_and_the_limit_is_reached(job):
    limit = TimeLimit(1000.0)
    limit.start_took(10_000.0)
    assert list(run_tasks(job, TASKS, StopSignal(), 1, time_limit=limit)) == []
    assert limit.reached


def test_a_lens_that_is_rendered_wider_gets_fewer_workers(job, monkeypatch):
    monkeypatch.setattr(share, "cores", lambda: 8)
    monkeypatch.setattr(share, "free_memory_bytes", lambda: 8 * 2**30)
    lenses = {}, {"k1": {"uniform": [-0.15, 0]}}
    specs = [make_spec(resolution=[1024, 768], camera={"distortion": lens}) for lens in lenses]
    straight, barrel = (choose_worker_count(replace(job, spec=spec), 1000, None) for spec in specs)
    assert barrel < straight


def test_eevee_gets_few_workers_by_default(job, monkeypatch):
    monkeypatch.setattr(share, "cores", lambda: 8)
    monkeypatch.setattr(share, "free_memory_bytes", lambda: None)
    eevee = replace(job, spec=make_spec(render={"preset": "smoke", "engine": "eevee"}))
    assert [choose_worker_count(one, 1000, None) for one in (job, eevee)] == [8, 2]
    assert choose_worker_count(eevee, 1000, 6) == 6


@several
def test_every_task_runs_once(job, workers):
    assert indices(job, failing.works, workers) == [0, 1, 2, 3, 4]


@several
@pytest.mark.parametrize(
    "produce",
    [failing.aborts_once_on_shot_1, pytest.param(failing.is_killed_once_while_idle, marks=pytest.mark.slow)],
)
def test_a_crash_costs_nothing_but_a_retry(job, produce, workers):
    assert indices(job, produce, workers) == [0, 1, 2, 3, 4]


@pytest.mark.slow
@pytest.mark.parametrize("workers", [pytest.param(1, marks=pytest.mark.slow), 2])
def test_a_shot_that_always_crashes_is_named_with_the_signal_and_the_log(job, workers):
    with pytest.raises(EngineError, match=r"shot 2: Blender crashed 3 times \(SIGSEGV\).*log"):
        indices(job, failing.segfaults_on_shot_2, workers)
    assert multiprocessing.active_children() == []


@pytest.mark.slow
def test_a_shot_that_always_crashes_has_the_result_that_the_caller_gives_it(job):
    steps = Steps(failing.segfaults_on_shot_2)
    finished = run_tasks(job, TASKS, StopSignal(), 2, failing.initialize, steps, crashed=gives_up)
    messages = {row["index"]: identity.get("message") for rows, identity in finished for row in rows}
    assert sorted(messages) == [0, 1, 2, 3, 4]
    assert [index for index, message in messages.items() if message] == [2]
    assert messages[2].startswith("shot 2: Blender crashed 3 times (SIGSEGV); its last output is in")
    assert multiprocessing.active_children() == []


@pytest.mark.slow
def test_a_crash_while_the_next_shot_renders_is_blamed_on_the_right_shot(job):
    done, steps = [], failing.aborts_while_it_finishes_shot_1
    with pytest.raises(EngineError, match=r"shot 1: Blender crashed 3 times \(SIGABRT\)"):
        for rows, _ in run_tasks(job, TASKS, StopSignal(), 1, failing.initialize, steps):
            done += [row["index"] for row in rows]
    assert len(list(job.folder.glob("started-1-*"))) == 3
    assert len(set(done)) == len(done)


@pytest.mark.slow
@pytest.mark.parametrize("workers", [pytest.param(1, marks=pytest.mark.slow), 2])
def test_errors_of_a_worker_reach_the_parent_as_they_are(job, workers):
    with pytest.raises(EngineError, match="returned no picture"):
        indices(job, failing.fails_to_render, workers)
    with pytest.raises(DatasetError, match="the disk is full"):
        indices(job, failing.fails_with_a_full_disk, workers)
    with pytest.raises(DatasetError, match="the disk is full"):
        indices(job, failing.fails_to_finish, workers)
    with pytest.raises(EngineError, match="OddError: this and that"):
        indices(job, failing.raises_what_cannot_be_pickled, workers)
    with pytest.raises(TypeError, match="pickle"):
        indices(job, failing.returns_what_cannot_be_pickled, workers)


def test_a_shot_is_finished_while_the_next_one_renders(job):
    assert indices(job, failing.needs_the_next_task) == [0, 1, 2, 3, 4]


def test_a_worker_never_holds_more_than_two_films(job):
    assert max(results(job, failing.counts_films)) == 2


def test_what_both_threads_of_a_worker_import_is_there_before_the_first_task(job):
    assert all(results(job, failing.has_loaded_scipy))


@pytest.mark.slow
def test_a_worker_above_its_memory_limit_is_replaced_between_shots(job, monkeypatch):
    one = set(results(job, failing.returns_process_id))
    monkeypatch.setenv(share.MEMORY_VARIABLE, "1")
    processes = results(job, failing.returns_process_id)
    assert len(one) == 1 and len(processes) == len(TASKS) and len(set(processes)) > 1


@pytest.mark.slow
def test_a_worker_is_replaced_after_a_number_of_shots(job, monkeypatch):
    monkeypatch.setattr(pool, "SHOTS_PER_PROCESS", 1)
    processes = results(job, failing.returns_process_id, workers=2)
    assert len(processes) == len(TASKS) and len(set(processes)) > 2


def test_there_are_no_more_workers_than_tasks(job):
    processes = results(job, failing.returns_process_id, workers=16, tasks=TASKS[:2])
    assert len(set(processes)) <= 2


@pytest.mark.skipif(len(own_cores()) < 2, reason="needs two cores")
def test_two_workers_are_pinned_to_cores_of_their_own_and_their_libraries_start_no_threads(job):
    settings = results(
        job, failing.returns_cores_and_threads, workers=2, tasks=[Task(i, (i,)) for i in range(40)]
    )
    assert {threads for _, threads in settings} == {"1"}
    assert "OPENBLAS_NUM_THREADS" not in os.environ
    core_sets = {tuple(own) for own, _ in settings}
    assert len(core_sets) <= 2 and sum(map(len, core_sets)) == len(set().union(*core_sets))


def test_the_first_signal_finishes_pending_tasks(job, monkeypatch):
    with StopSignal() as stop:
        signal_in_shot_1(job, monkeypatch)
        done = indices(job, failing.waits_in_shot_1, stop=stop)
    assert stop.signum == signal.SIGTERM
    assert done == [0, 1]


@pytest.mark.slow
def test_a_shot_that_is_rendered_is_a_suspect_until_it_ends_or_the_run_is_asked_to_stop(job, monkeypatch):
    suspects, states = Suspects(Layout(job.folder)), []

    def note(self):
        save(self)
        states.append((sorted(self._running), dict(self.crashes)))

    save = Suspects._save
    monkeypatch.setattr(Suspects, "_save", note)
    steps = Steps(failing.segfaults_on_shot_2)
    finished = run_tasks(
        job, TASKS[1:3], StopSignal(), 1, failing.initialize, steps, crashed=gives_up, suspects=suspects
    )
    assert len(list(finished)) == 2
    assert [state for state in states if state[1]] == [
        state for crashes in (1, 2) for state in (([], {2: crashes}), ([2], {2: crashes}))
    ]
    assert states[-1] == ([], {})
    with StopSignal() as stop:
        signal_in_shot_1(job, monkeypatch)
        steps = Steps(failing.waits_in_shot_1)
        for _ in run_tasks(job, TASKS, stop, 1, failing.initialize, steps, suspects=suspects):
            pass
    assert suspects._stopped and states[-1] == ([], {})
    suspects.close()
    assert not Layout(job.folder).temporary.exists()


@pytest.mark.slow
def test_the_second_signal_stops_at_once_and_leaves_no_process(job):
    def twice():
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.3)

    began = time.monotonic()
    with StopSignal() as stop:
        after(job.folder / "started-0", twice)
        assert indices(job, failing.hangs, stop=stop) == []
    assert time.monotonic() - began < 60
    assert multiprocessing.active_children() == []


def test_a_signal_to_the_whole_group_while_a_worker_starts_stops_the_run_in_order(job):
    """As Ctrl-C on a terminal does: the starting worker must not die of it, and the run must not hang."""

    def to_all():
        for pid in [os.getpid(), *(process.pid for process in multiprocessing.active_children())]:
            os.kill(pid, signal.SIGINT)

    with StopSignal() as stop:
        after(job.folder / "starting", to_all)
        run = run_tasks(job, TASKS, stop, 1, failing.initialize_slowly, Steps(failing.works))
        done = [row["index"] for rows, _ in run for row in rows]
    assert stop.signum == signal.SIGINT and len(done) < len(TASKS)
    assert multiprocessing.active_children() == []


@pytest.mark.slow
def test_a_worker_that_hangs_is_replaced_and_named(job, monkeypatch):
    monkeypatch.setattr(worker_handle, "_TIMEOUT_S", 0.5)
    monkeypatch.setattr(pool, "MAX_CRASHES", 1)
    with pytest.raises(EngineError, match=r"crashed 1 times \(it did not finish in time\)"):
        indices(job, failing.hangs)


def test_the_time_that_the_caller_takes_is_not_silence_of_a_worker(job, monkeypatch):
    clock, killed, pipes = [0.0], [], []
    for module in (pool, worker_handle):
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: clock[0]))

    def start_worker(share):
        ours, theirs = multiprocessing.Pipe()
        pipes.append(theirs)
        return WorkerHandle(share, SimpleNamespace(kill=lambda: killed.append(share)), ours, ready=True)

    run = pool._Pool(job, TASKS[:2], [Share(), Share()], start_worker).results(StopSignal())
    monkeypatch.setattr(pool, "_POLL_S", 0)
    threading.Timer(0.1, lambda: pipes[0].send(TaskResult(0, "first", 0))).start()
    assert next(run) == "first"
    clock[0] += 1e6
    pipes[1].send(TaskResult(1, "second", 0))
    assert next(run) == "second" and killed == []
    clock[0] += 1e6


@pytest.mark.slow
def test_a_worker_that_dies_while_it_starts_is_reported(job):
    run = run_tasks(job, TASKS, StopSignal(), 1, failing.dies_while_initializing, Steps(failing.works))
    with pytest.raises(EngineError, match="ended while it started") as caught:
        list(run)
    assert caught.value.exit_code == ExitCode.RETRY  # SIGKILL: no fault of this blendgen


@pytest.mark.slow
@pytest.mark.parametrize(
    ("steps", "counted"), [(failing.is_killed_on_shot_2, {}), (failing.segfaults_on_shot_2, {2: 2})]
)
def test_only_crashes_of_its_own_count_against_a_shot_in_later_runs(job, steps, counted):
    """A worker that is killed now and then is killed while some shot is rendered."""
    suspects = Suspects()
    finished = run_tasks(job, TASKS, StopSignal(), 1, failing.initialize, Steps(steps), suspects=suspects)
    with pytest.raises(EngineError, match=r"shot 2: .*crashed 3 times"):
        list(finished)
    assert suspects.crashes == counted


@pytest.mark.slow
def test_no_shot_is_blamed_where_others_are_killed_too_and_made_later(job):
    steps, done = Steps(failing.is_killed_on_shot_2_and_once_on_shot_0), []
    with pytest.raises(EngineError, match="somebody kills worker processes") as caught:
        for rows, _ in run_tasks(job, TASKS, StopSignal(), 1, failing.initialize, steps, crashed=gives_up):
            done += [row["index"] for row in rows]
    assert caught.value.exit_code == ExitCode.RETRY and 0 in done and 2 not in done


def outcome(crashed, kills):
    """What becomes of shot 2 after so many kills; the shots of each of the kills."""
    worker = SimpleNamespace(ready=True, was_killed=True, starved=False, share=Share(), reap=lambda: None,
                             exit_reason=lambda: "SIGKILL")  # fmt: skip
    run = pool._Pool(SimpleNamespace(log="log"), [], [], None, crashed)
    run._memory.killed = lambda worker: False
    crashes = dict.fromkeys(range(5), 0)
    for shots in kills:
        run._outside._last_s = -1e9
        if isinstance(shots, int):
            run._outside.made(shots)
            continue
        worker.pending = {shot: pool.PendingTask(TASKS[shot], shot, crashes[shot]) for shot in shots}
        worker.suspects = lambda: list(worker.pending.values())
        run._workers.append(worker)
        results = list(run._remove(worker, stopping=False))
        crashes |= {pending.task.shot_index: pending.crashes for pending in run._suspects}
    return results


@pytest.mark.parametrize(
    ("kills", "is_blamed"),
    [
        ([[2], [2], [2]], True),
        ([[1, 2], 1, [2], [2]], True),  # shot 1 was rendered next to it
        ([[2], [4], [2], [2]], True),  # shot 4 may do the same
        ([[2], [4], [2], 4, [2]], False),
        ([[2], [2], [], [2]], False),  # the worker had nothing to do
    ],
)
def test_a_shot_is_blamed_for_kills_unless_they_hit_other_shots_for_no_reason(kills, is_blamed):
    def crashed(task, message):
        assert message.startswith("shot 2: ")
        return "set aside"

    if is_blamed:
        assert outcome(crashed, kills) == ["set aside"]
    else:
        with pytest.raises(EngineError, match="somebody kills worker processes"):
            outcome(crashed, kills)


def test_workers_that_are_killed_by_suspects_are_noted_as_such(monkeypatch):
    noted = []
    monkeypatch.setattr(OutsideKills, "note", lambda self, shots, *known: noted.append((list(shots), *known)))
    outcome(lambda task, message: "set aside", [[1, 2], [2], [2]])
    assert noted == [([1, 2], False), ([2], True), ([2], True)]


@pytest.mark.slow
def test_two_shots_that_kill_at_once_are_set_aside_and_the_others_are_made(job, monkeypatch):
    monkeypatch.setattr("blendgen.workers.outside_kills._AT_ONCE_S", 60.0)
    steps = Steps(failing.kills_with_the_other_one)
    finished = run_tasks(job, TASKS, StopSignal(), 2, failing.initialize, steps, crashed=gives_up)
    messages = {row["index"]: identity.get("message") for rows, identity in finished for row in rows}
    assert sorted(messages) == [0, 1, 2, 3, 4]
    assert sorted(index for index, message in messages.items() if message is None) == [2, 3, 4]


@pytest.mark.parametrize("others", [0, 2])
def test_shots_that_were_killed_at_once_come_after_the_others(others):
    run = pool._Pool(SimpleNamespace(log="log"), TASKS[:others], [], None)
    run._suspects.extend(pool.PendingTask(TASKS[index], index, crashes=1) for index in (3, 4))
    for index in (3, 4):
        run._outside.note([index])
    order = [run._next().number for _ in range(others + 2)]
    assert order == [*range(others), 3, 4] and run._next() is None
    run._outside.made(0)
    run._suspects.append(pool.PendingTask(TASKS[3], 3, crashes=1))
    run._returned.append(pool.PendingTask(TASKS[0], 0))
    assert run._next().number == 3


def test_workers_that_are_killed_at_once_are_in_doubt_until_another_shot_is_made():
    kills = OutsideKills()
    kills.note([1])
    kills.note([1])
    assert not kills.are_possible
    kills.note([2], are_suspects=True)
    assert not kills.are_possible  # both shots may end their workers
    kills.note([3])
    assert kills.are_possible and not kills.were_seen
    kills.made(4)
    assert not kills.are_possible and not kills.were_seen
    kills.made(3)
    assert kills.were_seen


def test_workers_that_are_killed_at_once_again_and_again_are_killed_by_somebody_else():
    kills = OutsideKills()
    for shot in range(8):
        assert not kills.were_seen
        kills.note([shot])
    assert kills.were_seen and not kills.are_possible


@pytest.mark.slow
def test_other_child_processes_of_the_caller_live_on(job):
    other = multiprocessing.get_context("spawn").Process(target=time.sleep, args=(30,))
    other.start()
    assert indices(job, failing.works) == [0, 1, 2, 3, 4]
    assert other.is_alive()
    other.kill()
    other.join()


def test_signal_handlers_are_restored():
    before = signal.getsignal(signal.SIGTERM)
    with StopSignal():
        assert signal.getsignal(signal.SIGTERM) != before
    assert signal.getsignal(signal.SIGTERM) == before


@pytest.mark.slow
def test_a_missing_job_or_log_is_reported_with_its_cause(job):
    other_log = replace(job, log=job.folder / "gone" / "log")
    with pytest.raises(EngineError, match=r"gone.log: cannot be written: No such file"):
        list(run_tasks(other_log, TASKS, StopSignal(), 1, initialize, Steps(failing.works)))
    with pytest.raises(SetupError, match=r"job\.pickle: cannot be read: .*set TMPDIR to a folder"):
        list(run_tasks(job, TASKS, StopSignal(), 1, failing.loses_its_job, Steps(failing.works)))
