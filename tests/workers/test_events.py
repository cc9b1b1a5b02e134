"""Events of a run: which come, what they say, and that nothing that happens to their file ends the run."""

import errno
import json
import logging
import os
import re
import signal
from dataclasses import fields
from types import SimpleNamespace

import click
import pytest

from blendgen.cli import run as run_command
from blendgen.dataset.failures import failed_together, read_failures
from blendgen.dataset.layout import Layout
from blendgen.dataset.manifest import read_rows
from blendgen.dataset.write import write_frame
from blendgen.engine.device import CPU
from blendgen.engine.flat import FlatEngine
from blendgen.errors import DatasetError, DiskUnavailable, Interrupted, Reason, UsageError
from blendgen.workers import generate
from blendgen.workers.event_file import EventFile, event_receiver
from blendgen.workers.events import NAMES, Events
from blendgen.workers.monitor import Monitor
from blendgen.workers.worker import Made
from tests.conftest import REPOSITORY, make_spec
from tests.workers import flat_run
from tests.workers.flat_run import flat_pipeline

IMAGES, FAILING = 8, 2
SPEC = make_spec(images=IMAGES)
HEAD = ["event", "time", "run", "elapsed_s"]


def tasks_done_here(job, tasks, stop, workers, **_):
    """As run_tasks, without a worker process; shot FAILING cannot be made."""
    pipeline = flat_pipeline(job, CPU, FlatEngine)
    for task in tasks:
        if task.shot_index == FAILING:
            yield Made([], failed_together(task.image_indices, FAILING, Reason.OTHER, "cannot be made"), {})
            continue
        frames = pipeline.developed(pipeline.rendered(task))
        yield Made([write_frame(Layout(job.folder), frame, job.spec.output) for frame in frames], [], {}, 0.5)


@pytest.fixture
def run_here(monkeypatch):
    """flat_run.run in this process, but for its workers."""
    real = generate.run_tasks
    monkeypatch.setattr(flat_run, "partial", lambda *_, **__: tasks_done_here)
    yield flat_run.run
    generate.run_tasks = real


def names(events):
    return [event["event"] for event in events]


def test_a_run_reports_every_image_and_how_it_ended_in_events_with_the_keys_of_their_kind(run_here, tmp_path):
    events, layout = [], Layout(tmp_path / "out")
    outcome = run_here(layout.root, SPEC, monitor=Monitor(Events(events.append)))
    check_keys(events)
    rows, failures = list(read_rows(layout.manifest)), read_failures(layout)
    assert failures and rows
    assert names(events)[0] == "run_started" and names(events)[-1] == "run_finished"
    assert sorted(names(events)[1:-1]) == ["image_failed"] * len(failures) + ["image_made"] * len(rows)
    made = sorted((one for one in events if one["event"] == "image_made"), key=lambda one: one["index"])
    assert [(one["index"], one["label"], one["file_name"]) for one in made] == [
        (row.index, row.label, row.image.name) for row in rows
    ]
    assert {one["seconds"] for one in made} == {0.5}
    failed = [one["index"] for one in events if one["event"] == "image_failed"]
    assert sorted(failed) == [one.index for one in failures]
    assert events[0] | {"wanted": IMAGES, "existing": 0, "failed": 0, "pid": os.getpid()} == events[0]
    counts = {
        "wanted": IMAGES,
        "existing": 0,
        "made": len(rows),
        "failed": len(failures),
        "images": len(rows),
    }
    assert events[-1] | counts == events[-1] and outcome.made == len(rows)


def fail(error):
    raise error


def test_an_image_that_cannot_be_made_is_recorded_before_its_event_and_its_event_before_the_run_ends(
    run_here, tmp_path, monkeypatch
):
    layout, recorded = Layout(tmp_path / "out"), []

    def receive(event):
        if event["event"] == "image_failed":
            recorded.append(event["index"] in {one.index for one in read_failures(layout)})

    monkeypatch.setattr(generate.Failures, "refuse", lambda failures, new: new and fail(DatasetError("ends")))
    with pytest.raises(DatasetError, match="ends"):
        run_here(layout.root, SPEC, monitor=Monitor(Events(receive)))
    assert recorded == [True]


def check_keys(events):
    keys = {name: HEAD + [field.name for field in fields(kind)] for kind, name in NAMES.items()}
    assert all(list(event) == keys[event["event"]] for event in events)
    assert len({event["run"] for event in events}) == 1
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", event["time"]) for event in events)
    elapsed = [event["elapsed_s"] for event in events]
    assert elapsed == sorted(elapsed)


def test_a_resumed_run_continues_the_file_with_another_id(run_here, tmp_path):
    path = tmp_path / "events.jsonl"
    for images in (4, IMAGES):
        with event_receiver(path, tmp_path / "out") as receive:
            run_here(tmp_path / "out", SPEC, range(images), monitor=Monitor(Events(receive)))
    events = [json.loads(line) for line in path.read_text().splitlines()]
    started = [event for event in events if event["event"] == "run_started"]
    assert len({event["run"] for event in started}) == len(started) == 2
    assert started[1]["existing"] + started[1]["failed"] == 4
    assert names(events).count("image_made") == started[1]["existing"] + events[-1]["made"]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (DatasetError("the disk is odd"), 5),
        (DiskUnavailable("the disk is full"), 75),
        (Interrupted(signal.SIGTERM, "stopped"), 143),
        (KeyboardInterrupt(), None),
        (MemoryError(), 8),
        (OSError(errno.ESTALE, "stale", "/mnt/set"), 75),
        (OSError(errno.EACCES, "not yours", "/mnt/set"), 1),
        (OSError(errno.ENOSPC, "stdout is full"), 1),
        (RuntimeError("a bug"), 1),
        (GeneratorExit(), None),
    ],
)
def test_a_run_that_ends_early_says_why_with_the_exit_code_of_the_command(error, code):
    if code is not None and not isinstance(error, RuntimeError):
        assert run_command([], click.Command("fails", callback=lambda: fail(error))) == code
    events = []
    with pytest.raises(type(error)), Monitor(Events(events.append)):
        raise error
    (stopped,) = events
    assert stopped["event"] == "run_stopped" and stopped["exit_code"] == code
    assert stopped["message"] == (str(error) or type(error).__name__)


def test_workers_that_start_and_crash_are_reported():
    events = []
    monitor = Monitor(Events(events.append))
    process = SimpleNamespace(pid=77, exitcode=None)
    pending = SimpleNamespace(task=SimpleNamespace(shot_index=3))
    worker = SimpleNamespace(
        process=process,
        share=SimpleNamespace(device=CPU),
        suspects=lambda: [pending],
        exit_reason=lambda: "SIGSEGV",
    )
    monitor.worker_started(worker)
    process.exitcode = -11
    monitor.worker_ended(worker)
    monitor.worker_started(worker)
    process.exitcode = 0
    monitor.worker_ended(worker)
    assert names(events) == ["worker_started", "worker_crashed", "worker_started"]
    assert events[0] | {"worker": 77, "device": "CPU"} == events[0]
    assert events[1] | {"worker": 77, "reason": "SIGSEGV", "shots": [3]} == events[1]


@pytest.mark.slow
def test_events_of_worker_processes_name_the_shot_that_crashes_them(tmp_path):
    events = []
    spec = make_spec(images=4)
    flat_run.run(
        tmp_path / "out",
        spec,
        initialize=flat_run.initialize_crashing,
        monitor=Monitor(Events(events.append)),
    )
    crashed = [event for event in events if event["event"] == "worker_crashed"]
    failed = {event["index"] for event in events if event["event"] == "image_failed"}
    assert failed and {shot for event in crashed for shot in event["shots"]} >= failed
    assert all(event["reason"] == "SIGABRT" for event in crashed)
    assert all(event["seconds"] > 0 for event in events if event["event"] == "image_made")


def test_a_disk_that_is_full_loses_events_with_one_warning_and_no_half_line(tmp_path, monkeypatch, caplog):
    path, write = tmp_path / "events.jsonl", os.write
    with event_receiver(path, tmp_path / "out") as receive, caplog.at_level(logging.WARNING):
        receive({"event": "one"})
        monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, data[:5]))
        receive({"event": "two"})
        receive({"event": "three"})
        monkeypatch.setattr(os, "write", write)
        receive({"event": "four"})
    assert [json.loads(line)["event"] for line in path.read_text().splitlines()] == ["one", "four"]
    assert len(caplog.records) == 1 and "events are lost" in caplog.text


def test_a_pipe_that_nobody_reads_any_more_is_left_alone_after_one_warning(monkeypatch, caplog):
    reader, writer = os.pipe()
    os.close(reader)
    events = EventFile(writer, "stdout")
    with caplog.at_level(logging.WARNING):
        events.write({"event": "one"})
        monkeypatch.setattr(os, "write", lambda *_: pytest.fail("it is written to again"))
        events.write({"event": "two"})
    os.close(writer)
    assert len(caplog.records) == 1 and os.strerror(errno.EPIPE) in caplog.text


def test_a_file_that_a_crash_of_the_machine_tore_goes_on_in_a_new_line(tmp_path):
    path = tmp_path / "events.jsonl"
    path.write_text('{"event": "run_started"}\n{"event": "ima')
    with event_receiver(path, tmp_path / "out") as receive:
        receive({"event": "run_stopped"})
    assert path.read_text().splitlines()[-1] == '{"event": "run_stopped"}'


@pytest.mark.parametrize("content", ["my notes\n", '{"events": 1}\n', "\n"])
def test_a_file_with_something_else_in_it_is_not_touched(tmp_path, content):
    path = tmp_path / "notes.txt"
    path.write_text(content)
    with pytest.raises(UsageError, match="holds something else"), event_receiver(path, tmp_path / "out"):
        pass
    assert path.read_text() == content


def test_a_file_in_the_data_set_or_in_a_missing_folder_is_refused(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "out")
    for path, message in {
        "out/events.jsonl": "in the folder of the data set",
        "link/x/events.jsonl": "in the folder of the data set",
        "absent/events.jsonl": "cannot be opened: No such file",
        "": "cannot be opened: Is a directory",
    }.items():
        with pytest.raises(UsageError, match=message), event_receiver(tmp_path / path, tmp_path / "out"):
            pass
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("options", [["--json"], ["--progress", "openjd"]])
def test_events_share_stdout_with_nothing_else(tmp_path, options, capsys):
    assert run_command(["generate", "x.yaml", "-o", str(tmp_path / "out"), "--events", "-", *options]) == 2
    out, err = capsys.readouterr()
    assert out == "" and "prints to stdout" in err


def test_the_documentation_lists_all_keys():
    text = (REPOSITORY / "docs" / "farms.md").read_text("utf-8")
    for kind, name in NAMES.items():
        (line,) = re.findall(rf"^\| `{name}` \|.*$", text, re.MULTILINE)
        assert re.findall(r"`(\w+)`", line)[1:] == [field.name for field in fields(kind)]
    assert all(f"`{key}`" in text for key in HEAD)
