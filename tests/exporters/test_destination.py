"""Destinations: complete files, resumed and never mixed, and errors with a way out."""

import json
import shutil
import subprocess
import sys

import pytest

from blendgen.dataset.source import open_source
from blendgen.errors import DatasetError
from blendgen.exporters.destination import Destination
from blendgen.exporters.exporter import Options
from blendgen.exporters.formats import built_in, export
from blendgen.verification.dataset import verify
from tests.exporters.fake import FakeImage, make_fake, rewrite_rows


def tree(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_images_are_links_copies_or_symlinks(small, tmp_path):
    (row, *_) = small.rows()
    source = small.path(row)
    for link in ("hard", "copy", "symlink"):
        export(small.root, "csv", tmp_path / link, Options(), link)
        made = tmp_path / link / f"images/{row.split}/{row.index:06d}.png"
        assert made.read_bytes() == source.read_bytes()
        assert made.is_symlink() == (link == "symlink")
        assert made.samefile(source) == (link != "copy")


@pytest.mark.parametrize("name", built_in())
def test_a_second_run_completes_what_is_missing_and_changes_nothing_else(small, tmp_path, name):
    shards = "shard_bytes" in built_in()[name].options
    options = Options(shard_bytes=20_000, push_ready=name == "hf") if shards else Options()
    export(small.root, name, tmp_path / "out", options)
    before = tree(tmp_path / "out")
    victim = sorted(path for path in (tmp_path / "out").rglob("*") if path.is_file())[-1]
    victim.unlink()
    (tmp_path / "out/.blendgen-partial").mkdir()
    (tmp_path / "out/.blendgen-partial/4711-0").write_bytes(b"half")
    export(small.root, name, tmp_path / "out", options)
    assert tree(tmp_path / "out") == before


def test_another_export_or_a_foreign_folder_is_refused(small, tmp_path):
    export(small.root, "csv", tmp_path / "out", Options())
    with pytest.raises(DatasetError, match="contains another export"):
        export(small.root, "coco", tmp_path / "out", Options())
    export(small.root, "coco", tmp_path / "out", Options(), force=True)
    assert not (tmp_path / "out/labels.csv").exists()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.txt").write_text("years of work")
    for force in (False, True):
        with pytest.raises(DatasetError, match="is not empty and does not contain an export"):
            export(small.root, "coco", tmp_path / "mine", Options(), force=force)
    (tmp_path / "out/runs").mkdir()
    (tmp_path / "out/runs/best.pt").write_text("weights")
    before = tree(tmp_path / "out")
    with pytest.raises(DatasetError, match=r"contains files that the export did not write.*\n  runs/best.pt"):
        export(small.root, "csv", tmp_path / "out", Options(), force=True)
    assert tree(tmp_path / "out") == before
    shutil.rmtree(tmp_path / "out/runs")
    export(small.root, "csv", tmp_path / "out", Options(), force=True)
    assert not (tmp_path / "out/annotations").exists()
    for dest in (small.root, small.root / "export", small.root.parent):
        with pytest.raises(DatasetError, match="choose a folder next to it"):
            export(small.root, "csv", dest, Options(), force=True)
    (tmp_path / "file").write_text("x")
    with pytest.raises(DatasetError, match="is a file"):
        export(small.root, "coco", tmp_path / "file", Options())


def test_another_kind_of_link_is_another_export(small, tmp_path):
    (row, *_) = small.rows()
    made = tmp_path / f"out/images/{row.split}/{row.index:06d}.png"
    export(small.root, "csv", tmp_path / "out", Options(), "symlink")
    with pytest.raises(DatasetError, match="contains another export"):
        export(small.root, "csv", tmp_path / "out", Options(), "copy")
    export(small.root, "csv", tmp_path / "out", Options(), "copy", force=True)
    assert made.is_file() and not made.is_symlink()


@pytest.mark.parametrize("name", ["parquet", "webdataset", "bop", "coco"])
def test_images_that_were_made_again_are_another_export(small, tmp_path, name):
    """The same spec gives other bytes on another version or device."""
    copy = shutil.copytree(small.root, tmp_path / "set")
    export(copy, name, tmp_path / "out", Options())

    def touch(row):
        row["objects"]["visible_fraction"] = [0.5 * share for share in row["objects"]["visible_fraction"]]

    rewrite_rows(open_source(copy), touch)
    with pytest.raises(DatasetError, match="contains another export"):
        export(copy, name, tmp_path / "out", Options())
    export(copy, name, tmp_path / "out", Options(), force=True)


def test_odd_class_names_do_not_break_the_list_of_files(tmp_path):
    classes = ["=1+1", "a b", "größe", "手机"]
    images = [FakeImage("train", number, [(number, (4, 4, 8, 8))]) for number in range(4)]
    source = make_fake(tmp_path / "set", classes, images)
    for _ in range(2):
        export(source.root, "imagefolder", tmp_path / "out", Options())
    assert sorted(path.parent.name for path in (tmp_path / "out").rglob("*.png")) == classes


def _change_row(source, **changes):
    manifest = source.root / "manifest.jsonl"
    rows = [json.loads(line) | changes for line in manifest.read_text("utf-8").splitlines()]
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")


STRANGE = ["../../victim", "/etc", "a\nb", "a\0b", "a\\b", "..", "", "a\u202eb", "a\x9bb", "\ud800"]
STRANGE_FILES = ["../secret.png", "/etc/passwd", "dataset.json", "images/../../secret.png", "masks/a.png",
                 "images/a.svg", "images/x\n.png", "C:/secret.png"]  # fmt: skip


@pytest.mark.parametrize("name", built_in())
def test_an_untrusted_row_does_not_reach_files_outside(tmp_path, name):
    (tmp_path / "secret.png").write_text("token")
    (tmp_path / "victim").mkdir()
    for key, values in (("split", STRANGE), ("label", STRANGE), ("file_name", STRANGE_FILES)):
        for value in values:
            source = make_fake(
                tmp_path / "set", ["a"], [FakeImage("train", 0, [(0, (4, 4, 8, 8))]) for _ in range(2)]
            )
            _change_row(source, **{key: value})
            counts = {value: 2} if key == "split" else {"train": 2}
            record = json.loads((source.root / "dataset.json").read_text())
            (source.root / "dataset.json").write_text(json.dumps(record | {"images_per_split": counts}))
            with pytest.raises(DatasetError, match=r"manifest.jsonl:1: not a row|dataset.json"):
                export(source.root, name, tmp_path / "out", Options(), force=True)
            assert not any((tmp_path / "victim").iterdir())
            assert sorted(p.name for p in tmp_path.iterdir()) in (
                ["out", "secret.png", "set", "victim"], ["secret.png", "set", "victim"]
            )  # fmt: skip
    assert not any(b"token" in data for data in tree(tmp_path / "out").values())


@pytest.mark.parametrize("target", ["secret.png", "folder", "/dev/zero"])
@pytest.mark.parametrize("name", ["imagefolder", "webdataset", "parquet", "coco"])
def test_a_link_out_of_the_data_set_is_not_read(tmp_path, name, target):
    source = make_fake(tmp_path / "set", ["a"], [FakeImage("train", 0, [(0, (4, 4, 8, 8))])])
    (tmp_path / "secret.png").write_text("token")
    (tmp_path / "folder").mkdir()
    image = source.root / "images/train/a/000000.png"
    image.unlink()
    image.symlink_to(tmp_path / target)
    with pytest.raises(DatasetError, match=r"image 0 .*leads out of the data set through a link"):
        export(source.root, name, tmp_path / "out", Options())


@pytest.mark.parametrize(
    "listed", ["../victim.txt", "/victim.txt", "a\n../victim.txt", "images/../../victim.txt"]
)
def test_an_untrusted_list_does_not_remove_files_outside(small, tmp_path, listed):
    victim = tmp_path / "victim.txt"
    victim.write_text("mine")
    export(small.root, "csv", tmp_path / "out", Options())
    line = json.dumps({"name": listed.replace("/victim", f"{tmp_path}/victim", listed[0] == "/"), "size": 4})
    with (tmp_path / "out/.blendgen-export-files").open("a") as file:
        file.write(f'{line}\n../victim.txt\n[[[\n"x"\n')
    for force in (False, True):
        export(small.root, "csv", tmp_path / "out", Options(), force=force)
        assert victim.read_text() == "mine"


def test_a_broken_link_as_destination_is_refused(small, tmp_path):
    (tmp_path / "out").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DatasetError, match="is a link to a folder that does not exist"):
        export(small.root, "csv", tmp_path / "out", Options(), force=True)
    assert not (tmp_path / "elsewhere").exists()


def test_an_index_that_comes_twice_is_refused(tmp_path):
    source = make_fake(tmp_path / "set", ["a"], [FakeImage("train", 0, [(0, (4, 4, 8, 8))])] * 2)
    _change_row(source, index=0)
    with pytest.raises(DatasetError, match=r"image 0 .*follows that of image 0"):
        export(source.root, "coco", tmp_path / "out", Options())


@pytest.mark.parametrize("name", ["manifest.jsonl", "dataset.json"])
def test_records_behind_a_link_out_are_not_read(tmp_path, name):
    source = make_fake(tmp_path / "set", ["a"], [FakeImage("train", 0, [(0, (4, 4, 8, 8))])])
    (source.root / name).rename(tmp_path / name)
    (source.root / name).symlink_to(tmp_path / name)
    with pytest.raises(DatasetError, match=f"{name}: is a link that leads out"):
        export(source.root, "coco", tmp_path / "out", Options())
    assert f"{name}: is a link that leads out of the data set" in map(str, verify(source.root))


def test_a_box_outside_of_the_image_is_refused(tmp_path):
    source = make_fake(tmp_path / "set", ["a"], [FakeImage("train", 0, [(0, (4, 4, 8, 8))])])
    rewrite_rows(source, lambda row: row["objects"]["bbox"][0].__setitem__(2, 500))
    with pytest.raises(DatasetError, match="has a box that extends beyond the image"):
        export(source.root, "csv", tmp_path / "out", Options())


def test_a_link_in_the_destination_is_not_followed(small, tmp_path):
    victim = tmp_path / "photos"
    victim.mkdir()
    export(small.root, "csv", tmp_path / "out", Options())
    shutil.rmtree(tmp_path / "out/images")
    (tmp_path / "out/images").symlink_to(victim)
    for force in (False, True):
        with pytest.raises(DatasetError, match="images"):
            export(small.root, "csv", tmp_path / "out", Options(), force=force)
    assert not any(victim.iterdir())


def test_a_file_that_was_changed_since_is_not_removed(small, tmp_path):
    export(small.root, "csv", tmp_path / "out", Options(), "copy")
    (tmp_path / "out/labels.csv").write_text("my own notes")
    with pytest.raises(DatasetError, match=r"have changed(.|\n)*labels.csv"):
        export(small.root, "coco", tmp_path / "out", Options(), force=True)
    with pytest.raises(DatasetError, match=r"labels.csv: does not belong to this export"):
        export(small.root, "csv", tmp_path / "out", Options(), "copy")
    assert (tmp_path / "out/labels.csv").read_text() == "my own notes"


def test_a_data_set_that_grows_is_not_exported_by_halves(small, tmp_path):
    copy = shutil.copytree(small.root, tmp_path / "set")
    manifest = copy / "manifest.jsonl"
    manifest.write_text("".join(manifest.read_text("utf-8").splitlines(keepends=True)[:-1]), "utf-8")
    with pytest.raises(DatasetError, match="the manifest has 23: a run is in progress"):
        export(copy, "coco", tmp_path / "out", Options())


def test_a_folder_without_a_finished_data_set_is_refused(small, tmp_path):
    with pytest.raises(DatasetError, match="does not contain a data set"):
        export(tmp_path, "coco", tmp_path / "out", Options())
    (tmp_path / "dataset.json").write_text(json.dumps({"name": "x", "digest": "d", "classes": []}))
    with pytest.raises(DatasetError, match="not finished"):
        export(tmp_path, "coco", tmp_path / "out", Options())


def test_a_file_that_fails_half_way_does_not_appear(tmp_path):
    with Destination(tmp_path / "out", {}) as destination:
        with pytest.raises(ZeroDivisionError), destination.opened("a.json") as file:
            file.write(b"[")
            raise ZeroDivisionError
        assert not destination.has("a.json")
    assert not list((tmp_path / "out").rglob("*partial*"))


@pytest.mark.parametrize("exists", [True, False])
def test_an_export_that_wrote_nothing_does_not_refuse_the_corrected_one(small, tmp_path, exists):
    folder = tmp_path / "out"
    if exists:
        folder.mkdir()
    with pytest.raises(DatasetError, match="has no nocs"):
        export(small.root, "hf", folder, Options(extras=("nocs",)))
    assert folder.exists() == exists and not (exists and list(folder.iterdir()))
    export(small.root, "hf", folder, Options(extras=("mask",)))


def test_an_export_that_failed_after_its_first_file_is_resumed(small, tmp_path):
    with (
        pytest.raises(DatasetError, match="stop"),
        Destination(tmp_path / "out", {"format": "x"}) as destination,
    ):
        destination.write_text("a", "1")
        raise DatasetError("stop")
    with Destination(tmp_path / "out", {"format": "x"}) as destination:
        assert destination.has("a")


def test_a_torn_line_of_the_list_does_not_lose_the_next_file(tmp_path):
    def interrupted(name):
        with pytest.raises(ZeroDivisionError), Destination(tmp_path / "out", {}) as destination:
            destination.write_bytes(name, b"x")
            raise ZeroDivisionError

    interrupted("a")
    with (tmp_path / "out/.blendgen-export-files").open("ab") as file:
        file.write(b'{"name": "b"')
    interrupted("c")
    with Destination(tmp_path / "out", {}) as destination:
        assert destination.has("a") and destination.has("c")


@pytest.mark.slow
def test_the_command_prints_its_result(small, tmp_path):
    command = [sys.executable, "-m", "blendgen", "export", str(small.root)]
    done = subprocess.run([*command, "coco", str(tmp_path / "a"), "--json"], capture_output=True, text=True)
    result = json.loads(done.stdout)
    assert done.returncode == 0 and result["format"] == "coco" and result["train"]["images"] > 0
    wrong = subprocess.run(
        [*command, "coco", str(tmp_path / "b"), "--crops", "0.1"], capture_output=True, text=True
    )
    assert (
        wrong.returncode == 2
        and "crops: an option of hf, imagefolder, parquet, webdataset, yolo, not of coco" in wrong.stderr
    )
    masks = [*command, "hf", str(tmp_path / "d"), "--include", "mask, mask"]
    assert subprocess.run(masks, capture_output=True).returncode == 0
    assert list((tmp_path / "d").glob("train/mask/*.png"))
    wrong = subprocess.run([*masks, "--crops", "0"], capture_output=True, text=True)
    assert wrong.returncode == 2 and "files of whole images" in wrong.stderr
    missing = subprocess.run(
        [*command[:-1], str(tmp_path / "none"), "csv", str(tmp_path / "c")], capture_output=True, text=True
    )
    assert missing.returncode == 5 and "does not contain a data set" in missing.stderr
