"""Packs on disks that fail, damaged or torn packs and indices, and merges of them: no good image is lost."""

import errno
import os
import shutil
import tarfile
from pathlib import Path

import numpy as np
import pytest

import blendgen.dataset.pack_index as pack_index_module
from blendgen.containers.packing import Packer
from blendgen.dataset.layout import Layout
from blendgen.dataset.manifest import read_rows
from blendgen.dataset.pack_index import loaded_index, pack_index, rebuilt_index
from blendgen.dataset.packed import ImageFiles
from blendgen.dataset.store import Store, read_record
from blendgen.dataset.write import write_frame
from blendgen.engine.flat import FlatEngine
from blendgen.errors import DatasetError, DiskUnavailable
from blendgen.farm.merge_input import MergeInput
from blendgen.farm.merged_packs import _Entry
from blendgen.files.folder import Folder
from blendgen.spec.load import resolved_yaml
from blendgen.system.progress import Counter
from blendgen.verification import repair
from blendgen.workers import generate
from blendgen.workers.generate import Run
from blendgen.workers.job import Job
from blendgen.workers.worker import Made
from tests.conftest import make_class_table
from tests.containers.packed_sets import packed, spec_of
from tests.containers.test_packs import Killed, a_pack, damage, damage_picture, packer_of
from tests.farm.made import content, make, merged
from tests.workers.flat_run import CATALOG, flat_pipeline


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return packed(tmp_path_factory.mktemp("webdataset") / "set", "webdataset")


@pytest.fixture
def copy(whole, tmp_path):
    pack_index_module._opened.cache_clear()
    return shutil.copytree(whole, tmp_path / "set")


def index_of(pack):
    return pack.with_name(f"{pack.stem}.index.npy")


def first_row(folder):
    return next(row for row in read_rows(folder / "manifest.jsonl") if row.split == "train")


def make_loose(folder, *rows):
    """Lay images loose next to their packs, as a repair that was stopped does."""
    files = ImageFiles.of(Layout(folder), read_record(Layout(folder)))
    for name in (name for row in rows for name in row.file_names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(files.packed(name).read_bytes())


@pytest.mark.parametrize("options", [{"link": "move"}, {"remove_shards": True}], ids=str)
def test_a_merge_takes_a_loose_file_before_a_damaged_one_in_the_pack(copy, whole, tmp_path, options):
    make_loose(copy, first_row(copy))
    damage_picture(a_pack(copy))
    merged(tmp_path / "out", copy, **options)
    assert content(tmp_path / "out") == content(whole) and not copy.exists()


def test_a_move_that_was_killed_between_a_pack_and_its_index_goes_on(copy, whole, tmp_path, monkeypatch):
    rename, packs = os.rename, []

    def killed(source, *arguments, **options):
        if Path(source).parent.name == "data":
            packs.append(source)
        if len(packs) == 2:
            raise Killed
        return rename(source, *arguments, **options)

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(os, "rename", killed)
        merged(tmp_path / "out", copy, link="move")
    merged(tmp_path / "out", copy, link="move")
    assert content(tmp_path / "out") == content(whole)


def test_a_second_merge_in_a_process_reads_the_rows_as_they_are_now(copy):
    layout = Layout(copy)
    entry = _Entry("train", first_row(copy).index, MergeInput(layout, {}, ()), False)
    assert entry.row().index == entry.index
    Folder(copy).write("manifest.jsonl", layout.manifest.read_bytes().replace(b'"split"', b' "split"'))
    assert entry.row().index == entry.index


@pytest.mark.parametrize("broken", ["status", "index", "pack"])
@pytest.mark.parametrize("number", [errno.ESTALE, errno.EIO])
def test_a_pack_on_a_disk_that_does_not_answer_is_not_missing(copy, monkeypatch, broken, number):
    pack = a_pack(copy)

    def fails(*arguments, **options):
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        if broken == "status":
            patch.setattr(Path, "lstat", fails)
        else:
            patch.setattr(
                pack_index_module, {"index": "loaded_index", "pack": "rebuilt_index"}[broken], fails
            )
        if broken == "pack":
            index_of(pack).unlink()
        with pytest.raises(DiskUnavailable, match="does not answer"):
            pack_index(pack)
    assert len(pack_index(pack)) == 2


def test_a_damaged_header_is_not_the_end_of_a_pack(copy):
    pack = a_pack(copy)
    before = index_of(pack).read_bytes()
    damage(pack, int(pack_index(pack)["image_offset"][1]) - tarfile.BLOCKSIZE)
    with pytest.raises(ValueError, match="torn off or damaged"):
        rebuilt_index(pack)
    assert list(packer_of(copy).restore_indices()) == [] and index_of(pack).read_bytes() == before


def test_a_pack_that_is_shorter_than_its_index_says_is_not_whole(copy):
    os.truncate(a_pack(copy), 2000)
    assert pack_index(a_pack(copy)) is None


@pytest.mark.parametrize(("offset", "size"), [(-5, 10), (2**63 - 1, 10), (0, 2**62), (0, -1)])
def test_an_index_that_cannot_be_that_of_its_pack_is_not_used(copy, offset, size):
    index = np.array(loaded_index(index_of(a_pack(copy))))
    index["image_offset"][0], index["image_size"][0] = offset, size
    np.save(index_of(a_pack(copy)), index)
    assert np.array_equal(pack_index(a_pack(copy)), rebuilt_index(a_pack(copy)))


def _header(text):
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


RUBBISH = [
    *(b"", b"PK\x03\x04" + bytes(50), b"\x93NUMPY", b"\x93NUMPY\x01\x00\xff\xff", bytes(200)),
    *map(_header, (b"{'a", b"(" * 9000, b"[1, (2", b"{1: 2, 'a': 3}", b"'''")),
    *(
        _header(b"{'descr': %s, 'fortran_order': False, 'shape': %s}\n" % one)
        for one in ((b"[('a',)]", b"(1,)"), (b"[]", b"(1,)"), (b"'<i8'", b"(%d,)" % 10**30), (b"()", b"(1,)"))
    ),
]


@pytest.mark.parametrize("data", RUBBISH, ids=range(len(RUBBISH)))
def test_rubbish_in_place_of_an_index_is_made_again(copy, data):
    index_of(a_pack(copy)).write_bytes(data)
    with pytest.raises(ValueError):
        loaded_index(index_of(a_pack(copy)))
    assert len(pack_index(a_pack(copy))) == 2


def test_an_index_of_more_images_than_a_pack_can_have_is_not_read(copy, monkeypatch):
    monkeypatch.setattr(pack_index_module, "_MAX_MEMBERS", 1)
    with pytest.raises(ValueError, match="is not an index"):
        loaded_index(index_of(a_pack(copy)))


@pytest.mark.parametrize("kind", ["folder", "link", "pipe"])
def test_packs_and_indices_that_are_links_or_pipes_are_not_opened(copy, tmp_path, kind):
    places = [copy / "data"] if kind == "folder" else [a_pack(copy), index_of(a_pack(copy))]
    for place in places:
        place.rename(tmp_path / place.name)
        os.mkfifo(place) if kind == "pipe" else place.symlink_to(tmp_path / place.name)
    for call in (rebuilt_index, lambda pack: loaded_index(index_of(pack))):
        with pytest.raises(ValueError, match="is a link, or is not a file"):
            call(copy / "data" / "train-000000.tar")
    assert pack_index(copy / "data" / "train-000000.tar") is None


def test_extended_headers_of_a_tar_file_are_not_read(tmp_path):
    pack, headers = tmp_path / "train-000000.tar", tarfile.TarInfo("x")
    headers.type, headers.size = tarfile.XHDTYPE, tarfile.BLOCKSIZE
    pack.write_bytes((headers.tobuf() + bytes(tarfile.BLOCKSIZE)) * 3000)
    with pytest.raises(ValueError, match="plain file"):
        rebuilt_index(pack)
    headers.size = 2**33 - 1
    pack.write_bytes(headers.tobuf())
    os.truncate(pack, 2**33)
    with pytest.raises(ValueError, match="plain file"):
        rebuilt_index(pack)


def test_what_is_larger_than_what_it_describes_is_not_used(copy):
    pack, index_file = a_pack(copy), index_of(a_pack(copy))
    index = np.array(loaded_index(index_file))
    with index_file.open("ab") as file:
        file.write(b"\0")
    with pytest.raises(ValueError, match="has more behind the index"):
        loaded_index(index_file)
    assert np.array_equal(pack_index(pack), index)
    os.truncate(pack, 2**32)
    with pytest.raises(ValueError, match="bytes behind its files"):
        rebuilt_index(pack)
    np.save(index_file, index)
    assert pack_index(pack) is None


def test_images_of_a_tar_file_have_the_same_kinds_of_files(copy):
    pack = a_pack(copy)
    with tarfile.open(pack) as tar:
        members = [(one, tar.extractfile(one)) for one in tar.getmembers()]
        with tarfile.open(pack.with_name("other"), "w") as other:
            for member, content in members:
                if member is members[-1][0] or ".mask" not in member.name or member is members[1][0]:
                    other.addfile(member, content)
    pack.with_name("other").replace(pack)
    with pytest.raises(ValueError, match="has other kinds of files than the first one"):
        rebuilt_index(pack)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("columns", "compression", "message"),
    [
        ({"index": [0] * 10**5}, "none", "has no pictures"),
        ({"image": True, "index": [0] * 10**5}, "zstd", "does not have the numbers"),
        ({"image": True, "index": [0] * 2}, "snappy", "is there twice"),
        ({"image": True, "index": ["a" * 10**5] * 2}, "snappy", "does not have the numbers"),
        ({"image": True, "index": [1.0, 2.0]}, "snappy", "does not have the numbers"),
    ],
)
def test_numbers_of_a_parquet_file_that_expand_are_not_read(tmp_path, columns, compression, message):
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    pack = tmp_path / "train-000000.parquet"
    if "image" in columns:
        columns = columns | {"image": [{"bytes": b"a"}] * len(columns["index"])}
    how = {"image.bytes": "NONE", "index": compression.upper()} if "image" in columns else compression
    pq.write_table(pa.table(columns), pack, compression=how, use_dictionary=False)
    with pytest.raises(ValueError, match=message):
        rebuilt_index(pack)
    assert pack_index(pack) is None


@pytest.mark.slow
@pytest.mark.parametrize(
    "columns",
    [
        {"image": [{"bytes": b"a"}]},
        {"index": [None], "image": [{"bytes": b"a"}]},
        {"index": [1], "image": [None]},
        {"index": [1], "image": ["a"]},
        {"index": [2**64 - 1], "image": [{"bytes": b"a"}]},
    ],
)
def test_rubbish_in_place_of_a_parquet_file_is_not_a_pack(tmp_path, columns):
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    pack = tmp_path / "train-000000.parquet"
    types = {"index": pa.uint64()}
    table = pa.table({name: pa.array(cells, types.get(name)) for name, cells in columns.items()})
    pq.write_table(table, pack, compression="none", use_dictionary=False)
    with pytest.raises(ValueError):
        rebuilt_index(pack)
    assert pack_index(pack) is None


@pytest.mark.slow
def test_a_picture_that_a_parquet_file_repeats_is_not_unpacked(tmp_path):
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    pack, rows = tmp_path / "train-000000.parquet", 100_000
    pictures = pa.DictionaryArray.from_arrays(pa.array([0] * rows), pa.array([bytes(10**7)]))
    image = pa.StructArray.from_arrays([pictures], ["bytes"])
    pq.write_table(pa.table({"index": list(range(rows)), "image": image}), pack, compression="none")
    with pytest.raises(ValueError, match="does not have each of its values"):
        rebuilt_index(pack)


def test_a_file_gets_its_name_though_another_process_removes_the_empty_folder(tmp_path, monkeypatch):
    replace, left = os.replace, iter(range(3))

    def raced(*arguments, **options):
        if next(left, None) is not None:
            (tmp_path / "images" / "train").rmdir()
        return replace(*arguments, **options)

    monkeypatch.setattr(os, "replace", raced)
    Folder(tmp_path).write("images/train/a.png", b"data")
    assert (tmp_path / "images" / "train" / "a.png").read_bytes() == b"data"


def test_a_file_of_somebody_else_is_refused_before_a_block_with_rows_is_packed(copy):
    make_loose(copy, *read_rows(copy / "manifest.jsonl"))
    index_of(a_pack(copy)).unlink()
    a_pack(copy).write_bytes(b"mine")
    with pytest.raises(DatasetError, match=r"data/train-000000\.tar"):
        packed(copy, "webdataset")
    assert a_pack(copy).read_bytes() == b"mine"


def test_a_torn_pack_is_ours_where_all_its_images_are_made_again_and_loose(copy, whole):
    make_loose(copy, *read_rows(copy / "manifest.jsonl"))
    os.truncate(a_pack(copy), 2000)
    packed(copy, "webdataset")
    assert content(copy) == content(whole)


def made_here(job, tasks, *arguments, **options):
    pipeline = flat_pipeline(job, None, FlatEngine)
    for task in tasks:
        rows = [write_frame(Layout(job.folder), frame, job.spec.output) for frame in pipeline.frames(task)]
        yield Made(rows, [], pipeline.engine.identity())


def test_a_block_is_packed_in_a_run_of_some_images_though_others_of_it_cannot_be_made(tmp_path, monkeypatch):
    spec = spec_of("webdataset")
    layout = make(tmp_path, range(4), spec)
    monkeypatch.setattr(generate, "run_tasks", made_here)
    monkeypatch.setattr(Packer, "pack_all", lambda self: None)
    with Store(tmp_path, read_record(layout), resolved_yaml(spec)) as store:
        assert store.failures()
        job = Job(spec, CATALOG, make_class_table(CATALOG), tmp_path, layout.log)
        run = Run(job, store, [4, 5], Counter(lambda finished, total: None), packer=packer_of(tmp_path))
        run.make_all()
    assert (tmp_path / "data" / "val-000000.tar").exists() and not [*(tmp_path / "images").rglob("*.png")]


def test_a_repair_of_a_whole_data_set_does_not_lock_it(copy, monkeypatch):
    monkeypatch.setattr(repair, "FolderLock", None)
    known = read_record(Layout(copy))
    assert repair._restored_indices(Layout(copy), known) == []
