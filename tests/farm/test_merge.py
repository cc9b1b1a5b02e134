"""Merge: the bytes of one run, from shards in any order, after kills; and what is refused."""

import json
import os
import shutil

import pytest

from blendgen.dataset.dataset import open_dataset
from blendgen.dataset.failures import append_failures, failed_together
from blendgen.dataset.layout import Layout
from blendgen.dataset.lock import FolderLock
from blendgen.dataset.ownership import LOG_HEAD
from blendgen.dataset.store import read_record, refuse_foreign_folder
from blendgen.errors import DatasetError, Reason, UsageError
from blendgen.farm import merge as merge_module
from blendgen.farm import merge_removal
from blendgen.farm.placement import Placement
from blendgen.verification.dataset import verify
from tests.conftest import make_spec
from tests.farm.made import CPU, SPEC, content, copied, make, make_shards, merged

COUNT, SHARD = 3, "out/shards/00000-of-00003"


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """What one run makes."""
    folder = tmp_path_factory.mktemp("whole") / "out"
    make(folder)
    return content(folder)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with three shards."""
    folder = tmp_path_factory.mktemp("made")
    make_shards(folder, COUNT)
    return folder


@pytest.fixture
def out(made, tmp_path):
    """The same in a folder that may be changed."""
    copied(made, tmp_path / "out")
    return tmp_path / "out"


def shards_in(folder):
    return sorted(path for path in (folder / "shards").iterdir() if not path.name.startswith("."))


def edit_record(folder, **changes):
    path = Layout(folder).record
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def edit_rows(folder, change):
    path = Layout(folder).manifest
    path.write_bytes(b"".join(change(path.read_bytes().splitlines(keepends=True))))


def test_the_spec_of_these_tests_has_images_that_cannot_be_made(whole):
    failed = whole["failed.jsonl"].splitlines()
    assert (
        2 <= len(failed) < SPEC.images / 2
        and SPEC.images % 2
        and "contact_sheet.jpg" in whole
        and "images/README.md" in whole
    )


def test_the_result_is_that_of_one_run(out, whole):
    counts = merged(out)
    assert content(out) == whole
    assert counts["shards"] == COUNT and counts["images"] + counts["images_failed"] == SPEC.images
    assert [str(fault) for fault in verify(out)] == [] and len(open_dataset(out)) == counts["images"]
    assert (out / "blender.log").read_bytes() == LOG_HEAD


def test_a_merged_data_set_is_one_that_a_run_may_continue(out, whole):
    merged(out)
    make(out)
    assert content(out) == whole


@pytest.mark.parametrize("link", ["hard", "copy", "move"])
def test_files_are_linked_copied_or_moved(out, whole, link):
    image = next((shards_in(out)[0] / "images").rglob("*.png"))
    inode, name = image.stat().st_ino, image.relative_to(shards_in(out)[0])
    merged(out, link=link)
    assert content(out) == whole
    assert ((out / name).stat().st_ino == inode) == (link != "copy")
    assert (out / "shards").exists() == (link != "move")


def test_without_hard_links_files_are_copied(out, whole, monkeypatch):
    def link(*args, **options):
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", link)
    merged(out)
    assert content(out) == whole


def test_the_order_and_the_names_of_the_folders_do_not_matter(out, whole, tmp_path):
    moved = [shard.rename(tmp_path / name) for shard, name in zip(shards_in(out), "cab", strict=True)]
    merged(tmp_path / "merged", *reversed(moved), moved[0])
    assert content(tmp_path / "merged") == whole


@pytest.mark.slow
def test_parts_that_overlap_are_merged_where_they_agree(whole, tmp_path):
    parts = [tmp_path / "a", tmp_path / "b", tmp_path / "c"]
    for part, indices in zip(parts, (range(9), range(4, 15), range(0, 15, 3)), strict=True):
        make(part, indices)
    merged(tmp_path / "out", *parts)
    assert content(tmp_path / "out") == whole


@pytest.mark.slow
def test_more_shards_than_shots_leave_empty_ones_which_are_merged_too(tmp_path):
    spec = make_spec(images=3, resolution=[32, 24])
    make(tmp_path / "whole", spec=spec)
    make_shards(tmp_path / "out", 7, spec=spec)
    assert merged(tmp_path / "out")["shards"] == 7
    assert content(tmp_path / "out") == content(tmp_path / "whole")


def test_a_second_merge_changes_nothing(out, monkeypatch):
    first = merged(out)
    monkeypatch.setattr(Placement, "place", None)
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    assert merged(out) == first
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*")} == before


def test_shards_are_removed_at_the_end_if_the_user_wants_it_and_only_what_is_ours(out, whole):
    mine = shards_in(out)[1] / "notes.txt"
    mine.write_text("mine")
    merged(out, remove_shards=True)
    assert content(out) == whole and [*(out / "shards").rglob("*")] == [mine.parent, mine]
    shutil.rmtree(out / "shards")
    assert merged(out)["shards"] == 0


def test_files_that_were_merged_before_are_looked_at_before_their_shards_go(out):
    merged(out, link="copy")
    image = next((out / "images").rglob("*.png"))
    whole_image = image.read_bytes()
    for options in ({"remove_shards": True}, {"link": "move"}):
        image.write_bytes(whole_image[:-1])
        with pytest.raises(DatasetError, match="is not the file that was written"):
            merged(out, **options)
    assert len(shards_in(out)) == COUNT and all((shard / "images").is_dir() for shard in shards_in(out))
    image.write_bytes(bytes(len(whole_image)))
    merged(out)
    with pytest.raises(DatasetError, match="is not the file that was written"):
        merged(out, check_files=True)


def test_what_a_run_that_was_killed_on_a_finished_shard_left_goes_with_the_shard(out, whole):
    shard = Layout(out / "shards" / "00001-of-00003")
    shard.temporary.mkdir()
    shard.run_status.write_text("{}")
    (shard.temporary / "123.names").write_text("images/train/box/000001.png\n")
    assert [str(fault) for fault in verify(shard.root)] == []
    merged(out, remove_shards=True)
    assert content(out) == whole and not (out / "shards").exists()


def test_a_shard_that_was_written_to_in_the_meantime_is_not_removed(out, monkeypatch):
    def sheet(folder):
        append_failures(Layout(shards_in(out)[2]), failed_together([5], 2, Reason.OTHER, "new"))
        return b"\xff\xd8"

    monkeypatch.setattr(merge_module, "sheet_bytes", sheet)
    with pytest.raises(DatasetError, match="00002-of-00003: has changed while it was merged"):
        merged(out, remove_shards=True)
    assert shards_in(out)[0].name == "00002-of-00003"


class Killed(Exception):
    pass


KILLS = {
    "place": (Placement, "_place_file"),
    "manifest": (merge_module, "counts_record"),
    "sheet": (merge_module, "sheet_bytes"),
    "remove": (merge_removal, "is_ours"),
}


@pytest.mark.parametrize("link", ["hard", "move", pytest.param("copy", marks=pytest.mark.slow)])
@pytest.mark.parametrize("where", KILLS)
def test_a_merge_that_was_killed_is_finished_by_the_same_command(out, whole, monkeypatch, where, link):
    options = {"link": link, "remove_shards": where == "remove"}
    calls = []

    def killed(*args):
        calls.append(args)
        if where != "place" or len(calls) > 9:
            raise Killed
        return place(*args)

    place = Placement._place_file
    with monkeypatch.context() as patch:
        patch.setattr(*KILLS[where], killed)
        with pytest.raises(Killed):
            merged(out, **options)
    if where != "remove":
        with pytest.raises(DatasetError, match="its merge has not finished; run the same `blendgen merge`"):
            open_dataset(out)
        with pytest.raises(DatasetError, match="its merge has not finished"):
            refuse_foreign_folder(out)
        (fault,) = verify(out)
        assert str(fault).startswith("dataset.json: its merge has not finished")
    (out / ".blendgen-lock").touch()
    (out / ".partial").mkdir(exist_ok=True)
    (out / ".partial/123-4").write_bytes(b"half a manif")
    merged(out, **options)
    assert content(out) == whole
    assert (out / "shards").exists() == (where != "remove" and link != "move")


@pytest.mark.parametrize("where", KILLS)
def test_the_log_of_each_shard_is_there_once_also_after_kills(out, tmp_path, monkeypatch, where):
    logs = [f"log of shard {number}\n".encode() for number in range(COUNT)]
    for shard, text in zip(shards_in(out), logs, strict=True):
        (shard / "blender.log").write_bytes(LOG_HEAD + text)
    last = shutil.move(shards_in(out)[-1], tmp_path / "last")

    def killed(*args):
        raise Killed

    def merged_after_a_kill(*shards, **options):
        with monkeypatch.context() as patch, pytest.raises(Killed):
            patch.setattr(*KILLS[where], killed)
            merged(out, *shards, remove_shards=where == "remove", **options)
        merged(out, *shards, **options)

    merged_after_a_kill(allow_gaps=True)
    assert (out / "blender.log").read_bytes() == b"".join([LOG_HEAD, *logs[:-1]])
    merged_after_a_kill(last)
    assert (out / "blender.log").read_bytes() == b"".join([LOG_HEAD, *logs])


def remove_shard(out):
    shutil.rmtree(shards_in(out)[1])


def stop_early(out):
    """A run that a signal stopped: finished, with a part of its images."""
    folder = shards_in(out)[2]
    rows = Layout(folder).manifest.read_bytes().splitlines(keepends=True)
    Layout(folder).manifest.write_bytes(b"".join(rows[:1]))
    edit_record(folder, images_per_split={"train": 1})


def kill(out):
    """A run that was killed after a signal had stopped it once: rows that dataset.json does not count."""
    edit_record(shards_in(out)[0], images_per_split={"train": 1})


def kill_first(out):
    record = json.loads(Layout(shards_in(out)[0]).record.read_text())
    del record["images_per_split"]
    Layout(shards_in(out)[0]).record.write_text(json.dumps(record))


def kill_before_any_image(out):
    Layout(shards_in(out)[0]).record.unlink()


def tear(out):
    with Layout(shards_in(out)[0]).manifest.open("ab") as file:
        file.write(b'{"file_na')


def shuffle(out):
    edit_rows(shards_in(out)[0], reversed)


def make_partly_again(out):
    edit_rows(shards_in(out)[0], lambda rows: [*rows[1:], rows[0], rows[1]])


def other_seed(out):
    edit_record(shards_in(out)[1], seed=9, digest="0" * 64)


def other_models(out):
    edit_record(shards_in(out)[1], digest="0" * 64)


def other_pixels(out):
    edit_record(shards_in(out)[1], pixels_version=1)


def other_blender(out):
    edit_record(shards_in(out)[1], blender_version="4.5.1")


def other_number(out):
    spec = Layout(shards_in(out)[1]).spec
    spec.write_text(spec.read_text().replace("images: 15", "images: 150"))


def no_number(out):
    Layout(shards_in(out)[0]).spec.write_text("name: test\n")


def other_device(out):
    edit_record(shards_in(out)[1], device=CPU | {"kernel": "AVX512"})


def a_device_of_a_stranger(out):
    edit_record(shards_in(out)[1], device=["cpu"], also_made_on=7)


def subset(out):
    edit_record(shards_in(out)[1], subset_of={})


def other_content(out):
    shutil.copytree(shards_in(out)[2], out / "shards/00003-of-00004")
    edit_rows(
        out / "shards/00003-of-00004",
        lambda rows: [row.replace(b'"sha256": "', b'"sha256": "0') for row in rows],
    )


def made_and_failed(out):
    index = json.loads(Layout(shards_in(out)[2]).manifest.read_bytes().splitlines()[0])["index"]
    append_failures(
        Layout(shards_in(out)[2]), failed_together([index], index // 2, Reason.PILE_UNSETTLED, "x")
    )
    edit_record(shards_in(out)[2], images_failed=1)


def file_of_another_image(out):
    def swapped(rows):
        first, second = (json.loads(row)["file_name"].encode() for row in rows[:2])
        return [rows[0].replace(first, second), *rows[1:]]

    edit_rows(shards_in(out)[2], swapped)


def path_outside(out):
    outside = b'"images/../../'
    edit_rows(shards_in(out)[2], lambda rows: [row.replace(b'"images/', outside) for row in rows])


def other_file(out):
    next((shards_in(out)[2] / "images").rglob("*.png")).write_bytes(b"not a picture")


def no_file(out):
    next((shards_in(out)[2] / "masks").rglob("*.png")).unlink()


def link_to_a_file(out):
    image = next((shards_in(out)[2] / "images").rglob("*.png"))
    image.rename(out.parent / "secret.png")
    image.symlink_to(out.parent / "secret.png")


def link_to_a_folder(out):
    folder = shards_in(out)[2] / "images"
    folder.rename(out.parent / "elsewhere")
    folder.symlink_to(out.parent / "elsewhere")


def shard_elsewhere(out):
    shard = shards_in(out)[2]
    shard.rename(out.parent / "elsewhere")
    shard.symlink_to(out.parent / "elsewhere")


def shards_elsewhere(out):
    (out / "shards").rename(out.parent / "elsewhere")
    (out / "shards").symlink_to(out.parent / "elsewhere")


def manifest_elsewhere(out):
    manifest = Layout(shards_in(out)[2]).manifest
    manifest.rename(out.parent / "rows.jsonl")
    manifest.symlink_to(out.parent / "rows.jsonl")


def foreign_folder_among_shards(out):
    (out / "shards/old").mkdir()


def foreign_file(out):
    (out / "notes.txt").write_text("mine")


def foreign_images(out):
    (out / "images").mkdir()


def file_in_the_place_of_an_image(out):
    image = next((shards_in(out)[0] / "images").rglob("*.png")).relative_to(shards_in(out)[0])
    merged(out)
    edit_record(out, merging=True)
    Layout(out).manifest.unlink()
    (out / image).unlink()
    (out / image).write_bytes(b"mine")


def other_data_set_there(out):
    record = read_record(Layout(shards_in(out)[0]))
    Layout(out).record.write_text(json.dumps(record | {"digest": "0" * 64}))
    Layout(out).manifest.write_bytes(b"")


REFUSED = {
    remove_shard: r"6 images are missing: 4-9; run `blendgen generate --shard` for 1/3 again, or set",
    stop_early: r"images are missing: 11-14; run `blendgen generate --shard` for 2/3 again",
    kill: r"00000-of-00003: is not finished: manifest.jsonl has 2 lines, dataset.json says 1; run `blendgen "
    r"generate SPEC -o .*out --shard 0/3` again",
    kill_first: "00000-of-00003: is not finished: its run was stopped before",
    kill_before_any_image: "00000-of-00003: is not finished: its run was stopped before",
    tear: "00000-of-00003: is not finished: the last line of manifest.jsonl is torn off",
    shuffle: "00000-of-00003: is not finished: row 2 of manifest.jsonl is not in its place",
    make_partly_again: "00000-of-00003: is not finished: row 2 of manifest.jsonl is not in its place",
    other_seed: r"00001-of-00003: has seed 9, .*00000-of-00003 has 3; only shards of one data set can be",
    other_models: r"00001-of-00003: was made from another spec \(or other models\) than",
    other_pixels: "00001-of-00003: has pixels_version 1, ",
    other_blender: '00001-of-00003: has blender_version "4.5.1", ',
    other_number: "00001-of-00003: is a part of 150 images, .*00000-of-00003 of 15; make all",
    no_number: "spec.yaml: does not state a number of images",
    other_device: r"00001-of-00003: has images that were made on .*AVX512.*others on .*AVX2.*allow_mixed",
    a_device_of_a_stranger: "dataset.json: device: expected names and texts",
    subset: "is a subset of another data set",
    other_content: "00003-of-00004: image 10 is another one than in .*00002-of-00003",
    made_and_failed: r"image 10 cannot be made there \(pile_unsettled\), but another shard has it",
    file_of_another_image: "image 10 has a row or the file images/.*/000011.png of another",
    path_outside: "manifest.jsonl:1: not a row of a manifest",
    other_file: "is not the file that was written; `blendgen verify`",
    no_file: "is missing; `blendgen verify`",
    link_to_a_file: "is a link or not a file",
    link_to_a_folder: "leads out of the data set through a link",
    manifest_elsewhere: "is a link that leads out of the data set",
    shard_elsewhere: r"00002-of-.*is a link that leads out of the data set; name the folders of the shards",
    shards_elsewhere: r"shards: is a link that leads out of the data set; name the folders of the shards",
    foreign_folder_among_shards: "old: is not named as a shard is; move it away",
    foreign_file: r"contains files that are not part of the data set; (.|\n)*notes.txt",
    foreign_images: r"contains files that are not part of the data set; (.|\n)*images",
    file_in_the_place_of_an_image: "is in the place of an image, and not the one of",
    other_data_set_there: "00000-of-00003: was made from another spec",
}


def test_what_a_kill_leaves_of_a_shard_that_was_being_removed_goes_too(out, whole):
    first, second, third = shards_in(out)
    merged(out)
    for folder in ("images", "masks"):
        shutil.rmtree(first / folder)
    (first / "images/train").mkdir(parents=True)
    for shard in (second, third):
        shutil.rmtree(shard)
        shard.mkdir()
    (third / ".blendgen-lock").touch()
    merged(out, remove_shards=True)
    assert content(out) == whole and not (out / "shards").exists()


@pytest.mark.parametrize("change", REFUSED, ids=lambda change: change.__name__)
def test_what_is_not_one_whole_data_set_is_refused(out, change):
    change(out)
    with pytest.raises(DatasetError, match=REFUSED[change]):
        merged(out)


BEFORE_WRITING = (remove_shard, tear, other_seed, other_content)


@pytest.mark.parametrize("change", BEFORE_WRITING, ids=lambda change: change.__name__)
def test_nothing_is_written_before_all_rows_have_been_read(out, change, tmp_path):
    change(out)
    before = sorted(out.rglob("*"))
    for folder in (out, tmp_path / "new"):
        with pytest.raises(DatasetError):
            merged(folder, *shards_in(out))
    assert sorted(out.rglob("*")) == before and not (tmp_path / "new").exists()


def test_gaps_and_mixed_devices_may_be_allowed(out, made, whole, caplog):
    other_device(out)
    counts = merged(out, allow_mixed_devices=True)
    assert read_record(Layout(out))["also_made_on"] == [CPU | {"kernel": "AVX512"}]
    shutil.rmtree(out)
    copied(made, out)
    remove_shard(out)
    part = merged(out, allow_gaps=True)
    assert part["images"] < counts["images"] and "6 images are missing: 4-9" in caplog.text
    shutil.copytree(shards_in(made)[1], out / "shards/00001-of-00003")
    assert merged(out) == counts and content(out) == whole


def test_a_failure_of_blender_does_not_count_where_another_shard_has_the_image(out, whole, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(shards_in(out)[2], other)
    line = Layout(other).manifest.read_bytes().splitlines(keepends=True)[0]
    edit_rows(other, lambda rows: rows[1:])
    append_failures(
        Layout(other), failed_together([json.loads(line)["index"]], 5, Reason.BLENDER_CRASHED, "x")
    )
    splits = read_record(Layout(other))["images_per_split"]
    splits[json.loads(line)["split"]] -= 1
    edit_record(other, images_per_split=splits, images_failed=1)
    merged(out, *shards_in(out), other)
    assert content(out) == whole


def test_a_shard_that_is_being_written_is_not_merged(out):
    with FolderLock(Layout(shards_in(out)[1])), pytest.raises(DatasetError, match="another blendgen process"):
        merged(out)


def test_check_compares_the_content_of_files(out):
    image = next((shards_in(out)[2] / "images").rglob("*.png"))
    image.write_bytes(bytes(image.stat().st_size))
    with pytest.raises(DatasetError, match="is not the file that was written"):
        merged(out, check_files=True)


@pytest.mark.parametrize(
    "places",
    [["out"], ["."], ["out/images"], ["out/shards/00000-of-00003", "out/shards/00000-of-00003/masks"]],
)
def test_folders_inside_of_each_other_are_refused(out, places):
    with pytest.raises(UsageError, match=r": is .*inside of"):
        merged(out, *(out.parent / place for place in places))


def test_a_folder_without_shards_is_an_error_that_says_how_to_make_them(tmp_path):
    with pytest.raises(DatasetError, match="has no shards; make them with `blendgen generate --shard`"):
        merged(tmp_path / "out")
    with pytest.raises(DatasetError, match="is not a folder"):
        merged(tmp_path / "out", tmp_path / "absent")
    with pytest.raises(UsageError, match="link: expected one of hard, copy, move"):
        merged(tmp_path / "out", link="symlink")
    assert not (tmp_path / "out").exists()


def test_images_beyond_ten_thousand_merge_to_the_bytes_of_one_run(tmp_path):
    """The first shard has no folders of thousands and no lists; the merged data set has both."""
    spec = make_spec(images=12_346, resolution=[24, 16], output={"masks": False})
    loose, deep = [9_998, 9_999], [10_000, 12_345]
    whole = make(tmp_path / "whole", [*loose, *deep], spec)
    make(tmp_path / "a", deep, spec)
    make(tmp_path / "b", loose, spec)
    merged(tmp_path / "out", tmp_path / "a", tmp_path / "b", allow_gaps=True, remove_shards=True)
    assert content(tmp_path / "out") == content(whole.root) and len(whole.image_lists) > 0
    assert not (tmp_path / "a").exists() and not (tmp_path / "b").exists()
