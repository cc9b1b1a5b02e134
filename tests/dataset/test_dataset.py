import errno
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from blendgen.dataset.layout import Layout
from blendgen.dataset.lock import FolderLock
from blendgen.dataset.manifest import (
    ManifestWriter,
    census,
    read_heads,
    read_rows,
    sort_manifest,
    spread_rows,
)
from blendgen.dataset.ownership import overwritten_files, spec_sha256
from blendgen.dataset.packed import ImageFiles
from blendgen.dataset.store import Store
from blendgen.dataset.write import write_frame
from blendgen.errors import DatasetError, DiskUnavailable
from blendgen.pipeline import tasks_for
from tests.conftest import make_spec

RECORD = {
    "digest": "d",
    "blendgen_version": "1",
    "blender_version": "4",
    "classes": ["box", "sphere"],
    "resolution": [64, 48],
}


def make(folder, pipeline, indices, record=RECORD):
    """Write some images by the flat engine, as a worker and its parent do."""
    layout = Layout(folder)
    with Store(folder, dict(record), "spec: 1\n") as store, ManifestWriter(layout.manifest) as manifest:
        for task in tasks_for(pipeline.spec, indices):
            manifest.append([write_frame(layout, f, pipeline.spec.output) for f in pipeline.frames(task)])
        store.finish({"engine": "flat"})
    return layout


def content(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture
def pipeline(flat_pipeline):
    return flat_pipeline(make_spec(products_per_image=2, exposures_per_shot=2))


def test_a_data_set_is_the_same_bytes_in_any_order_and_in_parts(tmp_path, pipeline):
    forwards, backwards, halves = tmp_path / "a", tmp_path / "b", tmp_path / "c"
    make(forwards, pipeline, list(range(8)))
    make(backwards, pipeline, list(range(8))[::-1])
    make(halves, pipeline, [1, 4, 7])
    make(halves, pipeline, [0, 2, 3, 5, 6])
    assert content(forwards) == content(backwards) == content(halves)


def test_rows_say_what_is_in_the_files(tmp_path, pipeline):
    layout = make(tmp_path / "a", pipeline, list(range(6)))
    rows = list(read_rows(layout.manifest))
    assert [row.index for row in rows] == list(range(6))
    for row in rows:
        with Image.open(layout.root / row.image.name) as picture:
            assert picture.size == (row.width, row.height) == (64, 48)
        with Image.open(layout.root / row.files["mask"].name) as picture:
            mask = np.array(picture)
        assert mask.dtype == np.uint16
        for column in row.objects.columns().values():
            assert len(column) == 2
        for instance_id, area in zip(row.objects.instance_id, row.objects.area, strict=True):
            assert (mask == instance_id).sum() == area
        assert row.image.name == f"images/{row.split}/{row.label}/{row.index:06d}.png"
        assert row.label == RECORD["classes"][row.label_id] == row.objects.category[0]


def test_the_exposures_of_a_shot_share_its_split_and_its_labels(tmp_path, pipeline):
    layout = make(tmp_path / "a", pipeline, list(range(12)))
    rows = list(read_rows(layout.manifest))
    for first, second in zip(rows[::2], rows[1::2], strict=True):
        assert first.shot == second.shot and first.objects == second.objects
        assert first.split == second.split and first.image.sha256 != second.image.sha256


def test_hugging_face_reads_images_with_their_class_labels(tmp_path, pipeline):
    datasets = pytest.importorskip("datasets")
    import warnings

    layout = make(tmp_path / "a", pipeline, list(range(12)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        datasets.disable_progress_bars()
        loaded = datasets.load_dataset(
            "imagefolder", data_dir=str(layout.root / "images"), cache_dir=str(tmp_path / "hf")
        )
    by_split = {"val": "validation"}
    rows = list(read_rows(layout.manifest))
    assert sum(len(part) for part in loaded.values()) == len(rows)
    for split in {row.split for row in rows}:
        part = loaded[by_split.get(split, split)]
        assert part.features["label"].names == RECORD["classes"]
        images = sorted((Path(p["image"].filename).name, p["label"]) for p in part)
        wanted = [(Path(r.image.name).name, r.label_id) for r in rows if r.split == split]
        assert images == sorted(wanted)


def test_finished_images_are_known(tmp_path, pipeline):
    layout = make(tmp_path / "a", pipeline, [0, 1, 2])
    (layout.root / next(read_rows(layout.manifest)).image.name).unlink()
    with Store(layout.root, dict(RECORD), "") as store:
        assert store.done() == {1, 2}


def test_a_torn_last_line_is_dropped_and_its_image_made_again(tmp_path, pipeline):
    layout = make(tmp_path / "a", pipeline, [0, 1, 2])
    whole = content(layout.root)
    layout.manifest.write_bytes(layout.manifest.read_bytes()[:-100])
    with Store(layout.root, dict(RECORD), "") as store:
        assert store.done() == {0, 1}
    make(layout.root, pipeline, [2])
    assert content(layout.root) == whole


def test_a_damaged_line_is_reported_with_its_number(tmp_path):
    path = tmp_path / "manifest.jsonl"
    good = '{"index": 0, "file_name": "images/train/a/0.png", "label": "a", "split": "train"}\n'
    path.write_text(good + "rubbish\n" + good)
    with pytest.raises(DatasetError, match=r"manifest.jsonl:2: not a row of a manifest \(not JSON"):
        list(read_heads(path))


def test_sorting_drops_rows_whose_files_are_gone(tmp_path, pipeline):
    layout = make(tmp_path / "a", pipeline, [0, 1, 2])
    (layout.root / next(read_rows(layout.manifest)).image.name).unlink()
    assert sort_manifest(ImageFiles(layout)).images == 2
    assert [row.index for row in read_rows(layout.manifest)] == [1, 2]


def test_some_rows_are_read_evenly_spread(tmp_path, pipeline):
    layout = make(tmp_path / "a", pipeline, list(range(12)))
    assert [row.index for row in spread_rows(layout.manifest, 4)] == [0, 3, 6, 9]
    assert len(spread_rows(layout.manifest, 50)) == 12


def test_splits_are_counted_whoever_wrote_the_lines(tmp_path, pipeline):
    make(tmp_path, pipeline, range(12))
    manifest = tmp_path / "manifest.jsonl"
    rows = list(read_rows(manifest))
    counts = Counter(row.split for row in rows)
    assert len(counts) > 1 and census(manifest).images_per_split == counts
    values = [json.loads(line) for line in manifest.read_text("utf-8").splitlines()]
    values[0]["label"] = 'a "split": "val"'
    compact = [json.dumps(row, separators=(",", ":")) for row in values[:6]]
    manifest.write_text("\n".join([*compact, *map(json.dumps, values[6:]), '{"index": 12, "split": "tr']))
    counted = census(manifest)
    assert counted.images_per_split == counts
    assert [list(counts)[number] for number in counted.splits] == [row.split for row in rows]
    manifest.write_text("\n".join([*compact, "{}", *compact]) + "\n")
    with pytest.raises(DatasetError, match=r"manifest.jsonl:7: not a row"):
        census(manifest)
    manifest.write_bytes(
        json.dumps(values[0]).replace('"split": "', '"split": "?').encode().replace(b"?", b"\xff") + b"\n"
    )
    with pytest.raises(DatasetError, match=r"manifest.jsonl:1: not a row"):
        census(manifest)


def test_a_row_that_the_disk_truncates_is_removed(tmp_path, pipeline):
    """A real refusal by the system, in the middle of a line: the file may grow by 300 bytes only."""
    layout = make(tmp_path / "a", pipeline, [0, 1])
    whole = layout.manifest.read_bytes()
    program = (
        "import resource, signal, sys; from pathlib import Path\n"
        "from blendgen.dataset.manifest import ManifestWriter, read_rows\n"
        "from blendgen.errors import DatasetError\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); path = Path(sys.argv[1])\n"
        "limit = path.stat().st_size + 300; resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))\n"
        "try:\n"
        "    row = next(read_rows(path))\n"
        "    with ManifestWriter(path) as manifest: manifest.append([row])\n"
        "except DatasetError: sys.exit(7)\n"
    )
    assert subprocess.run([sys.executable, "-c", program, layout.manifest], check=False).returncode == 7
    assert layout.manifest.read_bytes() == whole


def test_an_interrupted_start_is_resumed(tmp_path):
    """Killed between its first files: the folder holds its record first of all, or nothing but its lock."""
    folder = tmp_path / "a"
    (folder / ".partial").mkdir(parents=True)
    (folder / ".partial/4711-0").write_text("half a record")
    Layout(folder).lock.touch()
    with Store(folder, dict(RECORD), "spec: 1\n") as store:
        assert store.done() == set()
    assert (folder / "spec.yaml").read_text() == "spec: 1\n" and not (folder / ".partial").exists()


def test_the_spec_of_the_last_run_is_stored_with_the_paths_of_its_machine(tmp_path, pipeline):
    layout = make(tmp_path / "a", pipeline, [0])
    with Store(layout.root, dict(RECORD), "directory: /here\n") as store:
        assert store.done() == {0}
    assert layout.spec.read_text() == "directory: /here\n"
    assert json.loads(layout.record.read_text())["spec_sha256"] == spec_sha256("directory: /here\n")


@pytest.mark.parametrize("damage", ["{torn", None, "[]", "{}", "[" * 100_000])
def test_images_without_a_record_are_never_taken_for_ours(tmp_path, pipeline, damage):
    layout = make(tmp_path / "a", pipeline, [0])
    layout.record.write_text(damage) if damage else layout.record.unlink()
    before = content(layout.root)
    for force in (False, True):
        with pytest.raises(DatasetError, match=r"does not contain a data set of blendgen(.|\n)*images/"):
            Store(layout.root, dict(RECORD), "", force=force).__enter__()
    assert content(layout.root) == before


def test_a_folder_that_a_trainer_would_take_for_a_class_is_refused(tmp_path, pipeline):
    layout = make(tmp_path / "a", pipeline, [0])
    (layout.root / "images" / "train" / "cat").mkdir(parents=True)
    for force in (False, True):
        with pytest.raises(DatasetError, match="cat: is not part of this"):
            Store(layout.root, dict(RECORD), "", force=force).__enter__()


def test_a_refused_folder_is_not_left_locked(tmp_path, pipeline):
    layout = make(tmp_path / "a", pipeline, [0])
    for _ in range(2):
        with pytest.raises(DatasetError, match="another spec"):
            Store(layout.root, {**RECORD, "digest": "other"}, "").__enter__()
    assert not layout.lock.exists()


def test_a_folder_is_not_left_locked_where_its_disk_is_lost(tmp_path, monkeypatch):
    def lost():
        raise DiskUnavailable("its disk does not answer")

    with pytest.raises(DiskUnavailable), Store(tmp_path, dict(RECORD), "") as store:
        monkeypatch.setattr(store.suspects, "close", lost)
    with FolderLock(store.layout):
        pass


def test_sorting_keeps_each_index_once(tmp_path):
    layout = Layout(tmp_path)
    name = "images/train/l/a.png"
    (tmp_path / name).parent.mkdir(parents=True)
    (tmp_path / name).touch()
    rows = [
        {"index": i, "file_name": name, "size_bytes": 0, "label": f"l{i}", "split": "train"}
        for i in (3, 1, 3, 2)
    ]
    layout.manifest.write_text("".join(json.dumps(row) + "\n" for row in rows))
    summary = sort_manifest(ImageFiles(layout))
    assert summary.images == 3 and summary.per_split() == {"train": 3}
    assert summary.per_label() == {"l1": 1, "l2": 1, "l3": 1}
    assert [row.index for row in read_heads(layout.manifest)] == [1, 2, 3]


@pytest.mark.parametrize(
    ("key", "expected"), [("digest", "another spec"), ("blender_version", "pixels differ")]
)
def test_a_folder_of_another_data_set_is_refused_and_left_alone(tmp_path, pipeline, key, expected):
    layout = make(tmp_path / "a", pipeline, [0, 1])
    before = content(layout.root)
    with pytest.raises(DatasetError, match=expected), Store(layout.root, {**RECORD, key: "other"}, ""):
        pass
    assert content(layout.root) == before


def test_another_blendgen_that_makes_the_same_pixels_continues(tmp_path, pipeline):
    layout = make(tmp_path / "a", pipeline, [0, 1])
    with Store(layout.root, {**RECORD, "blendgen_version": "2"}, "spec: 1\n") as store:
        assert store.done() == {0, 1}
        assert store.finish()["blendgen_version"] == "2"


@pytest.mark.parametrize("version", [{}, {"pixels_version": 1}])
def test_a_folder_with_another_pixels_version_is_refused(tmp_path, pipeline, version):
    layout = make(tmp_path / "a", pipeline, [0, 1])
    layout.record.write_text(json.dumps({**json.loads(layout.record.read_text()), **version}))
    newer = {**RECORD, "digest": "other", "pixels_version": 2}
    expected = f"made with pixels_version {version.get('pixels_version')}, this blendgen has 2"
    with pytest.raises(DatasetError, match=expected), Store(layout.root, newer, ""):
        pass


def test_force_starts_afresh_and_removes_only_what_is_ours(tmp_path, pipeline):
    layout = make(tmp_path / "a", pipeline, [0, 1])
    (layout.root / "notes.txt").write_text("mine")
    before = content(layout.root)
    other = {**RECORD, "digest": "other"}
    with pytest.raises(
        DatasetError, match=r"not part of this data set.*force \(--force\) removes(.|\n)*notes.txt"
    ):
        Store(layout.root, other, "", force=True).__enter__()
    assert content(layout.root) == before
    (layout.root / "notes.txt").unlink()
    with Store(layout.root, other, "", force=True) as store:
        assert store.done() == set()
    assert not (layout.root / "images").exists()


def test_force_says_how_to_replace_a_data_set_with_unknown_label_files(tmp_path, pipeline):
    """Such as those of a later blendgen; a stranger may have written the row, so its files stay."""
    layout = make(tmp_path / "a", pipeline, [0, 1])
    line = layout.manifest.read_text("utf-8").replace(
        '{"file_name"', '{"heat_file_name": "heat/0.png", "file_name"'
    )
    layout.manifest.write_text(line, "utf-8")
    before = content(layout.root)
    expected = r"manifest.jsonl:1: .*heat/0.png.* unknown kind .*choose another folder, or delete this one"
    with pytest.raises(DatasetError, match=expected) as caught:
        Store(layout.root, {**RECORD, "digest": "other"}, "x", force=True).__enter__()
    assert "remove this line" not in str(caught.value) and content(layout.root) == before


MINE = [
    "depth/mine.png",
    "clean/a/b.txt",
    "images/train/box/holiday.jpg",
    "masks/x.png",
    ".partial/thesis.doc",
]


@pytest.mark.parametrize("name", [*MINE, "spec.yaml", "contact_sheet.jpg", "blender.log"])
def test_force_never_removes_a_file_of_somebody_else(tmp_path, pipeline, name):
    """Also where its name is one of ours."""
    layout = make(tmp_path / "a", pipeline, [0, 1])
    (layout.root / name).parent.mkdir(parents=True, exist_ok=True)
    (layout.root / name).write_text("mine")
    before = content(layout.root)
    with pytest.raises(DatasetError, match=name):
        Store(layout.root, {**RECORD, "digest": "other"}, "x", force=True).__enter__()
    assert content(layout.root) == before


@pytest.mark.parametrize(
    "name", ["spec.yaml", "contact_sheet.jpg", "blender.log", "images/train/box/000007.png"]
)
def test_resuming_never_overwrites_a_file_of_somebody_else(tmp_path, pipeline, name):
    layout = make(tmp_path / "a", pipeline, [0, 1])
    (layout.root / name).parent.mkdir(parents=True, exist_ok=True)
    (layout.root / name).write_text("mine")
    before = content(layout.root)
    with pytest.raises(DatasetError, match=rf"would be overwritten(.|\n)*{name}"):
        Store(layout.root, dict(RECORD), "spec: 1\n").__enter__()
    assert content(layout.root) == before


@pytest.mark.parametrize("left", [b"", bytes(5000), b"not what was written"])
def test_what_a_crash_left_of_an_image_without_a_row_is_made_again(tmp_path, pipeline, left):
    """The row and the content of a file are lost together where a machine loses power."""
    layout = make(tmp_path / "a", pipeline, [0, 1])
    whole = content(layout.root)
    rows = layout.manifest.read_bytes().splitlines(keepends=True)
    (torn,) = [row for row in read_rows(layout.manifest) if row.index == json.loads(rows[-1])["index"]]
    layout.manifest.write_bytes(rows[0])
    (layout.root / torn.image.name).write_bytes(left)
    make(layout.root, pipeline, [torn.index])
    assert content(layout.root) == whole


@pytest.mark.parametrize("left", [b"", bytes(5000)])
def test_what_holds_nothing_is_ours_where_no_other_file_of_its_image_is_left(tmp_path, pipeline, left):
    layout = make(tmp_path / "a", pipeline, [0, 1])
    path = layout.root / "depth/train/box/000007.exr"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(left)
    assert list(overwritten_files(layout, dict(RECORD), ())) == []
    path.write_bytes(b"thesis")
    assert list(overwritten_files(layout, dict(RECORD), ())) == [layout.name(path)]


def test_a_folder_of_a_link_is_never_written_into(tmp_path, pipeline):
    layout, victim = make(tmp_path / "a", pipeline, [0, 1]), tmp_path / "photos"
    (layout.root / "images").rename(victim)
    (layout.root / "images").symlink_to(victim)
    before = content(victim)
    frame = next(pipeline.frames(next(tasks_for(pipeline.spec, [2]))))
    with pytest.raises(DatasetError, match="images: expected a folder, found a link or a file"):
        write_frame(layout, frame, pipeline.spec.output)
    with pytest.raises(DatasetError):
        Store(layout.root, {**RECORD, "digest": "other"}, "", force=True).__enter__()
    assert content(victim) == before


@pytest.mark.parametrize("mine", ["a thesis", None])
def test_a_lock_of_somebody_else_is_not_touched(tmp_path, mine):
    lock, other = Layout(tmp_path).lock, tmp_path / "other"
    other.write_text("years of work")
    lock.write_text(mine) if mine else lock.symlink_to(other)
    with pytest.raises(DatasetError, match="is not a lock of blendgen"):
        Store(tmp_path, dict(RECORD), "").__enter__()
    assert other.read_text() == "years of work" and lock.exists()


def test_files_that_a_killed_run_wrote_without_a_row_are_known_as_ours(tmp_path, pipeline):
    layout = make(tmp_path / "a", pipeline, [0, 1])
    whole = content(layout.root)
    for _ in range(2):  # and stays known when the next run is killed, too
        for frame in pipeline.frames(next(tasks_for(pipeline.spec, [2]))):
            write_frame(layout, frame, pipeline.spec.output)
        with Store(layout.root, dict(RECORD), "spec: 1\n") as store:
            assert store.done() == {0, 1}
    assert "images" in {Path(name).parts[0] for name in set(content(layout.root)) - set(whole)}
    with Store(layout.root, dict(RECORD), "spec: 1\n") as store:
        store.finish()
    assert content(layout.root) == whole
    for frame in pipeline.frames(next(tasks_for(pipeline.spec, [2]))):
        write_frame(layout, frame, pipeline.spec.output)
    with Store(layout.root, {**RECORD, "digest": "other"}, "", force=True) as store:
        assert not (layout.root / "images").exists()


def _cut(path):
    path.write_bytes(path.read_bytes()[:-10])


def _flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("name", ["image", "mask"])
@pytest.mark.parametrize("damage", [_cut, _flip, lambda path: path.write_bytes(b"")])
def test_damaged_files_are_made_again(tmp_path, pipeline, name, damage):
    layout = make(tmp_path / "a", pipeline, list(range(4)))
    whole, rows = content(layout.root), list(read_rows(layout.manifest))
    damage(layout.root / rows[2].files[name].name)
    with Store(layout.root, dict(RECORD), "spec: 1\n", check=True) as store:
        assert store.done() == {0, 1, 3}
    make(layout.root, pipeline, [2])
    assert content(layout.root) == whole


def test_sizes_are_always_compared_and_hashes_on_request_or_at_the_end(tmp_path, pipeline, monkeypatch):
    monkeypatch.setattr("blendgen.dataset.store._CHECKED_TAIL", 1)
    layout = make(tmp_path / "a", pipeline, list(range(4)))
    rows = list(read_rows(layout.manifest))
    for row in (rows[0], rows[3]):
        _flip(layout.root / row.image.name)
    _cut(layout.root / rows[1].files["mask"].name)
    with Store(layout.root, dict(RECORD), "spec: 1\n") as store:
        assert store.done() == {0, 2}
    with Store(layout.root, dict(RECORD), "spec: 1\n", check=True) as store:
        assert store.done() == {2}


def test_a_foreign_folder_is_refused_even_by_force(tmp_path):
    (tmp_path / "thesis.doc").write_text("x")
    with (
        pytest.raises(DatasetError, match="does not contain a data set of blendgen"),
        Store(tmp_path, RECORD, "", force=True),
    ):
        pass
    assert (tmp_path / "thesis.doc").exists()


def test_files_that_systems_leave_among_the_images_are_ignored(tmp_path):
    with Store(tmp_path / "a", dict(RECORD), ""):
        pass
    (tmp_path / "a/images/train").mkdir(parents=True)
    (tmp_path / "a/images/train/.DS_Store").write_text("x")
    with Store(tmp_path / "a", dict(RECORD), ""):
        pass
    (tmp_path / "a/images/train/_masks").mkdir()
    with (
        pytest.raises(DatasetError, match="would read it as a class"),
        Store(tmp_path / "a", dict(RECORD), ""),
    ):
        pass


def test_two_runs_never_write_into_one_folder(tmp_path):
    second = Store(tmp_path / "a", dict(RECORD), "")
    with Store(tmp_path / "a", dict(RECORD), ""), pytest.raises(DatasetError, match="another blendgen"):
        second.__enter__()


def test_a_full_disk_is_reported_and_leaves_no_partial_file(tmp_path, pipeline, monkeypatch):
    layout = make(tmp_path / "a", pipeline, [0])
    whole, row = content(layout.root), next(read_rows(layout.manifest))

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    frame = next(pipeline.frames(next(tasks_for(pipeline.spec, [2]))))
    with pytest.raises(DiskUnavailable, match=r"the disk is full.*kept"):
        write_frame(layout, frame, pipeline.spec.output)
    with ManifestWriter(layout.manifest) as manifest, pytest.raises(DiskUnavailable, match="disk is full"):
        manifest.append([row])
    monkeypatch.undo()
    left = {name: data for name, data in content(layout.root).items() if not name.startswith(".partial")}
    assert left == whole


def test_a_network_folder_that_does_not_answer_costs_no_row(tmp_path, pipeline, monkeypatch):
    layout = make(tmp_path / "a", pipeline, [0, 1])
    before = layout.manifest.read_bytes()
    lstat = Path.lstat

    def stale(path):
        if path.suffix == ".png":
            raise OSError(errno.ESTALE, "Stale file handle")
        return lstat(path)

    monkeypatch.setattr(Path, "lstat", stale)
    with pytest.raises(DiskUnavailable, match=r"\.png: .*answer \(Stale file handle\).*same command"):
        sort_manifest(ImageFiles(layout))
    assert layout.manifest.read_bytes() == before


def test_jpeg_without_masks_is_written_on_request(tmp_path, flat_pipeline):
    spec = make_spec(output={"format": "jpeg", "jpeg_quality": 80, "masks": False})
    layout = make(tmp_path / "a", flat_pipeline(spec), [0, 1])
    assert not (layout.root / "masks").exists()
    for row in read_rows(layout.manifest):
        assert row.image.name.endswith(".jpg") and list(row.files) == ["image"]
        with Image.open(layout.root / row.image.name) as picture:
            assert picture.format == "JPEG"


def test_a_card_of_somebody_else_in_the_folder_of_images_stays(tmp_path, pipeline):
    layout = make(tmp_path / "set", pipeline, [0])
    card = layout.images_card
    assert card.read_bytes().startswith(b"---\n# the images of a data set of blendgen\n")
    make(layout.root, pipeline, [1])  # ours is written again
    card.write_text("---\nlicense: mit\n---\nmine\n")
    for force in (False, True):
        with pytest.raises(DatasetError, match=r"images/README\.md"):
            Store(layout.root, dict(RECORD), "spec: 1\n", force=force).__enter__()
    assert card.read_text().endswith("mine\n")
