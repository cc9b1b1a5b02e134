"""How far a data set is: counted without parsing, of live, dead, silent runs, on this and other machines."""

import json
import os
from dataclasses import asdict, replace

import pytest

import blendgen
from blendgen.cli import run as run_command
from blendgen.dataset.failures import append_failures, failed_together
from blendgen.dataset.layout import Layout
from blendgen.dataset.ownership import MERGING_KEY
from blendgen.dataset.run_status import RunStatus, write_run_status
from blendgen.errors import DatasetError, Reason
from blendgen.farm.part_status import LineCount, PartReader
from blendgen.farm.status import StatusReader, watched
from blendgen.system.process import this_process

ROW = b'{"index": 0}\n'
RECORD = {"digest": "d", "blender_version": "5.2", "blendgen_version": "0", "exposures_per_shot": 1}
ELSEWHERE = replace(this_process(), host="node7", boot="another boot")


def made(folder, rows=0, images=100, **record) -> Layout:
    """A folder as `generate` leaves it after so many rows; images: that the spec asks for."""
    layout = Layout(folder)
    folder.mkdir(parents=True, exist_ok=True)
    layout.spec.write_text(f"blendgen: 1\nimages: {images}\nproducts:\n- {{images: 7}}\n")
    layout.manifest.write_bytes(ROW * rows)
    layout.record.write_text(json.dumps(RECORD | record))
    return layout


def finished(folder, rows=100, images=100, **record) -> Layout:
    """The same after its run has ended."""
    layout = made(folder, rows, images)
    layout.record.write_text(
        json.dumps(RECORD | {"images": rows, "images_per_split": {"train": rows}} | record)
    )
    return layout


def with_run(layout: Layout, process=None, **values) -> RunStatus:
    """The file of a run on a folder, which has just written its heartbeat."""
    process = asdict(process or this_process())
    size = layout.manifest.stat().st_size
    values = {
        "images": size // len(ROW),
        "manifest_bytes": size,
        "wanted": 100,
        "phase": "rendering",
    } | values
    status = RunStatus(run="r", started="2026-05-04T09:30:12.345Z", **process, **values)
    write_run_status(layout, status)
    return status


class Clock:
    now_s = 0.0

    def __call__(self):
        return self.now_s

    def sleep(self, seconds):
        self.now_s += seconds


def test_a_finished_data_set_is_complete(tmp_path):
    finished(tmp_path, 98, images_failed_per_reason={"other": 2})
    status = blendgen.status(tmp_path)
    assert status.is_complete and status.parts == ()
    assert (status.images, status.wanted, status.failed, status.left_s) == (98, 100, 2, None)


def test_rows_after_the_last_count_are_counted_and_a_torn_one_is_not(tmp_path):
    layout = finished(tmp_path, 40)
    os.utime(layout.record, ns=(0, layout.manifest.stat().st_mtime_ns - 1))
    layout.manifest.write_bytes(ROW * 50 + ROW[:-3])
    layout.failures.write_bytes(b"")
    append_failures(layout, failed_together([60, 61], 60, Reason.OTHER, "cannot be made"))
    part = PartReader(tmp_path).read()
    assert (part.state, part.images, part.failed_per_reason) == ("stopped", 50, {"other": 2})


def test_a_run_on_this_machine_lives_as_long_as_its_process(tmp_path):
    layout = made(tmp_path, 10)
    run = with_run(layout, wanted=50, existing=4, made=6, failed_per_reason={"other": 10}, images_per_s=0.5)
    with layout.manifest.open("ab") as manifest:
        manifest.write(ROW * 2 + b'{"torn')
    status = blendgen.status(tmp_path)
    (part,) = status.parts
    assert (part.state, part.images, part.run) == ("running", 12, run)
    assert (status.images_per_minute, part.left_s) == (30, 60)
    assert (status.wanted, status.failed, status.left_s) == (100, 10, 156)
    with_run(layout, replace(this_process(), began=1), images_per_s=0.5)
    dead = blendgen.status(tmp_path)
    assert (dead.parts[0].state, dead.images, dead.images_per_minute) == ("stopped", 12, None)


def test_a_run_on_another_machine_lives_as_long_as_its_heartbeat_goes_on(tmp_path):
    clock, layout = Clock(), made(tmp_path, 10)
    reader = PartReader(tmp_path, clock=clock)
    with_run(layout, ELSEWHERE, heartbeat=7)
    assert reader.read().state == "unknown"
    clock.now_s += 5
    with_run(layout, ELSEWHERE, heartbeat=8)
    assert reader.read().state == "running"
    clock.now_s += 14
    assert reader.read().state == "running"
    clock.now_s += 1
    assert reader.read().state == "silent"
    with_run(layout, ELSEWHERE, heartbeat=9)
    assert reader.read().state == "running"


@pytest.mark.parametrize("written_ns", [0, 4 * 10**18])
def test_the_clocks_of_other_machines_do_not_matter(tmp_path, written_ns):
    clock, layout = Clock(), made(tmp_path, 10)
    reader = StatusReader(tmp_path, clock)

    def sleep(seconds):
        clock.sleep(seconds)
        with_run(layout, ELSEWHERE, heartbeat=int(clock.now_s // 5))
        os.utime(layout.run_status, ns=(written_ns, written_ns))

    with_run(layout, ELSEWHERE)
    assert reader.settled(20, sleep).parts_per_state == {"running": 1}
    assert clock.now_s < 6


def test_a_run_that_shows_no_sign_of_life_is_silent_and_without_waiting_unknown(tmp_path):
    with_run(made(tmp_path, 10), ELSEWHERE)
    clock = Clock()
    assert StatusReader(tmp_path, clock).settled(20, clock.sleep).parts_per_state == {"silent": 1}
    assert clock.now_s <= 16
    assert StatusReader(tmp_path).settled(0, pytest.fail).parts_per_state == {"unknown": 1}


def test_shards_are_added_up_and_those_that_need_somebody_come_first(tmp_path):
    def shard(index):
        return tmp_path / "shards" / f"{index:05d}-of-00010"

    finished(shard(0), 10)
    finished(shard(1), 9, images_failed_per_reason={"other": 1})
    with_run(made(shard(2), 5), images_per_s=0.25)
    made(shard(3), 4)
    with_run(made(shard(4), 3), replace(this_process(), began=1))
    shard(5).mkdir()
    (tmp_path / "shards" / "notes").mkdir()
    status = blendgen.status(tmp_path)
    states = {"stopped": 2, "running": 1, "not started": 5, "complete": 2}
    assert status.parts_per_state == states and not status.is_complete
    assert [part.name[:5] for part in status.parts] == ["00003", "00004", "00002"]
    assert (status.images, status.wanted, status.failed) == (31, 100, 1)
    assert status.left_s == (100 - 31 - 1) / 0.25
    assert {part.wanted for part in status.parts} == {10}


def test_shards_are_reported_until_they_are_merged(tmp_path, capsys):
    for index in range(2):
        finished(tmp_path / "shards" / f"{index:05d}-of-00002", 50)
    for record in ({}, RECORD | {MERGING_KEY: True}):
        (tmp_path / "dataset.json").write_text(json.dumps(record))
        assert blendgen.status(tmp_path).parts_per_state == {"complete": 2}
        assert run_command(["status", str(tmp_path)]) == 0
        assert f"run `blendgen merge -o {tmp_path}`" in capsys.readouterr().out
    finished(tmp_path, 100)
    assert blendgen.status(tmp_path).parts_per_state == {"complete": 1}


def test_an_uneven_shard_wants_its_own_number_of_images(tmp_path):
    folder = tmp_path / "shards" / "00001-of-00003"
    finished(folder, 34, images=100, exposures_per_shot=1)
    assert blendgen.status(folder).wanted == 33 and blendgen.status(folder).is_complete
    made(tmp_path / "shards" / "00002-of-00003", 0, images=100, exposures_per_shot=3)
    assert [part.wanted for part in blendgen.status(tmp_path).parts] == [34]


def test_watching_ends_when_all_is_made_and_reads_a_complete_shard_once(tmp_path):
    shards = [tmp_path / "shards" / f"{index:05d}-of-00002" for index in range(2)]
    finished(shards[0], 50)
    made(shards[1], 5)
    images = []

    def sleep(seconds):
        assert seconds == 3
        Layout(shards[0]).record.unlink(missing_ok=True)
        finished(shards[1], 50)

    for status in watched(tmp_path, 3, sleep):
        images.append(status.images)
    assert images == [55, 100] and status.is_complete


def test_a_folder_that_is_gone_for_a_while_does_not_end_the_watch(tmp_path, caplog):
    made(tmp_path / "out", 5)

    def sleep(_):
        if (tmp_path / "out").exists():
            (tmp_path / "out").rename(tmp_path / "gone")
        else:
            (tmp_path / "gone").rename(tmp_path / "out")
            finished(tmp_path / "out", 100)

    assert [status.images for status in watched(tmp_path / "out", 3, sleep)] == [5, 100]
    assert "is not a folder" in caplog.text


def test_only_what_is_new_is_read(tmp_path):
    path = tmp_path / "lines"
    path.write_bytes(b"one\ntwo\nthr")
    lines = LineCount(path)
    assert lines.count() == 2
    with path.open("r+b") as file:
        file.write(b"\n\n\n\n")
        file.seek(0, os.SEEK_END)
        file.write(b"ee\nfour\n")
    assert lines.count() == 4
    with path.open("r+b") as file:  # a torn line that a resumed run has removed
        file.seek(0, os.SEEK_END)
        file.write(b"torn")
        assert lines.count() == 4
        file.truncate(file.tell() - 4)
        file.write(b"five and six\n")
    assert lines.count() == 5
    (tmp_path / "sorted").write_bytes(b"a\nb\n")
    (tmp_path / "sorted").replace(path)
    assert lines.count() == 2
    path.unlink()
    assert lines.count() == 2


def test_nothing_is_written(tmp_path):
    with_run(made(tmp_path / "shards" / "00000-of-00002", 5), ELSEWHERE)
    finished(tmp_path / "shards" / "00001-of-00002", 50)

    def tree():
        return {path: path.lstat().st_mtime_ns for path in (tmp_path, *tmp_path.rglob("*"))}

    before = tree()
    blendgen.status(tmp_path, wait_s=0)
    assert tree() == before


@pytest.mark.parametrize(
    ("prepare", "message"),
    [
        (lambda path: None, "is not a folder"),
        (lambda path: path.mkdir(), "contains neither a data set"),
        (lambda path: (path / "shards" / "mine").mkdir(parents=True), "contains neither a data set"),
    ],
)
def test_another_folder_is_refused(tmp_path, prepare, message):
    prepare(tmp_path / "out")
    with pytest.raises(DatasetError, match=message):
        blendgen.status(tmp_path / "out")


@pytest.mark.parametrize("content", ["{", '{"run": "r"}', "null"])
def test_a_status_file_that_is_half_there_counts_as_none(tmp_path, content):
    layout = made(tmp_path, 10)
    layout.temporary.mkdir()
    layout.run_status.write_text(content)
    assert blendgen.status(tmp_path).parts[0].state == "stopped"


@pytest.mark.parametrize("odd", [None, True, -5, 1.5, 10**400, "x", [], {}, {"a": -1}])
def test_a_record_of_a_stranger_is_not_trusted(tmp_path, odd, capsys):
    for key in ("images", "images_failed_per_reason", "spec_sha256", "exposures_per_shot"):
        folder = tmp_path / key / "shards" / "00000-of-00002"
        finished(folder, 50, **{key: odd})
        assert run_command(["status", str(tmp_path / key), "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["images"] == 50


def test_links_that_lead_out_of_the_folder_are_not_followed(tmp_path):
    (tmp_path / "lines").write_bytes(ROW * 30)
    layout = made(tmp_path / "out", 10)
    for path in (layout.manifest, layout.spec):
        path.unlink()
        path.symlink_to(tmp_path / "lines")
    status = blendgen.status(layout.root)
    assert (status.images, status.wanted) == (0, None)


def test_the_command_prints_a_line_for_each_shard_up_to_a_limit(tmp_path, capsys):
    for index in range(5):
        made(tmp_path / "shards" / f"{index:05d}-of-00400", 0, images=4000)
    with_run(
        made(tmp_path / "shards" / "00009-of-00400", 6, images=4000), images_per_s=0.2, wanted=10, made=6
    )
    assert run_command(["status", str(tmp_path), "--lines", "3"]) == 0
    head, shards, pace, *lines = capsys.readouterr().out.splitlines()
    assert head == f"{tmp_path}: 6 of 4000 images"
    assert shards == "400 shards: 5 stopped, 1 running, 394 not started"
    assert pace == "12.0 images/min, 5 h 33 min left"
    assert lines[0] == "00000-of-00400  0 of 10 images  stopped: run the same command to continue"
    assert len(lines) == 4 and lines[-1] == "and 3 more"
    assert run_command(["status", str(tmp_path)]) == 0
    running = capsys.readouterr().out.splitlines()[-1]
    assert running.startswith(f"00009-of-00400  6 of 10 images  running on {this_process().host}, process ")
    assert running.endswith(": 12.0 images/min, 20 s left")


def test_the_command_names_workers_and_failures_of_a_single_data_set(tmp_path, capsys):
    workers = ({"pid": 42, "device": "CUDA: \x1b[2J", "started": "2026-05-04T09:30:13Z"},)
    with_run(made(tmp_path, 10), workers=workers, failed_per_reason={"other": 2})
    assert run_command(["status", str(tmp_path)]) == 0
    head, line, worker = capsys.readouterr().out.splitlines()
    assert head == f"{tmp_path}: 10 of 100 images, 2 failed (2 other)"
    assert "1 worker on CUDA: \\x1b[2J, since 2026-05-04T09:30:12.345Z" in line
    assert worker == "  worker 42 on CUDA: \\x1b[2J, since 2026-05-04T09:30:13Z"


def test_a_run_over_some_of_the_images_says_how_far_it_is_with_these(tmp_path, capsys):
    with_run(made(tmp_path, 30), wanted=20, existing=4, made=6, images_per_s=1)
    assert run_command(["status", str(tmp_path)]) == 0
    head, line = capsys.readouterr().out.splitlines()
    assert head.endswith(": 30 of 100 images")
    assert line.endswith(", 10 of the 20 images of this run: 1.0 images/s, 10 s left")


def test_json_has_stable_keys_and_one_object_a_line(tmp_path, capsys):
    finished(tmp_path)
    assert run_command(["status", str(tmp_path), "--json", "--watch"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    values = json.loads(line)
    assert list(values) == [
        *("schema_version", "folder", "complete", "images", "wanted", "failed", "failed_per_reason"),
        *("images_per_minute", "left_s", "parts_per_state", "parts"),
    ]
    with_run(made(tmp_path, 10), images_per_s=0.5)
    assert run_command(["status", str(tmp_path), "--json"]) == 0
    (part,) = json.loads(capsys.readouterr().out)["parts"]
    assert part["state"] == "running" and part["run"]["pid"] == os.getpid()
    assert part["images_per_minute"] == 30
