"""The status file of a run: it says how far the run is, and is never part of the data set."""

import json
import os

import pytest

from blendgen.dataset import store
from blendgen.dataset.layout import Layout
from blendgen.dataset.ownership import is_temporary, our_files, refuse_other_folder
from blendgen.dataset.run_status import read_run_status
from blendgen.errors import DatasetError
from blendgen.workers import monitor as monitor_module
from blendgen.workers.monitor import Monitor
from tests.conftest import make_spec
from tests.waiting import wait_until
from tests.workers.test_events import IMAGES, SPEC, run_here  # noqa: F401

EVERY_S = 0.02


def left_behind(layout: Layout) -> None:
    """What a run that was killed leaves."""
    layout.temporary.mkdir(parents=True)
    layout.run_status.write_text("{}")


def test_a_run_states_how_far_it_is_and_takes_the_statement_away(run_here, tmp_path):  # noqa: F811
    layout, states = Layout(tmp_path / "out"), []

    def look(finished, _):
        if finished in (3, 5):
            enough = wait_until(
                lambda: (s := read_run_status(layout)) and s.made + s.failed >= finished and s
            )
            states.append(enough)

    run_here(layout.root, SPEC, report=look, monitor=Monitor(every_s=EVERY_S))
    first, second = states
    assert first.heartbeat < second.heartbeat and first.run == second.run
    assert (first.pid, first.phase, first.wanted, first.existing) == (os.getpid(), "rendering", IMAGES, 0)
    assert second.images == second.made > first.made
    assert first.manifest_bytes < second.manifest_bytes <= layout.manifest.stat().st_size
    assert not layout.temporary.exists()


def test_a_resumed_run_counts_what_is_there(run_here, tmp_path):  # noqa: F811
    layout, states = Layout(tmp_path / "out"), []
    run_here(layout.root, SPEC, range(4))

    def look(finished, _):
        if finished == 1:
            states.append(wait_until(lambda: (s := read_run_status(layout)) and s.made and s))

    run_here(layout.root, SPEC, range(2, IMAGES), report=look, monitor=Monitor(every_s=EVERY_S))
    (state,) = states
    assert (state.wanted, state.existing, state.made, state.failed_per_reason) == (6, 1, 1, {"other": 1})
    assert state.images == 4


def test_a_run_is_there_while_it_still_reads_what_a_killed_one_has_left(run_here, tmp_path, monkeypatch):  # noqa: F811
    layout, states, read = Layout(tmp_path / "out"), [], store.read_heads
    run_here(layout.root, SPEC, range(4))
    left_behind(layout)
    layout.run_status.write_text(json.dumps(VALID | {"images": 3, "manifest_bytes": 7}))

    def read_heads(*arguments):
        states.append(read_run_status(layout))
        return read(*arguments)

    monkeypatch.setattr(store, "read_heads", read_heads)
    run_here(layout.root, SPEC, range(4))
    (state, *_) = states
    assert (state.pid, state.phase, state.images, state.manifest_bytes) == (os.getpid(), "starting", 3, 7)
    assert not layout.temporary.exists()


def test_a_folder_that_is_refused_gets_no_file(run_here, tmp_path):  # noqa: F811
    layout = Layout(tmp_path / "out")
    run_here(layout.root, SPEC, range(2))
    with pytest.raises(DatasetError, match="another spec"):
        run_here(layout.root, make_spec(seed=77))
    mine = next(layout.root.glob("images/*/*/000000.png")).with_name("000005.png")
    mine.write_text("mine")
    with pytest.raises(DatasetError, match="would be overwritten"):
        run_here(layout.root, SPEC)
    assert not layout.temporary.exists() and not layout.lock.exists()


def test_a_disk_that_refuses_the_file_does_not_end_the_run(run_here, tmp_path, monkeypatch):  # noqa: F811
    def refuses(*_):
        raise DatasetError("the disk is full")

    monkeypatch.setattr(monitor_module, "write_run_status", refuses)
    monkeypatch.setattr(monitor_module, "remove_run_status", refuses)
    assert run_here(tmp_path / "out", SPEC, monitor=Monitor(every_s=EVERY_S)).made > 0


def test_the_file_of_a_killed_run_is_ours_and_is_gone_after_the_next_run(run_here, tmp_path):  # noqa: F811
    layout = Layout(tmp_path / "out")
    left_behind(layout)
    refuse_other_folder(layout, {})
    assert our_files(layout, {}) == ([layout.name(layout.run_status)], [])
    run_here(layout.root, SPEC)
    assert not layout.temporary.exists()


@pytest.mark.parametrize("name", [".partial/status.json", "run-status.json", ".partial/x/run-status.json"])
def test_other_files_of_such_names_are_not_ours(tmp_path, name):
    assert not is_temporary(Layout(tmp_path), name)


VALID = {"run": "a", "host": "h", "pid": 1, "boot": "", "namespace": "", "began": 0, "started": "x"}


@pytest.mark.parametrize(
    ("content", "is_read"),
    [
        (json.dumps(VALID), True),
        (json.dumps(VALID | {"of a later version": 1}), True),
        (json.dumps(VALID | {"schema_version": 2}), False),
        (json.dumps(VALID | {"every_s": 0}), False),
        (json.dumps(VALID | {"images": -1}), False),
        (json.dumps(VALID | {"images_per_s": float("inf")}), False),
        ('{"run": ', False),
        ("[" * 10**5, False),
        (" " * (2**20 + 1), False),
    ],
)
def test_only_a_whole_and_sensible_file_is_read(tmp_path, content, is_read):
    layout = Layout(tmp_path)
    left_behind(layout)
    layout.run_status.write_text(content)
    assert (read_run_status(layout) is not None) == is_read


def test_a_file_that_is_a_link_or_a_pipe_is_not_read(tmp_path):
    layout, outside = Layout(tmp_path / "out"), tmp_path / "outside"
    outside.mkdir()
    (outside / "run-status.json").write_text(json.dumps(VALID))
    layout.root.mkdir()
    layout.temporary.symlink_to(outside)
    assert read_run_status(layout) is None
    layout.temporary.unlink()
    layout.temporary.mkdir()
    layout.run_status.symlink_to(outside / "run-status.json")
    assert read_run_status(layout) is None
    layout.run_status.unlink()
    os.mkfifo(layout.run_status)
    assert read_run_status(layout) is None
