"""Runs over a spec of which some images cannot be made: all others are, and the run says which are not."""

import os
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest

from blendgen.dataset.failures import failed_images, failed_together, read_failures
from blendgen.dataset.layout import Layout
from blendgen.dataset.manifest import read_rows
from blendgen.dataset.store import read_record
from blendgen.draw.shot import draw_feasible_shot, draw_shot
from blendgen.draw.sweep import Sweep
from blendgen.errors import BlendgenError, ExitCode, GeometryError, InfeasibleDraw, InfeasibleShot, Reason
from blendgen.pipeline import Task
from blendgen.verification.dataset import verify
from blendgen.workers import generate
from blendgen.workers.generate import Failures, Run
from blendgen.workers.worker import not_rendered
from tests.conftest import REPOSITORY, make_class_table, make_spec
from tests.dataset.test_dataset import content
from tests.workers.flat_run import (
    ALL_FAIL,
    CATALOG,
    IMAGES,
    SOME_FAIL,
    initialize_crashing,
    initialize_failing,
    run,
)

SPEC = make_spec(images=IMAGES, **SOME_FAIL)


def infeasible_shots(spec, count):
    for index in range(count):
        try:
            draw_feasible_shot(spec, CATALOG, make_class_table(CATALOG), index)
        except InfeasibleShot:
            yield index


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A data set of which some images cannot be made: its folder, the outcome and the progress."""
    folder, progress = tmp_path_factory.mktemp("infeasible") / "out", []
    outcome = run(folder, SPEC, report=lambda *numbers: progress.append(numbers))
    return folder, outcome, progress


def test_all_images_but_the_infeasible_ones_are_made(finished):
    folder, outcome, progress = finished
    layout, infeasible = Layout(folder), list(infeasible_shots(SPEC, IMAGES))
    assert 2 <= len(infeasible) <= 16
    assert [failure.index for failure in read_failures(layout)] == infeasible
    assert [row.index for row in read_rows(layout.manifest)] == sorted({*range(IMAGES)} - {*infeasible})
    assert [failure.index for failure in outcome.failures] == infeasible
    assert all(failure.reason == "camera_in_products" for failure in outcome.failures)
    assert all(
        failure.attempts == 16 and "inside the products" in failure.message for failure in outcome.failures
    )
    assert outcome.made == IMAGES - len(infeasible) and progress[-1] == (IMAGES, IMAGES)
    record = read_record(layout)
    assert record["images"] == outcome.made and record["images_failed"] == len(infeasible)
    assert record["images_failed_per_reason"] == {"camera_in_products": len(infeasible)}


def test_a_data_set_whose_gaps_are_its_failures_is_valid(finished):
    assert [str(fault) for fault in verify(finished[0])] == []


@pytest.mark.slow
def test_it_has_the_same_bytes_with_two_workers_and_in_parts(finished, tmp_path):
    run(tmp_path / "two", SPEC, workers=2)
    for part in (range(30, IMAGES), range(30)):
        run(tmp_path / "parts", SPEC, part)
    assert content(tmp_path / "two") == content(tmp_path / "parts") == content(finished[0])


@pytest.mark.slow
def test_it_has_the_same_bytes_after_a_kill(finished, tmp_path):
    folder = tmp_path / "out"
    process = subprocess.Popen(
        [sys.executable, "-c", "import sys, tests.workers.flat_run as f; f.run_slowly(sys.argv[1])", folder],
        cwd=REPOSITORY,
        start_new_session=True,
    )
    layout, deadline = Layout(folder), time.monotonic() + 120
    while not (layout.failures.exists() and layout.manifest.read_bytes().count(b"\n") > 5):
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert 0 < len(read_failures(layout)) + len(list(read_rows(layout.manifest))) < IMAGES
    with layout.failures.open("ab") as file:
        file.write(b'{"index": 7, "shot_')  # a power cut in the middle of a line
    outcome = run(folder, SPEC)
    assert 0 < outcome.existing < IMAGES and outcome.failures == finished[1].failures
    assert content(folder) == content(finished[0])


def test_images_that_cannot_be_made_are_not_tried_again(finished):
    folder, first, _ = finished
    before, tasks = content(folder), []
    outcome = run(folder, SPEC, report=lambda finished, total: tasks.append(total))
    assert tasks == [0] and outcome.made == 0 and content(folder) == before
    assert outcome.failures == first.failures and outcome.existing == first.made


@pytest.mark.slow
def test_all_images_of_a_shot_fail_together(tmp_path):
    spec = make_spec(images=40, exposures_per_shot=2, **SOME_FAIL)
    outcome = run(tmp_path, spec)
    shots = list(infeasible_shots(spec, 20))
    assert shots and [f.index for f in outcome.failures] == [2 * s + i for s in shots for i in (0, 1)]
    assert {failure.shot_index for failure in outcome.failures} == set(shots)
    assert [str(fault) for fault in verify(tmp_path)] == []


@pytest.mark.slow
def test_one_worker_makes_no_shot_after_the_first_ones_that_all_fail(tmp_path):
    with pytest.raises(GeometryError, match="first 8 shots all fail"):
        run(tmp_path, make_spec(images=10_000, **ALL_FAIL))
    assert [failure.index for failure in read_failures(Layout(tmp_path))] == [*range(8)]


@pytest.mark.slow
def test_a_run_stops_if_its_first_shots_all_fail_for_the_same_reason(tmp_path, monkeypatch):
    spec = make_spec(images=10_000, **ALL_FAIL)
    message = r"first 8 shots all fail .*\(camera_in_products\): camera.distance_m"
    with pytest.raises(GeometryError, match=message):
        run(tmp_path, spec, workers=2)
    recorded = read_failures(Layout(tmp_path))
    # one worker makes further shots until the other, which may be slow to start, has made its first one
    assert {failure.index for failure in recorded} >= {*range(8)} and len(recorded) < 1_000
    monkeypatch.setattr(generate, "choose_worker_count", None)  # started again, it gives no shot to a worker
    with pytest.raises(GeometryError, match=message):
        run(tmp_path, spec)
    assert read_failures(Layout(tmp_path)) == recorded


@pytest.fixture(scope="module")
def with_a_bad_model(tmp_path_factory):
    """A run whose engine fails on one of two products."""
    folder = tmp_path_factory.mktemp("bad") / "out"
    return folder, run(folder, make_spec(images=12), initialize=initialize_failing)


@pytest.mark.slow
def test_a_product_that_cannot_be_rendered_costs_its_own_images_alone(with_a_bad_model):
    folder, outcome = with_a_bad_model
    rows = list(read_rows(Layout(folder).manifest))
    assert {row.label for row in rows} == {"box"} and len(rows) + len(outcome.failures) == 12
    assert {failure.reason for failure in outcome.failures} == {"render_failed"}
    first = outcome.failures[0]
    assert first.message.startswith(f"shot {first.shot_index}: RuntimeError: the surface has no inside; see ")
    assert [str(fault) for fault in verify(folder)] == []


@pytest.mark.slow
def test_a_product_that_crashes_blender_costs_its_own_images_alone(tmp_path):
    outcome = run(tmp_path, make_spec(images=2), workers=1, initialize=initialize_crashing)
    rows = list(read_rows(Layout(tmp_path).manifest))
    assert {row.label for row in rows} == {"box"} and len(rows) + len(outcome.failures) == 2
    assert {failure.reason for failure in outcome.failures} == {"blender_crashed"}
    assert "crashed 3 times (SIGABRT)" in outcome.failures[0].message
    assert outcome.failures[0].message.endswith("(the subject is sphere)")
    assert [str(fault) for fault in verify(tmp_path)] == []


@pytest.mark.slow
def test_what_the_engine_failed_on_is_tried_again_on_request_only(with_a_bad_model, tmp_path):
    folder, outcome = with_a_bad_model
    later = run(folder, make_spec(images=12))
    assert (later.made, later.failures) == (0, outcome.failures)
    again = run(folder, make_spec(images=12), retry_failed=True)
    assert again.made == len(outcome.failures) and again.existing == outcome.made and again.failures == ()
    run(tmp_path, make_spec(images=12))
    assert content(folder) == content(tmp_path)


@pytest.mark.slow
def test_a_run_stops_if_no_shot_can_be_rendered(tmp_path):
    spec, table = make_spec(), make_class_table(CATALOG)
    subjects = {i: draw_feasible_shot(spec, CATALOG, table, i).products[0].product for i in range(40)}
    spheres = [index for index, product in subjects.items() if product == "sphere"]
    with pytest.raises(BlendgenError, match=r"the first 8 shots all fail .*\(render_failed\)") as raised:
        run(tmp_path, spec, spheres, initialize=initialize_failing)
    assert raised.value.exit_code == ExitCode.FAILED
    again = run(tmp_path, spec, spheres[:2])  # by then the machine has been put right
    assert (again.made, again.failures) == (2, ())


class Store:
    """Holds failures as a Store does."""

    def __init__(self, failures=()):
        self.recorded = {failure.index: failure for failure in failures}

    def failures(self):
        return dict(self.recorded)

    def add_failures(self, failures):
        self.recorded |= {failure.index: failure for failure in failures}

    def forget_failures(self, indices):
        self.recorded = {index: one for index, one in self.recorded.items() if index not in indices}


def failed(index, reason=Reason.PILE_UNSETTLED):
    return failed_images([index], InfeasibleShot(index, (InfeasibleDraw(reason, f"shot {index}"),)))


def add(failures, of_a_shot):
    """As a run does."""
    failures.add(of_a_shot)
    failures.refuse(of_a_shot)


@pytest.mark.parametrize("order", [range(8), range(7, -1, -1), (3, 40, 0, 2, 9, 1, 7, 6, 5, 4)])
def test_the_first_shots_are_those_of_the_indices_in_any_order_of_finishing(order):
    failures = Failures(Run(SimpleNamespace(spec=SPEC), Store(), range(100), None))
    *others, last = order
    for index in others:
        add(failures, failed(index))
    with pytest.raises(GeometryError, match=r"\(pile_unsettled\): shot 0$"):
        add(failures, failed(last))
    assert failures.indices == {*order}


def test_a_run_goes_on_if_one_of_the_first_shots_is_made_or_fails_for_another_reason():
    for first, reason in ((1, Reason.PILE_UNSETTLED), (0, Reason.LENS_FOLDS)):
        failures = Failures(
            Run(SimpleNamespace(spec=SPEC), Store(failed(0, reason)), range(first, 100), None)
        )
        for index in (*range(first + 1, 8), *range(9, 90)):
            add(failures, failed(index))
        assert failures.count >= 80
    few = Failures(Run(SimpleNamespace(spec=SPEC), Store(), range(7), None))
    for index in range(7):
        add(few, failed(index))


def test_a_run_stops_if_blender_fails_in_shot_after_shot():
    store = Store()
    failures = Failures(Run(SimpleNamespace(spec=SPEC), store, range(100), None))
    for index in range(0, 40, 2):
        add(failures, crash(index))
        add(failures, [])
    for index in range(50, 57):
        add(failures, crash(index))
    with pytest.raises(
        BlendgenError, match=r"the last 8 shots all failed \(blender_crashed\): SIGSEGV"
    ) as raised:
        add(failures, crash(57))
    assert raised.value.exit_code == ExitCode.FAILED
    # the shots before them are to blame; these 8 are not
    assert [*store.recorded] == [*range(0, 40, 2)]


def crash(index):
    return failed_together([index], index, Reason.BLENDER_CRASHED, "SIGSEGV")


def test_what_blender_crashed_on_names_the_subject():
    job = SimpleNamespace(spec=SPEC, class_table=make_class_table(CATALOG), sweep=None)
    made = Run(job, Store(), range(9), None)._crashed(Task(4, (4,)), "shot 4: Blender crashed")
    subject = draw_feasible_shot(make_spec(), CATALOG, job.class_table, 4).products[0].product
    (failure,) = made.failures
    assert (failure.index, failure.reason) == (4, "blender_crashed")
    assert failure.message == f"shot 4: Blender crashed (the subject is {subject})"


@pytest.mark.parametrize("target", ["camera", "products"])
def test_what_blender_crashed_on_in_a_sweep_names_the_subject_of_the_sweep(target):
    table, sweep = make_class_table(CATALOG), Sweep(target, vary=True, anchor=3, count=9)
    job = SimpleNamespace(spec=SPEC, class_table=table, sweep=sweep)
    for index in range(6):
        subject = draw_shot(make_spec(), CATALOG, table, index, 0, sweep).products[0].product
        (failure,) = not_rendered(job, Task(index, (index,)), Reason.BLENDER_CRASHED, "SIGSEGV")
        assert failure.message == f"SIGSEGV (the subject is {subject})"


@pytest.mark.slow
def test_a_few_images_that_all_fail_are_recorded_with_one_error_for_each_reason(tmp_path, caplog):
    outcome = run(tmp_path, make_spec(images=10_000, **ALL_FAIL), range(3, 10))
    assert (outcome.made, len(outcome.failures)) == (0, 7)
    assert outcome.record["images"] == 0 and outcome.record["images_failed"] == 7
    (record,) = [record for record in caplog.records if "cannot be made" in record.getMessage()]
    assert record.getMessage().startswith("image 3 cannot be made: camera.distance_m")
    assert record.levelname == "ERROR"  # also with --quiet


def test_the_first_shots_of_a_shard_other_than_the_first_do_not_decide_whether_the_spec_is_wrong():
    run = Run(SimpleNamespace(spec=SPEC), Store(), range(100, 200), None, may_all_fail=True)
    failures = Failures(run)
    for index in range(100, 130):
        add(failures, failed(index))
    assert failures.count == 30
    with pytest.raises(BlendgenError, match="the last 8 shots all failed"):
        for index in range(130, 140):
            add(failures, crash(index))
