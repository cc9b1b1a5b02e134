"""Refined data sets: which pixels they have, that they are whole data sets, and what is refused in them."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from PIL import Image

import blendgen
from blendgen.cli import run
from blendgen.dataset.store import refuse_foreign_folder
from blendgen.errors import DatasetError, UsageError
from blendgen.exporters.destination import Destination
from blendgen.refining.program import ChangeFault, Program
from tests.containers.packed_sets import packed
from tests.exporters.conftest import stock as stock
from tests.refining.conftest import brighter

COMMAND = "cp {image} {out}"


@pytest.fixture
def program(monkeypatch):
    """A program in this process; program["make"] is what it does. Calls are noted."""
    does = {"make": lambda row, image: brighter(image), "calls": []}

    def changed(self, source, row):
        does["calls"].append(row.index)
        return does["make"](row, source.image(row))

    monkeypatch.setattr(Program, "changed", changed)
    return does


def refined(out, dest, **options):
    return blendgen.refine(out.root, dest, command=COMMAND, **options)


def lines(folder):
    return [json.loads(line) for line in (folder / "refined.jsonl").read_text().splitlines()]


def mixed(row, image):
    """Every second image moves; image 5 cannot be made, image 7 stays as it was."""
    if row.index == 5:
        raise ChangeFault("the program ended with exit code 1")
    if row.index == 7:
        return image
    return np.roll(image, 3, 1) if row.index % 2 else brighter(image)


def test_images_that_pass_are_refined_and_the_others_stay(out, tmp_path, program):
    program["make"] = mixed
    made = refined(out, tmp_path / "refined")
    assert made.origin["refined"] == 4 and made.record["images"] == 8
    assert made.origin["left"] == {"edges moved": 2, "not changed": 1, "program failed": 1}
    assert blendgen.verify(tmp_path / "refined") == []
    data = blendgen.open_dataset(tmp_path / "refined")
    for row, before, facts in zip(data.rows(), out.rows(), lines(tmp_path / "refined"), strict=True):
        is_refined = row.index % 2 == 0
        assert facts["refined"] == is_refined == (row.image.sha256 != before.image.sha256)
        assert facts["sha256"] == row.image.sha256 and bool(facts["reason"]) != is_refined
        wanted = out.image(before)
        assert np.array_equal(data.source.image(row), brighter(wanted) if is_refined else wanted)
        assert row.model_copy(update={"files": before.files}) == before
        assert (tmp_path / "refined" / row.files["mask"].name).samefile(out.root / row.files["mask"].name)
    moved = lines(tmp_path / "refined")[1]["measures"]
    assert moved["edge_shift_px"] > 1 and lines(tmp_path / "refined")[5]["measures"] is None


def test_the_data_set_before_is_unchanged_and_copies_are_copies(out, tmp_path, program):
    before = {path: path.read_bytes() for path in out.root.rglob("*") if path.is_file()}
    made = refined(out, tmp_path / "refined", link="copy")
    for path in made.folder.rglob("*.png"):
        assert path.stat().st_nlink == 1
    assert {path: path.read_bytes() for path in out.root.rglob("*") if path.is_file()} == before


def test_other_commands_read_it(out, tmp_path, program):
    program["make"] = mixed
    refined(out, tmp_path / "refined")
    assert blendgen.export(tmp_path / "refined", "csv", tmp_path / "csv")["images"] == 8
    blendgen.subset(tmp_path / "refined", tmp_path / "part", "index < 4")
    assert blendgen.verify(tmp_path / "part") == [] and len(blendgen.open_dataset(tmp_path / "part")) == 4
    again = blendgen.refine(tmp_path / "part", tmp_path / "again", command=COMMAND)
    assert "subset_of" not in again.record and "subset_of" in again.origin and "refined_from" in again.origin
    assert blendgen.verify(tmp_path / "again") == []
    assert blendgen.report(tmp_path / "refined").exists()


def test_nothing_is_rendered_in_it(out, tmp_path, program):
    refined(out, tmp_path / "refined")
    folder = tmp_path / "refined"
    with pytest.raises(
        DatasetError, match="its images were refined and are not renders any more; choose another"
    ):
        refuse_foreign_folder(folder)
    with pytest.raises(DatasetError, match="repair the data set that was refined"):
        blendgen.verify(folder, repair=True)
    with pytest.raises(DatasetError, match=r"leave rerender \(--rerender\) out"):
        blendgen.verify(folder, rerender=1)
    with pytest.raises(DatasetError, match="merge shards first, and refine"):
        blendgen.merge(tmp_path / "merged", [folder])


def test_a_call_that_was_stopped_goes_on_and_a_finished_one_does_nothing(out, tmp_path, program, monkeypatch):
    program["make"] = mixed
    refined(out, tmp_path / "whole")
    calls = program["calls"] = []

    def stopped(row, image):
        if row.index == 6:
            raise KeyboardInterrupt
        return mixed(row, image)

    program["make"] = stopped
    with pytest.raises(KeyboardInterrupt):
        refined(out, tmp_path / "refined")
    with pytest.raises(DatasetError, match=r"dataset\.json is missing"):
        blendgen.open_dataset(tmp_path / "refined")
    program["make"], calls[:] = mixed, []
    refined(out, tmp_path / "refined")
    assert calls == [0, 6, 7]  # the first is tried before anything is written
    for name in ("manifest.jsonl", "refined.jsonl", "dataset.json"):
        assert (tmp_path / "refined" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    assert blendgen.verify(tmp_path / "refined") == []
    calls.clear()
    assert refined(out, tmp_path / "refined").origin["refined"] == 4 and calls == []


def test_an_image_that_changed_after_the_stop_is_made_again(out, tmp_path, program, monkeypatch):
    program["make"] = lambda row, image: brighter(image)
    write = Destination.write_bytes

    def stop_late(destination, name, data):
        if name == "spec.yaml":
            raise KeyboardInterrupt
        write(destination, name, data)

    monkeypatch.setattr(Destination, "write_bytes", stop_late)
    with pytest.raises(KeyboardInterrupt):
        refined(out, tmp_path / "refined")
    monkeypatch.setattr(Destination, "write_bytes", write)
    image = tmp_path / "refined" / out.row(2).image.name
    image.write_bytes(b"\0" * image.stat().st_size)
    program["calls"].clear()
    refined(out, tmp_path / "refined")
    assert program["calls"] == [0, 2] and blendgen.verify(tmp_path / "refined") == []


def test_another_call_needs_another_folder_or_force(out, tmp_path, program):
    refined(out, tmp_path / "refined")
    with pytest.raises(DatasetError, match=r"contains another export; .* force \(--force\)"):
        refined(out, tmp_path / "refined", timeout_s=9)
    assert refined(out, tmp_path / "refined", timeout_s=9, force=True).origin["refiner"]["timeout_s"] == 9
    with pytest.raises(DatasetError, match="is the folder that is read"):
        refined(out, out.root)


def test_a_deleted_record_is_written_again(out, tmp_path, program):
    refined(out, tmp_path / "refined")
    record = (tmp_path / "refined" / "dataset.json").read_bytes()
    (tmp_path / "refined" / "dataset.json").unlink()
    (tmp_path / "refined" / out.row(0).image.name).unlink()
    refined(out, tmp_path / "refined")
    assert (tmp_path / "refined" / "dataset.json").read_bytes() == record
    assert blendgen.verify(tmp_path / "refined") == []


def test_a_program_that_never_works_writes_nothing(out, tmp_path, program):
    def fail(row, image):
        raise ChangeFault("the program ended with exit code 1: no model")

    program["make"] = fail
    with pytest.raises(UsageError, match=r"works with none of the first 3 images: .* no model"):
        refined(out, tmp_path / "refined")
    assert not (tmp_path / "refined").exists()


def test_jpegs_stay_jpegs_of_the_same_quality(as_jpeg, tmp_path, program):
    made = refined(as_jpeg, tmp_path / "refined")
    assert made.origin["refined"] == 2 and blendgen.verify(made.folder) == []
    for row in as_jpeg.rows():
        with (
            Image.open(made.folder / row.image.name) as after,
            Image.open(as_jpeg.root / row.image.name) as before,
        ):
            assert after.quantization == before.quantization and after.layer == before.layer


def test_packs_are_read(tmp_path, program):
    source = packed(tmp_path / "packed", "webdataset", images=6)
    made = blendgen.refine(source, tmp_path / "refined", command=COMMAND)
    assert made.record["images"] == len(blendgen.open_dataset(source)) and "container" not in made.record
    assert blendgen.verify(made.folder) == []


def test_masks_are_needed(out, tmp_path, program):
    shutil.copytree(out.root, tmp_path / "set")
    manifest = tmp_path / "set" / "manifest.jsonl"
    rows = [json.loads(line) for line in manifest.read_text("utf-8").splitlines()]
    bare = [{key: value for key, value in row.items() if not key.startswith("mask_")} for row in rows]
    manifest.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in bare), "utf-8")
    with pytest.raises(DatasetError, match=r"has no mask; set output\.masks: true"):
        blendgen.refine(tmp_path / "set", tmp_path / "refined", command=COMMAND)


def test_photos_or_a_command_are_needed(out, tmp_path):
    for options in ({}, {"photos": tmp_path, "command": COMMAND}):
        with pytest.raises(UsageError, match=r"either photos \(--photos\) or a command \(--command\)"):
            blendgen.refine(out.root, tmp_path / "refined", **options)
    with pytest.raises(UsageError, match="expected one of hard, copy, got 'symlink'"):
        refined(out, tmp_path / "refined", link="symlink")


def test_the_command_says_what_was_left(out, tmp_path, program, capsys):
    program["make"] = mixed
    line = [
        "refine",
        str(out.root),
        "--command",
        COMMAND,
        "-o",
        str(tmp_path / "refined"),
        "--progress",
        "none",
    ]
    assert run(line) == 0
    printed = capsys.readouterr()
    assert printed.out == f"{tmp_path / 'refined'}\n"
    assert "4 of 8 images; 4 left as they were: 2 edges moved, 1 not changed, 1 program failed" in printed.err
    assert run([*line, "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["refined"] == 4 and facts["refiner"]["command"] == ["cp", "{image}", "{out}"]
    assert run(["refine", str(out.root), "-o", str(tmp_path / "other")]) == 2
