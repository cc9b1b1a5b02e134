"""Packs: few large files in place of millions of loose ones; what is in them is the same, byte for byte."""

import gc
import io
import json
import os
import shutil
import tarfile
from functools import partial

import numpy as np
import pytest

from blendgen.containers import comparison
from blendgen.containers.packing import Packer
from blendgen.dataset.dataset import open_dataset
from blendgen.dataset.layout import Layout
from blendgen.dataset.manifest import read_rows
from blendgen.dataset.pack_index import pack_index, rebuilt_index
from blendgen.dataset.pack_plan import PackPlan
from blendgen.dataset.packed import ImageFiles
from blendgen.dataset.store import read_record
from blendgen.errors import DatasetError, SetupError, SpecError
from blendgen.exporters.exporter import Options
from blendgen.exporters.formats import built_in, export
from blendgen.exporters.subset import Selection, subset
from blendgen.spec.load import resolved_yaml
from tests.conftest import make_spec
from tests.containers.packed_sets import CONTAINERS, faults, names, packed, spec_of
from tests.farm.made import content, copied, make_shards, merged


@pytest.fixture(scope="module")
def loose(tmp_path_factory):
    return packed(tmp_path_factory.mktemp("loose") / "set", "files")


@pytest.fixture(scope="module", params=["webdataset", pytest.param("parquet", marks=pytest.mark.slow)])
def container(request):
    return request.param


@pytest.fixture(scope="module")
def whole(tmp_path_factory, container):
    return packed(tmp_path_factory.mktemp(container) / "set", container)


@pytest.fixture
def copy(whole, tmp_path):
    return shutil.copytree(whole, tmp_path / "set")


def a_pack(folder):
    """The first pack of a data set."""
    return sorted(path for path in (folder / "data").iterdir() if path.suffix in (".tar", ".parquet"))[0]


def packer_of(folder):
    record = read_record(Layout(folder))
    return Packer.of(ImageFiles.of(Layout(folder), record), record)


def damage(path, place):
    """Change one byte."""
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(bytes(data))


def damage_picture(pack):
    damage(pack, int(pack_index(pack)["image_offset"][0]) + 60)


def test_all_images_are_in_packs_and_rows_are_those_of_loose_files(whole, loose, container):
    suffix = ".tar" if container == "webdataset" else ".parquet"
    packs = [f"data/{split}-{block:06d}" for split in ("train", "val") for block in range(3)]
    expected = [name + end for name in packs for end in (".index.npy", suffix)]
    inner = [name for name in names(whole) if name.startswith(("data/", "images/", "masks/"))]
    assert inner == sorted([*expected, "data/README.md"])
    for name in ("manifest.jsonl", "failed.jsonl", "contact_sheet.jpg"):
        assert (whole / name).read_bytes() == (loose / name).read_bytes()
    assert faults(whole) == []
    record, other = read_record(Layout(whole)), read_record(Layout(loose))
    assert {key: record.pop(key) for key in ("container", "images_per_file")} == {
        "container": container,
        "images_per_file": 6,  # of whole shots
    }
    assert record | {"spec_sha256": other["spec_sha256"]} == other


def test_arrays_are_those_of_loose_files(whole, loose):
    packs, files = open_dataset(whole), open_dataset(loose)
    for position in reversed(range(len(files))):
        assert np.array_equal(packs.image(position), files.image(position))
        assert np.array_equal(packs.mask(position), files.mask(position))


def test_a_spec_without_a_container_is_written_as_before():
    assert "container" not in resolved_yaml(make_spec())
    assert "container: webdataset" in resolved_yaml(make_spec(output={"container": "webdataset"}))


@pytest.mark.parametrize(
    ("output", "why"),
    [
        ({"images_per_file": 10}, "images_per_file needs container"),
        ({"container": "parquet", "normals": True}, r"cannot hold EXR files \(normals\)"),
        ({"container": "parquet", "depth": "exr"}, r"cannot hold EXR files \(depth\)"),
    ],
)
def test_what_a_container_cannot_hold_is_an_error_of_the_spec(output, why):
    with pytest.raises((SpecError, ValueError), match=why):
        make_spec(output=output)


def test_a_block_has_about_500_mb():
    small, large = (
        make_spec(resolution=[side, side], output={"container": "webdataset"}) for side in (64, 1024)
    )
    assert 20_000 < PackPlan.of_spec(small).images_per_file < 60_000
    assert 150 < PackPlan.of_spec(large).images_per_file < 250


def test_pyarrow_is_asked_for_before_anything_is_made(monkeypatch):
    from blendgen.containers.pack_writers import require_writer

    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    require_writer("webdataset")
    with pytest.raises(SetupError, match=r"blendgen\[parquet\]"):
        require_writer("parquet")


@pytest.mark.slow
def test_three_shards_make_the_bytes_of_one_run(whole, container, tmp_path):
    make_shards(tmp_path / "made", 3, spec=spec_of(container))
    for link in ("hard", "copy", "move"):
        out = tmp_path / link
        copied(tmp_path / "made", out)
        merged(out, link=link)
        merged(out, link=link)
        assert content(out) == content(whole)


@pytest.mark.slow
def test_a_merge_links_packs_of_one_shard_and_removes_shards(whole, container, tmp_path):
    shards = [
        packed(tmp_path / name, container, indices)
        for name, indices in (("a", range(12)), ("b", (12, 13, 14)))
    ]
    merged(tmp_path / "out", *shards)
    pack = "data/train-000000" + PackPlan.of_record(read_record(Layout(whole))).suffix
    assert (tmp_path / "out" / pack).samefile(shards[0] / pack)
    merged(tmp_path / "out", *shards, remove_shards=True)
    assert content(tmp_path / "out") == content(whole)
    assert not any(shard.exists() for shard in shards)


@pytest.mark.slow
def test_a_merge_refuses_a_pack_that_is_damaged(container, tmp_path):
    shards = make_shards(tmp_path, 2, spec=spec_of(container))
    damage_picture(a_pack(shards[0]))
    with pytest.raises(DatasetError, match=r"is not the file that was written|missing"):
        merged(tmp_path, check_files=True)


def test_a_data_set_that_grows_has_the_packs_of_one_run(whole, container, tmp_path):
    packed(tmp_path, container, images=8)
    assert faults(tmp_path) == []
    packed(tmp_path, container)
    assert content(tmp_path) == content(whole)


class Killed(BaseException):
    """Nothing after it is done, as after SIGKILL."""


def _changed(original, left, *arguments, **options):
    if next(left, None) is None:
        raise Killed
    return original(*arguments, **options)


@pytest.mark.slow
def test_packing_that_is_killed_anywhere_goes_on(loose, whole, container, tmp_path, monkeypatch):
    """At each change of the disk in turn."""
    template = shutil.copytree(whole, tmp_path / "template")
    shutil.rmtree(template / "data")
    for folder in ("images", "masks"):
        shutil.copytree(loose / folder, template / folder)
    (template / "images" / "README.md").unlink()
    shutil.copytree(whole / "data", template / "data", ignore=lambda _, inner: {*inner} - {"README.md"})
    for step in range(0, 1000, 13):
        folder = shutil.copytree(template, tmp_path / f"{step}")
        with monkeypatch.context() as patch:
            left = iter(range(step))
            for name in ("replace", "unlink", "rmdir"):
                patch.setattr(os, name, partial(_changed, getattr(os, name), left))
            try:
                packer_of(folder).pack_all()
                is_killed = False
            except Killed:
                is_killed = True
        read = open_dataset(folder)
        assert sum(read.image(position).shape == (16, 24, 3) for position in range(len(read))) == len(read)
        packed(folder, container)
        assert content(folder) == content(whole)
        shutil.rmtree(folder)
        if not is_killed:
            return
    raise AssertionError("packing never ends")


@pytest.mark.parametrize(
    "place", ["picture", "description", "index", "no index", "no pack", "stray", "loose too"]
)
def test_verify_names_what_is_wrong_with_a_pack(copy, loose, place):
    pack = a_pack(copy)
    index_file = pack.with_name(pack.stem + ".index.npy")
    row = next(row for row in read_rows(copy / "manifest.jsonl") if row.split == "train")
    if place == "picture":
        damage_picture(pack)
        expected = f"{row.image.name}: is not the file that was written: its sha256 differs"
    elif place == "description":
        data = pack.read_bytes()
        pack.write_bytes(data.replace(b"bbox", b"boxx").replace(b'"box"', b'"bix"'))
        expected = f"data/{pack.name}: "
    elif place == "index":
        damage(index_file, -8)
        expected = f"data/{index_file.name}: is not the file that was written"
    elif place == "no index":
        index_file.unlink()
        expected = f"data/{index_file.name}: is not the file that was written, or is missing"
    elif place == "no pack":
        pack.unlink()
        expected = f"{row.image.name}: is missing"
    elif place == "stray":
        shutil.copy(pack, pack.with_name("other" + pack.suffix))
        expected = f"data/other{pack.suffix}: does not belong to a row"
    else:
        (copy / row.image.name).parent.mkdir(parents=True)
        shutil.copy(loose / row.image.name, copy / row.image.name)
        expected = f"{row.image.name}: is in its pack too"
    assert any(fault.startswith(expected) for fault in faults(copy)), faults(copy)


@pytest.mark.slow
def test_packs_of_another_pyarrow_are_compared_by_their_columns(copy, container, monkeypatch):
    pyarrow = pytest.importorskip("pyarrow")
    monkeypatch.setattr(pyarrow, "cpp_version", "1.0.0")
    assert faults(copy) == []
    with monkeypatch.context() as patch:
        patch.setattr(comparison, "_MAX_VALUES", 0)
        assert bool(faults(copy)) == (container == "parquet")
    lines = (copy / "manifest.jsonl").read_text().replace('"area": [', '"area": [1', 1)
    (copy / "manifest.jsonl").write_text(lines)
    assert any(fault.startswith("data/") for fault in faults(copy))


def test_an_index_is_made_again_from_its_pack(copy):
    pack = a_pack(copy)
    before = np.array(pack_index(pack))
    pack.with_name(pack.stem + ".index.npy").unlink()
    assert np.array_equal(pack_index(pack), before) and np.array_equal(rebuilt_index(pack), before)
    assert list(packer_of(copy).restore_indices()) == [f"data/{pack.stem}.index.npy"]
    assert faults(copy) == []


def _tar(path, *members):
    with tarfile.open(path, "w") as tar:
        for name, kind, target in members:
            member = tarfile.TarInfo(name)
            member.type, member.linkname, member.size = kind, target, 3 if kind == tarfile.REGTYPE else 0
            tar.addfile(member, io.BytesIO(b"abc") if member.size else None)


@pytest.mark.parametrize(
    "members",
    [
        [("000000.png", tarfile.SYMTYPE, "/etc/passwd")],
        [("000000.png", tarfile.LNKTYPE, "/etc/passwd")],
        [("../000000.png", tarfile.REGTYPE, "")],
        [("/000000.png", tarfile.REGTYPE, "")],
        [("000000.evil.png", tarfile.REGTYPE, "")],
        [("000001.png", tarfile.REGTYPE, ""), ("000000.png", tarfile.REGTYPE, "")],
        [("000000.png", tarfile.REGTYPE, ""), ("000000.png", tarfile.REGTYPE, "")],
    ],
)
def test_a_tar_file_with_other_members_is_not_read(tmp_path, members):
    _tar(tmp_path / "train-000000.tar", *members)
    with pytest.raises(ValueError):
        rebuilt_index(tmp_path / "train-000000.tar")
    assert pack_index(tmp_path / "train-000000.tar") is None


@pytest.mark.slow
def test_an_index_that_lies_is_found_and_does_no_harm(copy):
    pack = a_pack(copy)
    index_file = pack.with_name(pack.stem + ".index.npy")
    index = np.array(np.load(index_file))
    impossible = (-5, 10), (2**62, 10), (0, 2**62), (0, -1)
    for offset, size in (*impossible, (0, 10)):
        index["image_offset"][0], index["image_size"][0] = offset, size
        np.save(index_file, index)
        if (offset, size) in impossible:
            assert open_dataset(copy).image(0).shape == (16, 24, 3)  # from the pack itself
        else:
            with pytest.raises(DatasetError):
                [*map(open_dataset(copy).image, range(11))]
        assert any("train-000000.index.npy" in fault for fault in faults(copy))
    np.save(index_file, np.array([{}], dtype=object), allow_pickle=True)
    assert open_dataset(copy).image(0).shape == (16, 24, 3)  # from the pack itself


@pytest.mark.slow
def test_links_in_place_of_packs_are_not_followed(copy, tmp_path):
    pack = a_pack(copy)
    pack.rename(tmp_path / "elsewhere")
    pack.symlink_to(tmp_path / "elsewhere")
    assert any("is missing" in fault for fault in faults(copy))
    (copy / "data").rename(tmp_path / "data")
    (copy / "data").symlink_to(tmp_path / "data")
    assert any("is a link" in fault for fault in faults(copy))


def test_another_container_is_another_data_set(copy, container):
    other = next(one for one in ("files", *CONTAINERS) if one != container)
    with pytest.raises(DatasetError, match=f"made with output.container: {container}, this is {other}"):
        packed(copy, other)


def test_files_of_somebody_else_in_place_of_packs_are_left_alone(container, tmp_path):
    packed(tmp_path, container, range(2))
    suffix = ".tar" if container == "webdataset" else ".parquet"
    mine = tmp_path / "data" / f"train-000001{suffix}"
    mine.write_bytes(b"mine")
    with pytest.raises(DatasetError, match=f"data/train-000001{suffix}"):
        packed(tmp_path, container)
    assert mine.read_bytes() == b"mine"


@pytest.mark.slow
def test_a_subset_of_packs_has_loose_files(whole, loose, tmp_path):
    subset(whole, tmp_path / "part", Selection(every=2))
    subset(loose, tmp_path / "other", Selection(every=2))
    assert faults(tmp_path / "part") == []
    inner = ("images/train", "masks")
    parts = [
        {k: v for k, v in content(tmp_path / n).items() if k.startswith(inner)} for n in ("part", "other")
    ]
    assert parts[0] == parts[1] and parts[0]


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(built_in()) - {"bop"}))
def test_exports_are_those_of_loose_files(whole, loose, tmp_path, name):
    for place, folder in (("packs", whole), ("files", loose)):
        export(folder, name, tmp_path / place, Options())
    assert content(tmp_path / "packs") == content(tmp_path / "files")


@pytest.mark.slow
def test_hugging_face_datasets_reads_the_folder_of_packs(whole, loose, container, tmp_path):
    datasets = pytest.importorskip("datasets")
    read = datasets.load_dataset(str(whole / "data"), cache_dir=str(tmp_path))
    assert {split: len(rows) for split, rows in read.items()} == {"train": 6, "validation": 5}
    files = open_dataset(loose)
    for split, rows in (("train", read["train"]), ("val", read["validation"])):
        for row, position in zip(rows, [p for p in range(11) if files.row(p).split == split], strict=True):
            image = row["image" if container == "parquet" else "png"]
            assert np.array_equal(np.array(image.convert("RGB")), files.image(position))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ResourceWarning")  # the loader does not close its files
def test_webdataset_reads_packs(loose, tmp_path):
    webdataset = pytest.importorskip("webdataset")
    folder = packed(tmp_path / "set", "webdataset")
    packs = sorted(map(str, (folder / "data").glob("train-*.tar")))
    samples = [*webdataset.WebDataset(packs, shardshuffle=False).decode("rgb8")]
    rows = [row for row in read_rows(loose / "manifest.jsonl") if row.split == "train"]
    assert [json.loads(json.dumps(sample["json"]))["index"] for sample in samples] == [
        row.index for row in rows
    ]
    files = open_dataset(loose)
    assert np.array_equal(samples[0]["png"], files.image(rows[0].index))
    assert [sample["cls"] for sample in samples] == [row.label_id for row in rows]
    gc.collect()
