"""Subsets: which images are chosen, that the result is a whole data set, and what is refused."""

from __future__ import annotations

import json
import tracemalloc
from array import array
from pathlib import Path
from types import SimpleNamespace

import pytest

import blendgen
from blendgen.cli import run
from blendgen.dataset.store import Store, refuse_foreign_folder
from blendgen.errors import DatasetError, UsageError
from blendgen.exporters import subset as subset_module
from blendgen.exporters.destination import Destination
from blendgen.verification.dataset import verify
from tests.exporters.conftest import NAMES, make_dataset

ONE_CLASS = f"label == {NAMES[1]!r}"


@pytest.fixture(scope="module")
def whole(tmp_path_factory, stock):
    """Twelve images of two exposures per shot, with another label file."""
    output = {"truncation": True, "semantic": True}
    return make_dataset(tmp_path_factory.mktemp("whole") / "set", stock, 12, output=output)


def indices(folder) -> list[int]:
    return [row.index for row in blendgen.open_dataset(folder).rows()]


@pytest.mark.parametrize("link", ["hard", "copy"])
def test_a_subset_is_a_data_set_with_unchanged_rows_and_files(whole, tmp_path, link):
    counts = blendgen.subset(whole.root, tmp_path / "out", ONE_CLASS, link=link)
    lines = (whole.root / "manifest.jsonl").read_bytes().splitlines(keepends=True)
    own = (tmp_path / "out" / "manifest.jsonl").read_bytes()
    assert own == b"".join(line for line in lines if f'"label": "{NAMES[1]}"'.encode() in line)
    assert list(verify(tmp_path / "out")) == []
    data = blendgen.open_dataset(tmp_path / "out")
    assert data.classes == whole.classes and len(data) == counts["images"] == own.count(b"\n") > 0
    for row in data.rows():
        assert set(row.files) == {"image", "mask", "semantic"}
        for name in row.file_names:
            same = (tmp_path / "out" / name).samefile(whole.root / name)
            assert same == (link == "hard") and not (tmp_path / "out" / name).is_symlink()
    assert blendgen.export(tmp_path / "out", "csv", tmp_path / "csv")["images"] == len(data)


def test_the_record_states_what_the_images_were_chosen_from(whole, tmp_path):
    blendgen.subset(whole.root, tmp_path / "one", "index < 8", splits=["train"])
    blendgen.subset(tmp_path / "one", tmp_path / "two", every=2, limit=2)
    record = json.loads((tmp_path / "two" / "dataset.json").read_text("utf-8"))
    origin = record["subset_of"]
    assert origin["folder"] == str(tmp_path / "one") and (origin["where"], origin["every"]) == (None, 2)
    earlier = origin["subset_of"]
    assert (earlier["folder"], earlier["where"]) == (str(whole.root), "index < 8")
    assert (earlier["rows_sha256"], earlier["images"]) == (whole.rows_sha256, 12)
    assert (record["digest"], record["images"], record["images_failed"]) == (whole.digest, 2, 0)


def test_every_and_limit_count_images_that_match(whole, tmp_path):
    train = [row.index for row in whole.rows() if row.split == "train"]
    blendgen.subset(whole.root, tmp_path / "every", splits="train", every=3)
    blendgen.subset(whole.root, tmp_path / "limit", splits=["train"], every=3, limit=2)
    assert indices(tmp_path / "every") == train[::3] and indices(tmp_path / "limit") == train[::3][:2]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"where": "index > 99"}, "none of its 12 images match; nothing is written"),
        (
            {"where": "label == 'blue bxo'"},
            "images match; there is no label 'blue bxo'; did you mean blue box",
        ),
        ({"where": "split in ['trian'] and index > 0"}, "no split 'trian'; did you mean train?"),
        ({"where": "indx > 9"}, "no column 'indx'; did you mean index?"),
        ({"where": "label > 3"}, "image 0: '>' not supported"),
        ({"where": "1 / (index - 9) < 9"}, "image 9: division by zero"),
        ({"splits": ["trian"]}, "has no split 'trian'; did you mean train?"),
        ({"link": "symlink"}, "link: expected one of hard, copy, got 'symlink'"),
        ({"every": 0}, "every: expected at least 1, got 0"),
        ({"limit": 0}, "limit: expected at least 1, got 0"),
    ],
)
def test_a_wrong_selection_writes_nothing(whole, tmp_path, options, message):
    with pytest.raises(UsageError, match=message):
        blendgen.subset(whole.root, tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


def test_a_stopped_run_leaves_nothing_that_opens_and_is_continued(whole, tmp_path, monkeypatch):
    place = Destination.place

    def stop_late(destination, source, name):
        if name.endswith("000009.png"):
            raise KeyboardInterrupt
        place(destination, source, name)

    monkeypatch.setattr(Destination, "place", stop_late)
    with pytest.raises(KeyboardInterrupt):
        blendgen.subset(whole.root, tmp_path / "out", "index > 3")
    monkeypatch.undo()
    assert any((tmp_path / "out" / "images").rglob("*.png"))
    with pytest.raises(DatasetError, match=r"dataset\.json is missing"):
        blendgen.open_dataset(tmp_path / "out")
    with pytest.raises(DatasetError, match="contains another export"):
        blendgen.subset(whole.root, tmp_path / "out", "index > 4")
    blendgen.subset(whole.root, tmp_path / "out", "index > 3")
    assert indices(tmp_path / "out") == [*range(4, 12)] and list(verify(tmp_path / "out")) == []


def test_replacing_a_subset_removes_its_record_first(whole, tmp_path, monkeypatch):
    blendgen.subset(whole.root, tmp_path / "out", "index < 4")
    removed = []
    monkeypatch.setattr(
        "blendgen.exporters.destination.Folder.remove", lambda folder, name: removed.append(name)
    )
    with pytest.raises(DatasetError):  # the files are still there
        blendgen.subset(whole.root, tmp_path / "out", "index > 4", force=True)
    assert [name for name in removed if "/" not in name] == removed[:3] and "dataset.json" in removed[:3]


def test_a_folder_with_other_files_is_refused(whole, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "notes.txt").write_text("mine")
    for force in (False, True):
        with pytest.raises(DatasetError, match="is not empty and does not contain an export"):
            blendgen.subset(whole.root, tmp_path / "out", force=force)
    with pytest.raises(DatasetError, match="is the folder that is read; choose a folder next to it"):
        blendgen.subset(whole.root, whole.root)
    with pytest.raises(DatasetError, match="is inside"):
        blendgen.subset(whole.root, whole.root / "part")


@pytest.mark.parametrize("force", [False, True])
def test_images_are_not_made_in_a_subset(whole, tmp_path, force):
    blendgen.subset(whole.root, tmp_path / "out", "index < 4")
    with pytest.raises(DatasetError, match="is a subset of another data set, and no images are made in it"):
        refuse_foreign_folder(tmp_path / "out")
    with (
        pytest.raises(DatasetError, match="is a subset of another data set"),
        Store(tmp_path / "out", whole.record, "blendgen: 1\n", force=force),
    ):
        pass
    assert list(verify(tmp_path / "out")) == []


def test_a_subset_without_one_of_its_rows_is_chosen_again(whole, tmp_path):
    blendgen.subset(whole.root, tmp_path / "out", "index < 4")
    manifest = tmp_path / "out" / "manifest.jsonl"
    manifest.write_bytes(b"".join(manifest.read_bytes().splitlines(keepends=True)[1:]))
    with pytest.raises(DatasetError, match=r"delete manifest\.jsonl and run the same `blendgen subset`"):
        blendgen.open_dataset(tmp_path / "out")
    manifest.unlink()
    blendgen.subset(whole.root, tmp_path / "out", "index < 4")
    assert indices(tmp_path / "out") == [0, 1, 2, 3]


def test_a_spec_behind_a_link_out_of_the_data_set_is_not_copied(tmp_path, stock):
    root = make_dataset(tmp_path / "set", stock, 2).root
    (tmp_path / "secret").write_text("mine")
    (root / "spec.yaml").unlink()
    (root / "spec.yaml").symlink_to(tmp_path / "secret")
    with pytest.raises(DatasetError, match=r"spec\.yaml: is a link that leads out of the data set"):
        blendgen.subset(root, tmp_path / "out")


@pytest.mark.slow
def test_images_of_a_subset_can_be_rendered_again(tmp_path):
    spec = {
        "blendgen": 1, "name": "shapes", "products": [{"catalog": "shapes"}], "images": 4,
        "exposures_per_shot": 2, "resolution": [64, 64], "render": "smoke",
    }  # fmt: skip
    blendgen.generate(spec, tmp_path / "whole", workers=1)
    blendgen.subset(tmp_path / "whole", tmp_path / "odd", "index % 2 == 1")
    assert indices(tmp_path / "odd") == [1, 3]
    assert blendgen.verify(tmp_path / "odd", rerender=2, workers=1) == []


def test_the_command_prints_the_folder_and_the_counts(whole, tmp_path, capsys):
    arguments = [
        "subset",
        str(whole.root),
        "--where",
        "index < 4",
        "--split",
        "train",
        "-o",
        str(tmp_path / "out"),
    ]
    assert run(arguments) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'out'}\n"
    assert run([*arguments, "--json"]) == 0
    counts = json.loads(capsys.readouterr().out)
    assert counts["images"] == len(indices(tmp_path / "out")) == counts["images_per_split"]["train"]
    assert run(["subset", str(whole.root), "--where", "indx < 4", "-o", str(tmp_path / "no")]) == 2
    assert "did you mean index?\n  indx < 4\n  ^" in capsys.readouterr().err


def test_the_lines_of_chosen_rows_are_found_in_constant_memory(monkeypatch):
    monkeypatch.setattr(
        subset_module, "read_lines", lambda manifest: (b"%d" % line for line in range(30_000))
    )
    positions = array("q", range(1, 30_000, 2))
    tracemalloc.start()
    lines = subset_module._lines(SimpleNamespace(root=Path()), positions)
    assert all(line == b"%d" % position for position, line in lines)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100_000
