"""Shards: which images they have, where they are made, and what is refused."""

import json

import pytest

from blendgen.dataset.layout import Layout
from blendgen.dataset.own_files import finished_record
from blendgen.dataset.store import refuse_foreign_folder
from blendgen.errors import DatasetError, UsageError
from blendgen.farm.shards import Shard, named_shard, parse_shard, shard_place, shards_in
from blendgen.verification.dataset import verify
from tests.conftest import make_spec
from tests.workers.flat_run import run


@pytest.mark.parametrize("images", [0, 1, 7, 8, 100])
@pytest.mark.parametrize("count", [1, 2, 3, 7, 40])
@pytest.mark.parametrize("exposures_per_shot", [1, 3])
def test_shards_divide_the_images_into_ranges_of_whole_shots(images, count, exposures_per_shot):
    parts = [Shard(index, count).images(images, exposures_per_shot) for index in range(count)]
    assert [index for part in parts for index in part] == [*range(images)]
    assert all(part.start % exposures_per_shot == 0 for part in parts if part)
    sizes = [-(-len(part) // exposures_per_shot) for part in parts]
    assert max(sizes) - min(sizes) <= 1


def test_a_shard_is_written_as_its_number_and_that_of_all_and_named_as_tfrecord_shards_are():
    assert parse_shard("3/10") == Shard(3, 10) and str(Shard(3, 10)) == "3/10"
    assert Shard(3, 10).name == "00003-of-00010" and named_shard("00003-of-00010") == Shard(3, 10)
    assert named_shard(Shard(123_456, 1_000_000).name) == Shard(123_456, 1_000_000)
    for name in ("00010-of-00010", "3-of-10", "000003-of-00010", "00003-of-00010.old", "..", ""):
        assert named_shard(name) is None


@pytest.mark.parametrize(
    "text", ["", "3", "10/10", "-1/3", "1/0", "0/0", "a/b", "1/2/3", "1/" + "9" * 5000, "٣/10"]
)
def test_other_texts_are_rejected(text):
    with pytest.raises(UsageError, match=r"^shard: expected"):
        parse_shard(text)


def test_a_shard_is_made_in_a_folder_of_its_own(tmp_path):
    spec = make_spec(images=12)
    assert shard_place(spec, tmp_path, Shard(1, 3), None) == (tmp_path / "shards/00001-of-00003", range(4, 8))
    assert shard_place(spec, tmp_path, None, range(3)) == (tmp_path, range(3))
    with pytest.raises(UsageError, match="exclude each other"):
        shard_place(spec, tmp_path, Shard(1, 3), range(3))


def test_shards_of_another_number_are_refused(tmp_path):
    (tmp_path / "shards/00001-of-00003").mkdir(parents=True)
    with pytest.raises(DatasetError, match=r"00001-of-00003: is one of 3 shards, not of 2; "):
        shard_place(make_spec(), tmp_path, Shard(1, 2), None)


def test_no_shard_is_begun_of_a_finished_data_set_but_one_that_is_there_may_be_run_again(tmp_path):
    record = dict.fromkeys(("digest", "blender_version", "blendgen_version"), "x")
    (tmp_path / "dataset.json").write_text(json.dumps(record))
    with pytest.raises(DatasetError, match="is a data set already"):
        shard_place(make_spec(), tmp_path, Shard(1, 2), None)
    (tmp_path / "shards/00001-of-00002").mkdir(parents=True)
    assert shard_place(make_spec(), tmp_path, Shard(1, 2), None)[0].name == "00001-of-00002"


def test_a_folder_with_shards_alone_names_the_command_that_makes_a_data_set_of_them(tmp_path):
    (tmp_path / "shards/00001-of-00003").mkdir(parents=True)
    for refused in (lambda: refuse_foreign_folder(tmp_path), lambda: finished_record(Layout(tmp_path))):
        with pytest.raises(DatasetError, match="not merged; run `blendgen merge -o`"):
            refused()
    (fault,) = verify(tmp_path)
    assert str(fault).startswith("shards: contains shards that are not merged")


def test_a_shard_without_images_is_a_valid_data_set(tmp_path):
    outcome = run(tmp_path, make_spec(images=2), Shard(0, 3).images(2, 1))
    assert (outcome.made, outcome.record["images"], outcome.failures) == (0, 0, ())
    assert finished_record(Layout(tmp_path))["images_per_split"] == {}
    assert [str(fault) for fault in verify(tmp_path)] == []


def test_links_in_the_place_of_shards_are_not_shards(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out/shards/00000-of-00002").mkdir(parents=True)
    (tmp_path / "out/shards/00001-of-00002").symlink_to(tmp_path / "elsewhere")
    assert shards_in(Layout(tmp_path / "out")) == [Shard(0, 2)]
