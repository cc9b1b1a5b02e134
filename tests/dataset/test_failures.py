"""failed.jsonl: images that cannot be made are recorded once, survive a kill, and belong to the data set."""

import json
import os

import pytest

from blendgen.dataset.failures import (
    append_failures,
    failed_images,
    failed_together,
    open_failures,
    read_failures,
)
from blendgen.dataset.layout import Layout
from blendgen.dataset.ownership import our_files
from blendgen.dataset.store import Store, read_record
from blendgen.errors import DatasetError, InfeasibleDraw, InfeasibleShot, Reason
from blendgen.verification.dataset import verify
from tests.conftest import make_spec
from tests.dataset.test_dataset import RECORD, content, make


def infeasible(shot_index, reason=Reason.PILE_UNSETTLED, attempts=2):
    return InfeasibleShot(shot_index, (InfeasibleDraw(reason, f"no rest for shot {shot_index}"),) * attempts)


def failures_of(*indices):
    return [failure for index in indices for failure in failed_images([index], infeasible(index))]


@pytest.fixture
def layout(tmp_path):
    return Layout(tmp_path)


def opened(folder, **options):
    return Store(folder, dict(RECORD), "spec: 1\n", **options)


def test_every_image_of_a_shot_fails_with_its_reason():
    first, second = failed_images([6, 7], infeasible(3, Reason.LENS_FOLDS, attempts=5))
    assert (first.index, second.index, first.shot_index) == (6, 7, 3)
    assert infeasible(3, Reason.LENS_FOLDS).reason is Reason.LENS_FOLDS
    assert (first.reason, first.message, first.attempts) == ("lens_folds", "no rest for shot 3", 5)


def test_failures_are_sorted_counted_and_the_same_bytes_in_any_order(tmp_path):
    for name, batches in {"a": [(4, 1), (9,)], "b": [(9,), (1,), (4, 4)]}.items():
        with opened(tmp_path / name) as store:
            for batch in batches:
                store.add_failures(failures_of(*batch))
            record = store.finish({"engine": "flat"})
        assert record["images_failed"] == 3
        assert record["images_failed_per_reason"] == {"pile_unsettled": 3}
    assert content(tmp_path / "a") == content(tmp_path / "b")
    lines = Layout(tmp_path / "a").failures.read_text().splitlines()
    assert [json.loads(line)["index"] for line in lines] == [1, 4, 9]


@pytest.mark.parametrize("reason", [Reason.PILE_UNSETTLED, Reason.BLENDER_CRASHED])
def test_failures_stay_set_aside_until_they_are_forgotten(tmp_path, reason):
    with opened(tmp_path) as store:
        store.add_failures(failed_together([4, 5], 2, reason, "no") + failed_together([7], 3, reason, "no"))
    with opened(tmp_path) as store:
        assert store.failures().keys() == {4, 5, 7}
        store.forget_failures({4, 5, 6})
        assert store.failures().keys() == {7}
    assert open_failures(Layout(tmp_path)).keys() == {7}


def test_a_data_set_without_failures_has_no_such_file(tmp_path, layout):
    with opened(tmp_path) as store:
        assert store.failures() == {}
        record = store.finish({"engine": "flat"})
    assert record["images_failed"] == 0 and record["images_failed_per_reason"] == {}
    assert not layout.failures.exists()


def test_failures_are_known_when_the_folder_is_opened_again_also_after_a_kill(tmp_path, layout):
    with opened(tmp_path) as store:
        store.add_failures(failures_of(4, 1))  # never finished
    with layout.failures.open("ab") as file:
        file.write(b'{"index": 9, "shot_index"')
    assert [failure.index for failure in read_failures(layout)] == [4, 1]
    with opened(tmp_path) as store:
        assert store.failures().keys() == {1, 4}
        store.add_failures(failures_of(7))
        store.finish({"engine": "flat"})
    assert open_failures(layout).keys() == {1, 4, 7}


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("left", ["", '{"in', '{"index": 9, "shot_index"', '{"index": 9\0\0', "\0\0"])
def test_a_file_that_a_killed_run_left_without_a_line_is_removed(tmp_path, layout, left, force):
    with opened(tmp_path) as store:
        store.finish({"engine": "flat"})
    layout.failures.write_text(left)
    with opened(tmp_path, force=force) as store:
        assert store.failures() == {} and not layout.failures.exists()


def test_a_data_set_whose_first_failure_has_a_long_message_is_ours(tmp_path, layout):
    with opened(tmp_path) as store:
        long = InfeasibleShot(1, (InfeasibleDraw(Reason.OTHER, "very " * 2000),))
        store.add_failures(failed_images([1], long))
    with opened(tmp_path) as store:
        assert store.failures().keys() == {1}


def test_failures_that_the_disk_refuses_leave_nothing(tmp_path, layout, monkeypatch):
    append_failures(layout, failures_of(1))
    before = layout.failures.read_bytes()

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DatasetError, match=r"failed.jsonl: .*the disk is full"):
        append_failures(layout, failures_of(2))
    assert layout.failures.read_bytes() == before


def test_a_line_that_is_too_long_is_an_error(layout, monkeypatch):
    monkeypatch.setattr("blendgen.dataset.json_lines.MAX_ROW_BYTES", 2**20)
    layout.failures.write_bytes(b" " * (2**20 + 1))
    with pytest.raises(DatasetError, match=r"failed.jsonl:1: .*more than 1 MB.*tried again"):
        read_failures(layout)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("[]", "not a failed image"),
        ('{"index": -1, "shot_index": 0, "reason": "x", "message": "", "attempts": 1}', "index"),
        ('{"index": 1}', "shot_index: Field required"),
        ("nonsense", "not a failed image"),
    ],
)
def test_a_damaged_line_is_an_error_with_its_number(layout, line, message):
    append_failures(layout, failures_of(1))
    with layout.failures.open("a") as file:
        file.write(f"{line}\n")
    with pytest.raises(DatasetError, match=rf"failed.jsonl:2: .*{message}.*remove this line"):
        read_failures(layout)


def test_force_removes_the_failures_of_the_old_data_set(tmp_path, layout):
    with opened(tmp_path) as store:
        store.add_failures(failures_of(4))
        store.finish({"engine": "flat"})
    assert layout.failures.name in our_files(layout, read_record(layout))[0]
    with Store(tmp_path, RECORD | {"digest": "other"}, "spec: 2\n", force=True) as store:
        assert store.failures() == {} and not layout.failures.exists()


@pytest.mark.parametrize("force", [False, True])
def test_a_file_of_that_name_that_is_not_ours_is_never_overwritten(tmp_path, layout, force):
    with opened(tmp_path) as store:
        store.finish({"engine": "flat"})
    layout.failures.write_text("what failed in my experiment\n")
    with (
        pytest.raises(DatasetError, match=r"not part of this data set.*\n +failed.jsonl"),
        opened(tmp_path, force=force),
    ):
        pass
    assert layout.failures.read_text() == "what failed in my experiment\n"


@pytest.fixture
def damaged(tmp_path, flat_pipeline):
    """A data set in which some images failed, after a change to its failures."""

    def build(*extra, drop=0, torn=""):
        pipeline = flat_pipeline(make_spec(exposures_per_shot=2))
        layout = make(tmp_path, pipeline, [0, 1, 4])
        with opened(tmp_path) as store:
            store.add_failures(failed_images([2, 3], infeasible(1)))
            store.finish()
        record = read_record(layout) | {"exposures_per_shot": 2, "name": "test"}
        layout.record.write_text(json.dumps(record))
        lines = layout.failures.read_text().splitlines(keepends=True)
        layout.failures.write_text("".join(lines[drop:]))
        append_failures(layout, extra)
        with layout.failures.open("a") as file:
            file.write(torn)
        return [str(fault) for fault in verify(tmp_path) if "failed" in str(fault)]

    return build


def test_failures_and_images_that_were_not_made_are_not_a_fault(damaged):
    """Image 5 has neither a row nor a failure: a run may make any part of the images."""
    assert damaged() == []


def test_a_torn_failure_is_a_fault(damaged):
    assert damaged(torn='{"index": 9, ')[0] == "failed.jsonl:3: is not a failed image (torn off)"


def test_failures_that_do_not_fit_the_rows_are_faults(damaged):
    faults = damaged(*failed_images([1], infeasible(0)), *failed_images([6], infeasible(2)))
    assert "failed.jsonl: index 1 has a row in the manifest" in faults
    assert "failed.jsonl: index 6 does not belong to shot 2" in faults
    assert "dataset.json: images_failed says 2, failed.jsonl says 4" in faults


def test_failures_that_are_lost_or_doubled_are_faults(damaged):
    assert damaged(drop=1)[0] == "dataset.json: images_failed says 2, failed.jsonl says 1"


def test_a_failure_that_occurs_twice_is_a_fault(damaged):
    assert "failed.jsonl: index 3 occurs twice" in damaged(*failed_images([3], infeasible(1)))
