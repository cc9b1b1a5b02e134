"""Object stores that a stranger fills: nothing is written outside of the folder, and nothing without end."""

from __future__ import annotations

import hashlib
import json
import tracemalloc

import pytest

import blendgen
from blendgen.cloud import index as index_module
from blendgen.cloud.index import read_index
from blendgen.cloud.objects import ObjectStore
from blendgen.cloud.staging import READ, staging_folder
from blendgen.dataset.layout import OBJECTS_NAME
from blendgen.errors import BlendgenError, DatasetError, DiskUnavailable
from blendgen.files.url import parse_url

HEAD = {"schema_version": 1, "is_complete": True, "is_whole": True, "wanted": 1, "images": 1, "objects": 1}
DATA = b"canary"


def entry(name, size=6, data=DATA):
    return {"name": name, "size": size, "sha256": hashlib.sha256(data).hexdigest(), "etag": None}


def text(*lines):
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


def filled(url, content, **objects):
    store = ObjectStore(parse_url(url))
    store.write(OBJECTS_NAME, content)
    for name, data in objects.items():
        store.write(name, data)
    return store


def calls(url, tmp_path):
    yield lambda: blendgen.open_dataset(url)
    yield lambda: blendgen.verify(url)
    yield lambda: blendgen.export(url, "coco", tmp_path / "coco", staging=tmp_path / "staging")


def files(folder):
    return {path.name for path in folder.rglob("*") if path.is_file() or path.is_symlink()}


NAMES = [
    "../out", "a/../../out", "/etc/out", "a//b", "", ".", "C:out", "a\nb", "a\0b", "x" * 5000, ".hidden",
    ".partial/1-1", ".blendgen-lock", OBJECTS_NAME,
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES, ids=lambda name: ascii(name[:20]))
def test_names_that_lead_out_are_refused(url, tmp_path, monkeypatch, name):
    monkeypatch.setenv("BLENDGEN_CACHE_DIR", str(tmp_path / "cache"))
    filled(url, text(HEAD, entry(name)))
    for call in calls(url, tmp_path):
        with pytest.raises(DatasetError, match="is damaged: "):
            call()
    assert files(tmp_path) == set()


CONTENTS = {
    "not json": b"<xml>",
    "empty": b"",
    "a list": b"[1]\n",
    "a number": b"1\n",
    "deep": b"[" * 10_000 + b"\n",
    "a huge line": b'{"name": "' + b"x" * 20_000 + b'"}\n',
    "not text": b"\xff\xfe\n",
    "fewer objects": text(HEAD | {"objects": 3}, entry("a")),
    "more objects": text(HEAD, entry("a"), entry("b")),
    "twice": text(HEAD | {"objects": 2}, entry("a"), entry("a")),
    "a negative size": text(HEAD, entry("a", -1)),
    "a size without end": text(HEAD, entry("a", 10**30)),
    "a size that is text": text(HEAD, entry("a", "1")),
    "no sha256": text(HEAD, entry("a") | {"sha256": "x"}),
}


@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS)
def test_an_index_that_is_none_is_refused(url, machine, tmp_path, monkeypatch, content):
    filled(url, content)
    with pytest.raises(DatasetError, match=r"is damaged: .*make the data set again with force"):
        machine().generate(url)
    for call in calls(url, tmp_path):
        with pytest.raises(DatasetError, match="is damaged: "):
            call()
    assert files(tmp_path) == set()


def test_an_index_without_end_is_not_read(url, tmp_path, monkeypatch):
    monkeypatch.setattr(index_module, "MAX_INDEX_BYTES", 2**20)
    filled(url, text(HEAD) + b" " * 2**20)
    with pytest.raises(DatasetError, match="is larger than 1 MiB"):
        blendgen.open_dataset(url)


def test_an_index_takes_little_memory_for_each_object(url):
    count = 5000
    store = filled(url, text(HEAD | {"objects": count}, *(entry(f"{i:x}") for i in range(count))))
    read_index(store, "")
    tracemalloc.start()
    try:
        index = read_index(store, "")
        assert len(index.entries) == count
        assert tracemalloc.get_traced_memory()[0] < 400 * count
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("size", [1, 5, 7, 10**6])
def test_a_size_that_is_wrong_is_noticed_and_no_more_is_written(url, tmp_path, size):
    filled(url, text(HEAD, entry("dataset.json", size)), **{"dataset.json": DATA})
    with pytest.raises(DatasetError, match=r"dataset\.json: is missing or is not what was sent"):
        blendgen.export(url, "coco", tmp_path / "coco", staging=tmp_path / "staging")
    assert files(tmp_path) == set()


def test_more_bytes_than_the_disk_has_are_not_fetched(url, tmp_path):
    filled(url, text(HEAD, entry("dataset.json", 10**15)), **{"dataset.json": DATA})
    with pytest.raises(DiskUnavailable, match="has room for"):
        blendgen.export(url, "coco", tmp_path / "coco", staging=tmp_path / "staging")


@pytest.mark.parametrize("is_named", [True, False])
def test_links_in_the_staging_folder_are_not_followed(url, tmp_path, monkeypatch, is_named):
    monkeypatch.setenv("BLENDGEN_CACHE_DIR", str(tmp_path / "cache"))
    folder = tmp_path / "staging" if is_named else staging_folder(parse_url(url), READ)
    folder.mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    (folder / "images").symlink_to(tmp_path / "elsewhere")
    filled(url, text(HEAD, entry("images/a.png")), **{"images/a.png": DATA})
    with pytest.raises(BlendgenError, match="files of somebody else" if is_named else "found a link"):
        blendgen.export(url, "coco", tmp_path / "coco", staging=folder if is_named else None)
    assert files(tmp_path / "elsewhere") == set()


@pytest.mark.slow
def test_shards_that_lie_are_not_merged(url, machine):
    machine().generate(url, "0/1")
    store, name = ObjectStore(parse_url(url)), f"shards/00000-of-00001/{OBJECTS_NAME}"
    first, *rest = store.read(name, 10**6).splitlines(keepends=True)
    for lie in ({"images": 10**9}, {"record": {"digest": "x"}}, {"spec_images": 10**9}):
        store.write(name, json.dumps(json.loads(first) | lie).encode() + b"\n" + b"".join(rest))
        try:
            blendgen.merge(url)
        except DatasetError:
            continue
        assert blendgen.verify(url) == []
