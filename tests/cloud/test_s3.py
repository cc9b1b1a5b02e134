"""The same on a local S3: checksums, multipart uploads, errors of a real server, Blender, a killed command.

CI sets BLENDGEN_TEST_MOTO, and then this may not be skipped.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress

import pytest

import blendgen
from blendgen.cloud import objects
from blendgen.cloud.index import read_index
from blendgen.cloud.objects import ObjectStore
from blendgen.cloud.sums import PART_BYTES, file_sums
from blendgen.errors import DatasetError, DiskUnavailable, ExitCode
from blendgen.files.url import parse_url
from tests.farm.made import content, make

if not os.environ.get("BLENDGEN_TEST_MOTO"):
    pytest.importorskip("moto", reason="needs pip install 'blendgen[moto]'")
    pytest.importorskip("flask")
    pytest.importorskip("s3fs")
pytestmark = pytest.mark.slow

SPEC = """\
blendgen: 1
name: Shapes
products: [{catalog: shapes}]
images: 6
resolution: [16, 16]
render: smoke
"""
URL = "s3://bucket/a b/ü#1?x=%20"
SECRET = "hunter2-secret"


@pytest.fixture(scope="module")
def server():
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    yield "http://{}:{}".format(*server.get_host_and_port())
    server.stop()


@pytest.fixture
def client(server, monkeypatch, tmp_path):
    """A client of S3 with an empty bucket; the environment names the server."""
    import boto3

    monkeypatch.setenv("AWS_ENDPOINT_URL", server)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "somebody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("BLENDGEN_CACHE_DIR", str(tmp_path / "cache"))
    client = boto3.client("s3")
    client.create_bucket(Bucket="bucket")
    yield client
    for name in names(client):
        client.delete_object(Bucket="bucket", Key=name)
    client.delete_bucket(Bucket="bucket")


def names(client):
    return [one["Key"] for one in client.list_objects_v2(Bucket="bucket").get("Contents", [])]


def stored(client, prefix):
    keys = {name.removeprefix(prefix): name for name in names(client) if name.startswith(prefix)}
    return {name: client.get_object(Bucket="bucket", Key=key)["Body"].read() for name, key in keys.items()}


def test_a_silent_server_is_asked_as_often_as_blendgen_means_to(monkeypatch):
    """s3fs would multiply the tries of botocore, and these ours, by five."""
    import s3fs

    monkeypatch.setattr(s3fs.S3FileSystem, "read_timeout", 0.1)
    monkeypatch.setattr(objects, "WAITS_S", (0.0, 0.0, 0.0))
    with socket.create_server(("127.0.0.1", 0)) as server:
        calls = list[socket.socket]()
        threading.Thread(target=_accept, args=(server, calls), daemon=True).start()
        for name, value in {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.getsockname()[1]}", "AWS_MAX_ATTEMPTS": "2",
            "AWS_ACCESS_KEY_ID": "somebody", "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_DEFAULT_REGION": "eu",
        }.items():  # fmt: skip
            monkeypatch.setenv(name, value)
        with pytest.raises(DiskUnavailable, match="does not answer"):
            ObjectStore(parse_url(URL)).read("dataset.json", 100)
    assert len(calls) == 2 * 4


def _accept(server: socket.socket, calls: list[socket.socket]) -> None:
    """Take calls, and never answer one."""
    with suppress(OSError):
        while True:
            calls.append(server.accept()[0])


def test_shards_of_two_machines_and_a_killed_one_give_the_bytes_of_one_run(client, tmp_path):
    (tmp_path / "scene.yaml").write_text(SPEC)
    blendgen.generate(tmp_path / "scene.yaml", tmp_path / "whole", workers=1)
    words = [sys.executable, "-m", "blendgen", "generate", str(tmp_path / "scene.yaml"), "-o", URL]
    words += ["--workers", "1", "--staging", str(tmp_path / "disk 1"), "--progress", "lines"]
    killed = subprocess.Popen([*words, "--shard", "1/2"], stderr=subprocess.PIPE)
    manifest = tmp_path / "disk 1" / "shards" / "00001-of-00002" / "manifest.jsonl"
    while killed.poll() is None and not (manifest.exists() and manifest.stat().st_size):
        time.sleep(0.05)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    environment = os.environ | {"JOB_COMPLETION_INDEX": "1", "BLENDGEN_SHARD_COUNT": "2"}
    again = subprocess.run(words, env=environment, capture_output=True, text=True)
    assert again.returncode == ExitCode.OK, again.stderr
    assert SECRET not in again.stderr + again.stdout
    blendgen.generate(tmp_path / "scene.yaml", URL, workers=1, shard="0/2")
    counts = blendgen.merge(URL, remove_shards=True)
    assert counts["images"] == 6
    merged = stored(client, "a b/ü#1?x=%20/")
    assert SECRET.encode() not in b"".join(merged.values())
    del merged[".blendgen-objects.jsonl"], merged["blender.log"]
    assert merged == content(tmp_path / "whole")
    image = next(name for name in merged if name.endswith(".png") and name.startswith("images/"))
    client.put_object(Bucket="bucket", Key=f"a b/ü#1?x=%20/{image}", Body=merged[image][::-1])
    client.delete_object(Bucket="bucket", Key="a b/ü#1?x=%20/contact_sheet.jpg")
    assert {fault.place for fault in blendgen.verify(URL)} == {image, "contact_sheet.jpg"}


def test_large_files_are_sent_in_parts_and_compared_with_them(client, tmp_path):
    store, data = ObjectStore(parse_url("s3://bucket/large")), os.urandom(1000) * (2 * PART_BYTES // 1000 + 9)
    (tmp_path / "file").write_bytes(data)
    sums = file_sums(tmp_path / "file")
    store.send("file", tmp_path / "file", sums)
    store.copy("file", "copy")
    facts = store.listing("")
    assert sums.has_parts and facts["file"].md5 == sums.md5_of_parts
    assert facts["copy"].size == sums.size
    assert b"".join(store.blocks("copy", sums.size)) == data


def test_a_truncated_object_is_damaged_and_not_an_outage(client, tmp_path):
    store = ObjectStore(parse_url("s3://bucket/short"))
    store.write("a", b"")
    assert b"".join(store.blocks("a", 100)) == b""


@pytest.mark.parametrize("change", ["flip", "delete"])
def test_a_merge_notices_what_was_changed_by_its_checksum_alone(client, tmp_path, monkeypatch, change):
    from tests.cloud.machines import Machine

    Machine(tmp_path / "disk", monkeypatch).generate("s3://bucket/out", "0/1")
    name = next(name for name in names(client) if "/masks/" in name)
    body = client.get_object(Bucket="bucket", Key=name)["Body"].read()
    if change == "delete":
        client.delete_object(Bucket="bucket", Key=name)
    else:
        client.put_object(Bucket="bucket", Key=name, Body=body[::-1])
    with pytest.raises(DatasetError, match="is missing or is not what was sent"):
        blendgen.merge("s3://bucket/out")
    client.put_object(Bucket="bucket", Key=name, Body=body)
    blendgen.merge("s3://bucket/out", remove_shards=True)
    make(tmp_path / "whole")
    merged = stored(client, "out/")
    del merged[".blendgen-objects.jsonl"], merged["blender.log"]
    assert merged == content(tmp_path / "whole")


def test_objects_with_the_right_checksum_are_not_sent_again(client, tmp_path, monkeypatch):
    from tests.cloud.machines import Machine

    Machine(tmp_path / "disk", monkeypatch).generate("s3://bucket/out")
    client.delete_object(Bucket="bucket", Key="out/.blendgen-objects.jsonl")
    client.delete_object(Bucket="bucket", Key="out/manifest.jsonl")
    sent, send = [], ObjectStore.send
    monkeypatch.setattr(ObjectStore, "send", lambda *args: sent.append(args[1]) or send(*args))
    Machine(tmp_path / "other", monkeypatch).generate("s3://bucket/out", force=True)
    assert sent == ["manifest.jsonl"]
    index = read_index(ObjectStore(parse_url("s3://bucket/out")), "")
    assert index.head.is_whole and all(entry.etag for entry in index.entries.values())


def test_a_missing_bucket_is_an_error_without_a_traceback(client, tmp_path, capfd):
    from blendgen.cli import run

    (tmp_path / "scene.yaml").write_text(SPEC)
    assert run(["generate", str(tmp_path / "scene.yaml"), "-o", "s3://nowhere/out"]) == ExitCode.DATASET
    (line,) = capfd.readouterr().err.strip().splitlines()
    assert "s3://nowhere/out" in line and "make the bucket first" in line


def test_a_store_that_does_not_answer_is_tried_later(client, monkeypatch):
    monkeypatch.setattr("blendgen.cloud.objects.WAITS_S", ())
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(DiskUnavailable, match="does not answer"):
        blendgen.status("s3://bucket/out")
