"""Shards that machines without a common disk make and merge through an object store."""

from __future__ import annotations

import json

import pytest

import blendgen
from blendgen.cloud import copies
from blendgen.cloud.objects import ObjectStore
from blendgen.dataset.layout import OBJECTS_NAME
from blendgen.errors import DatasetError, DiskUnavailable, TimeLimitReached, UsageError
from blendgen.verification.repair import Repair
from tests.cloud.machines import stored
from tests.conftest import make_spec
from tests.containers.packed_sets import CONTAINERS, spec_of
from tests.farm.made import SPEC, content, make
from tests.workers.flat_run import SOME_FAIL


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The data set that one machine makes in a folder."""
    folder = tmp_path_factory.mktemp("whole")
    make(folder)
    return content(folder)


def without_index(objects):
    return {name: data for name, data in objects.items() if name not in (OBJECTS_NAME, "blender.log")}


def test_a_data_set_in_a_store_is_that_of_a_folder(url, machine, whole):
    one = machine()
    report = one.generate(url)
    assert without_index(stored(url)) == whole
    assert report.folder == url and report.contact_sheet == f"{url}/contact_sheet.jpg"
    assert not one.disk.exists() or [path for path in one.disk.rglob("*") if path.is_file()] == []


@pytest.mark.slow
def test_a_named_staging_folder_stays(url, machine, whole, tmp_path):
    machine().generate(url, staging=tmp_path / "here")
    assert content(tmp_path / "here") == whole


def test_shards_of_two_machines_are_merged_to_the_bytes_of_one_run(url, machine, whole):
    for shard in ("1/2", "0/2"):
        machine().generate(url, shard)
    status = blendgen.status(url)
    assert (status.images, status.wanted, status.is_complete) == (len(rows(whole)), SPEC.images, True)
    counts = blendgen.merge(url, remove_shards=True)
    assert counts["shards"] == 2 and counts["images"] == len(rows(whole))
    assert without_index(stored(url)) == whole
    assert blendgen.merge(url)["images"] == counts["images"]
    assert blendgen.verify(url) == []


def test_large_files_are_sent_and_checked(url, machine):
    spec = make_spec(images=2, seed=77, resolution=[24, 16], output={"container": "webdataset"})
    machine().generate(url, "0/1", spec=spec)
    assert any(name.endswith("data/train-000000.tar") for name in stored(url))
    assert blendgen.verify(f"{url}/shards/00000-of-00001") == []


@pytest.mark.slow
@pytest.mark.parametrize("container", CONTAINERS)
def test_large_files_are_merged_to_the_bytes_of_one_run(url, machine, tmp_path, container):
    spec = spec_of(container)
    with pytest.raises(TimeLimitReached):
        machine(stops_after=4).generate(url, "0/2", spec=spec)
    for shard in ("0/2", "1/2"):
        machine().generate(url, shard, spec=spec)
    blendgen.merge(url, remove_shards=True)
    make(tmp_path / "whole", spec=spec)
    assert without_index(stored(url)) == content(tmp_path / "whole")
    assert blendgen.verify(url) == []


def rows(objects):
    return objects["manifest.jsonl"].splitlines()


def test_a_finished_shard_is_not_made_again(url, machine):
    machine().generate(url, "0/2")
    before, other = stored(url), machine()
    report = other.generate(url, "0/2")
    assert other.made == [] and not other.disk.exists() and stored(url) == before
    assert report.images and report.made == 0 and report.classes


def test_another_machine_goes_on_where_one_stopped(url, machine, whole):
    with pytest.raises(TimeLimitReached):
        machine(stops_after=6).generate(url)
    assert blendgen.status(url).parts_per_state == {"begun": 1}
    other = machine()
    other.generate(url)
    (made,) = other.made
    assert made[0] > 0 and made[1] == len(rows(whole))
    assert without_index(stored(url)) == whole


@pytest.mark.slow
def test_a_machine_with_an_older_state_takes_the_newer_one(url, machine, whole):
    first, second = machine(stops_after=3), machine(stops_after=8)
    for one in (first, second):
        with pytest.raises(TimeLimitReached):
            one.generate(url)
    first.stops_after = None
    first.generate(url)
    assert first.made[-1][0] == second.made[-1][1] and without_index(stored(url)) == whole


def test_another_spec_is_refused_and_force_replaces_it(url, machine):
    machine().generate(url, "0/2")
    before, other = stored(url), make_spec(**(SPEC_VALUES | {"seed": 4}))
    with pytest.raises(DatasetError, match=r"shards/00000-of-00002: contains a data set made from another"):
        machine().generate(url, "0/2", spec=other)
    assert stored(url) == before
    machine().generate(url, "0/2", spec=other, force=True)
    after = stored(url)
    names = {json.loads(line)["name"] for line in after[index_of("0/2")].splitlines()[1:]}
    shard = index_of("0/2").removesuffix(OBJECTS_NAME)
    assert {name.removeprefix(shard) for name in after} == names | {OBJECTS_NAME}
    machine().generate(url, "1/2")
    with pytest.raises(DatasetError, match="only shards of one data set can be merged"):
        blendgen.merge(url)


SPEC_VALUES = {"images": 15, "seed": 3, "resolution": [24, 16], "exposures_per_shot": 2, **SOME_FAIL}


def index_of(shard):
    index, count = map(int, shard.split("/"))
    return f"shards/{index:05d}-of-{count:05d}/{OBJECTS_NAME}"


def test_shards_of_another_number_and_of_a_merged_data_set_are_refused(url, machine):
    machine().generate(url, "0/1")
    with pytest.raises(DatasetError, match="is one of 1 shards, not of 2"):
        machine().generate(url, "1/2")
    with pytest.raises(DatasetError, match="contains shards that are not merged"):
        machine().generate(url)
    with pytest.raises(DatasetError, match="contains shards that are not merged"):
        blendgen.open_dataset(url)
    blendgen.merge(url, remove_shards=True)
    with pytest.raises(DatasetError, match="is a data set already"):
        machine().generate(url, "0/1")


def test_objects_of_somebody_else_are_refused(url, machine):
    store = ObjectStore(blendgen_url(url))
    store.write("holiday.jpg", b"mine")
    with pytest.raises(DatasetError, match=r"do not belong .* such as 'holiday\.jpg'"):
        machine().generate(url)
    machine().generate(url, "0/1")
    with pytest.raises(DatasetError, match=r"holiday\.jpg"):
        blendgen.merge(url)
    assert stored(url)["holiday.jpg"] == b"mine" and "dataset.json" not in stored(url)


def blendgen_url(url):
    from blendgen.files.url import parse_url

    return parse_url(url)


def test_a_missing_shard_is_named(url, machine):
    machine().generate(url, "0/2")
    before = stored(url)
    with pytest.raises(DatasetError, match=r"^memory://.*images are missing: .* for 1/2 again"):
        blendgen.merge(url)
    assert stored(url) == before
    with pytest.raises(TimeLimitReached):
        machine(stops_after=2).generate(url, "1/2")
    with pytest.raises(DatasetError, match="is not complete; its own"):
        blendgen.merge(url)
    assert blendgen.status(url).parts_per_state == {"begun": 1, "complete": 1}


@pytest.mark.parametrize("lost", [True, False])
def test_a_damaged_image_is_not_merged(url, machine, lost):
    machine().generate(url, "0/1")
    name = next(name for name in stored(url) if name.endswith(".png") and "/images/" in name)
    damage(url, name, lost)
    with pytest.raises(DatasetError, match=r"\.png is missing or is not what was sent; `blendgen verify"):
        blendgen.merge(url)
    assert blendgen.status(url).parts_per_state == {"complete": 1}
    faults = blendgen.verify(url)
    assert name in {fault.place for fault in faults}


def damage(url, name, lost=False):
    store, data = ObjectStore(blendgen_url(url)), stored(url)[name]
    if lost:
        store.remove(name)
    else:
        store.write(name, data[:-1] + bytes([data[-1] ^ 1]))


def test_verify_finds_what_only_the_index_knows(url, machine):
    machine().generate(url)
    damage(url, "contact_sheet.jpg")
    (fault,) = blendgen.verify(url)
    assert (fault.place, fault.what) == ("contact_sheet.jpg", "is missing or is not what was sent")


def test_what_is_repaired_is_sent(url, machine, whole, monkeypatch):
    machine().generate(url)
    name = next(name for name in whole if name.endswith(".png"))
    damage(url, name)

    def repaired(folder, *_):
        (folder / name).write_bytes(whole[name])
        return Repair((), (), ())

    monkeypatch.setattr(copies, "repaired", repaired)
    assert blendgen.verify(url, repair=True) == []
    assert without_index(stored(url)) == whole and blendgen.status(url).is_complete


def test_a_merge_that_was_cut_off_goes_on(url, machine, whole, monkeypatch):
    for shard in ("0/2", "1/2"):
        machine().generate(url, shard)
    copy, room = ObjectStore.copy, iter(range(5))

    def copy_some(self, source, name):
        if next(room, None) is None:
            raise DiskUnavailable("no answer")
        copy(self, source, name)

    monkeypatch.setattr(ObjectStore, "copy", copy_some)
    with pytest.raises(DiskUnavailable):
        blendgen.merge(url)
    with pytest.raises(DatasetError, match="is being sent"):
        blendgen.open_dataset(url)
    copied = []
    monkeypatch.setattr(ObjectStore, "copy", lambda *args: copied.append(args[2]) or copy(*args))
    blendgen.merge(url, remove_shards=True)
    assert without_index(stored(url)) == whole
    assert len(copied) == 2 * len(rows(whole)) - 5


def test_a_data_set_in_a_store_is_read_and_exported(url, machine, whole, tmp_path, monkeypatch):
    machine().generate(url)
    monkeypatch.setenv("BLENDGEN_CACHE_DIR", str(tmp_path / "cache"))
    assert len(blendgen.open_dataset(url)) == len(rows(whole))
    monkeypatch.setattr(ObjectStore, "blocks", only_the_index(ObjectStore.blocks))
    counts = blendgen.export(url, "coco", tmp_path / "coco")
    assert sum(split["images"] for split in counts.values()) == len(rows(whole))


def only_the_index(blocks):
    def checked(self, name, size):
        assert name == OBJECTS_NAME, f"{name} is fetched again"
        return blocks(self, name, size)

    return checked


def test_options_for_the_other_kind_of_place_are_refused(url, tmp_path):
    with pytest.raises(UsageError, match="staging"):
        blendgen.generate("scene.yaml", tmp_path / "out", staging=tmp_path)
    with pytest.raises(UsageError, match="staging"):
        blendgen.export(tmp_path / "out", "coco", tmp_path / "coco", staging=tmp_path)
    with pytest.raises(UsageError, match="leave out the others"):
        blendgen.merge(url, [tmp_path])
    with pytest.raises(UsageError, match="is a URL"):
        blendgen.merge(tmp_path / "out", [url])
