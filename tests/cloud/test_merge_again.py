"""A merge in an object store where there is a result already: no image is lost, whatever is there."""

from __future__ import annotations

import pytest

import blendgen
from blendgen.cloud.objects import ObjectStore
from blendgen.dataset.layout import OBJECTS_NAME
from blendgen.errors import DatasetError, DiskUnavailable
from blendgen.files.url import parse_url
from tests.cloud.machines import stored
from tests.conftest import make_spec
from tests.farm.made import SPEC
from tests.workers.flat_run import SOME_FAIL

SMALL = make_spec(images=6, seed=3, resolution=[24, 16], exposures_per_shot=2, **SOME_FAIL)


@pytest.fixture
def sharded(url, machine):
    """A URL with the two shards of a data set."""
    for shard in ("0/2", "1/2"):
        machine().generate(url, shard)
    return url


def images(objects, prefix="images/"):
    return {name: data for name, data in objects.items() if name.startswith(prefix) and name.endswith(".png")}


def shard_images(objects):
    images = {name.split("/", 2)[2]: name for name in objects if name.startswith("shards/")}
    return {name: objects[place] for name, place in images.items() if name.endswith(".png")}


def test_shards_that_have_more_images_than_the_result_are_merged(url, machine):
    for spec in (SMALL, SPEC):
        machine().generate(url, "0/1", spec=spec)
        made = shard_images(stored(url))
        blendgen.merge(url, link="move" if spec is SPEC else "hard")
        assert all(stored(url)[name] == data for name, data in made.items())
    assert not shard_images(stored(url)) and blendgen.verify(url) == []


def merged_with_gaps(url, **options):
    """Merge the first shard alone; returns what the second one had."""
    second = {name: data for name, data in stored(url).items() if name.startswith("shards/00001")}
    for name in second:
        ObjectStore(parse_url(url)).remove(name)
    blendgen.merge(url, allow_gaps=True, **options)
    return second


@pytest.mark.slow
def test_a_shard_that_came_after_the_removal_of_others_stays(sharded):
    restore(sharded, merged_with_gaps(sharded, remove_shards=True))
    before = stored(sharded)
    for allow_gaps in (True, False):
        with pytest.raises(DatasetError, match="has images that its shards lack"):
            blendgen.merge(sharded, remove_shards=True, allow_gaps=allow_gaps)
    assert stored(sharded) == before


def restore(url, objects):
    for name, data in objects.items():
        ObjectStore(parse_url(url)).write(name, data)


@pytest.mark.parametrize("lost", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_shards_of_a_damaged_result_are_kept(sharded, lost):
    blendgen.merge(sharded)
    store, name = ObjectStore(parse_url(sharded)), min(images(stored(sharded)))
    store.remove(name)
    if not lost:
        store.write(name, b"x")
    before = stored(sharded)
    with pytest.raises(DatasetError, match=r"\.png: is missing or is not what was sent; the shards are kept"):
        blendgen.merge(sharded, remove_shards=True)
    assert stored(sharded) == before


@pytest.mark.slow
def test_the_removal_of_shards_goes_on_after_a_merge_with_gaps(url, machine, monkeypatch):
    for shard in ("0/3", "1/3"):
        machine().generate(url, shard)
    blendgen.merge(url, allow_gaps=True)
    remove = ObjectStore.remove

    def remove_first(self, name):
        if name.startswith("shards/00001"):
            raise DiskUnavailable("no answer")
        remove(self, name)

    monkeypatch.setattr(ObjectStore, "remove", remove_first)
    with pytest.raises(DiskUnavailable):
        blendgen.merge(url, allow_gaps=True, remove_shards=True)
    monkeypatch.setattr(ObjectStore, "remove", remove)
    before = stored(url)
    counts = blendgen.merge(url, allow_gaps=True, remove_shards=True)
    left = {name: data for name, data in before.items() if not name.startswith("shards/")}
    assert stored(url) == left and counts["shards"] == 1
    again = blendgen.merge(url, allow_gaps=True, remove_shards=True)
    assert again == counts | {"shards": 0} and stored(url) == left
    with pytest.raises(DatasetError, match=r"images, and no shards; make the .*allow-gaps"):
        blendgen.merge(url)


def test_nothing_is_made_next_to_a_merge_that_has_not_ended(sharded, machine, monkeypatch):
    monkeypatch.setattr(ObjectStore, "copy", None)
    with pytest.raises(TypeError):
        blendgen.merge(sharded)
    assert OBJECTS_NAME in stored(sharded)
    with pytest.raises(DatasetError, match="contains shards that are not merged"):
        machine().generate(sharded, indices=range(4))


@pytest.mark.slow
def test_large_files_are_removed_only_where_the_result_has_all_images(url, machine):
    spec = make_spec(images=4, seed=77, resolution=[24, 16], output={"container": "webdataset"})
    machine().generate(url, "0/2", spec=spec)
    blendgen.merge(url, allow_gaps=True)
    before = stored(url)
    with pytest.raises(DatasetError, match="may have images that its shards lack"):
        blendgen.merge(url, allow_gaps=True, remove_shards=True)
    assert stored(url) == before


@pytest.mark.slow
def test_large_files_of_more_images_are_merged_again(url, machine):
    for count in (4, 8):
        spec = make_spec(images=count, seed=77, resolution=[24, 16], output={"container": "webdataset"})
        machine().generate(url, "0/1", spec=spec)
        for _ in range(2):
            assert blendgen.merge(url)["images"] == count
    assert blendgen.merge(url, remove_shards=True)["images"] == 8
    assert blendgen.verify(url) == []
