"""Uploads that SIGKILL cuts off at any moment: the same command leaves the store as if nothing had happened.

CI sets BLENDGEN_TEST_MOTO, and then this may not be skipped.
"""

from __future__ import annotations

import multiprocessing
import os
import random
from pathlib import Path

import pytest

import blendgen
from blendgen.cloud import objects, sums
from tests.cloud import machines
from tests.cloud.gate import AFTER, BEFORE, INSIDE, Gate, Moment
from tests.cloud.machines import Machine
from tests.cloud.test_s3 import pytestmark, server  # noqa: F401
from tests.conftest import make_spec

PART_BYTES, REAL_PART_BYTES = 4096, sums.PART_BYTES
URL, OTHER = "s3://bucket/out", "outside"  # somebody sends an object in parts next to the data set
INDEX, PACK = r"/\.blendgen-objects\.jsonl", r"/data/train-000000\.tar"
LOOSE = make_spec(images=3, seed=3, resolution=[24, 16])
PACKED = make_spec(images=3, seed=3, resolution=[24, 16], output={"container": "webdataset"})
WHOLE_RUN = [
    Moment(BEFORE, "DELETE .*probe"),
    Moment(INSIDE, f"PUT .*{INDEX}$"),
    Moment(AFTER, f"POST .*{PACK}.*uploads"),
    Moment(INSIDE, f"PUT .*{PACK}.*partNumber"),
    Moment(BEFORE, f"PUT .*{PACK}.*partNumber", 2),
    Moment(BEFORE, f"POST .*{PACK}.*uploadId"),
    Moment(AFTER, f"POST .*{PACK}.*uploadId"),
    Moment(BEFORE, r"PUT .*/dataset\.json"),
    Moment(BEFORE, f"PUT .*{INDEX}$", 2),
    Moment(AFTER, f"PUT .*{INDEX}$", 2),
]
SHARD = [Moment(INSIDE, r"PUT .*/00001-of-00002/images/.*\.png")]
LOOSE_MERGE = [
    Moment(BEFORE, r"PUT .*/out/images/.*\.png", 2),
    Moment(BEFORE, r"PUT .*/out/dataset\.json"),
    Moment(INSIDE, f"PUT .*/out{INDEX}$", 2),
    Moment(BEFORE, "DELETE .*/shards/", 2),
    Moment(AFTER, f"DELETE .*/shards/.*{INDEX}$"),
]
LARGE_PART = Moment(INSIDE, r"PUT .*/blender\.log.*partNumber=2\b", body_bytes=REAL_PART_BYTES // 2)
PACKED_MERGE = [Moment(BEFORE, f"POST .*/out{PACK}.*uploadId")]


@pytest.fixture(scope="module")
def gate(server):  # noqa: F811
    host, port = server.removeprefix("http://").split(":")
    with Gate((host, int(port))) as gate:
        yield gate


@pytest.fixture
def client(gate, server, monkeypatch, tmp_path):  # noqa: F811
    """A client of S3 with an empty bucket; the environment names the gate. Parts are small."""
    import boto3

    for name, value in environment(gate).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("BLENDGEN_CACHE_DIR", str(tmp_path / "disk"))
    monkeypatch.setattr("moto.s3.models.S3_UPLOAD_PART_MIN_SIZE", 256)
    for module in (sums, objects):
        monkeypatch.setattr(module, "PART_BYTES", PART_BYTES)
    client = boto3.client("s3", endpoint_url=server)
    client.create_bucket(Bucket="bucket")
    upload = client.create_multipart_upload(Bucket="bucket", Key=OTHER)["UploadId"]
    yield client
    empty(client)
    client.abort_multipart_upload(Bucket="bucket", Key=OTHER, UploadId=upload)
    client.delete_bucket(Bucket="bucket")


def environment(gate):
    keys = {"AWS_ACCESS_KEY_ID": "somebody", "AWS_SECRET_ACCESS_KEY": "secret"}
    return keys | {"AWS_ENDPOINT_URL": gate.url, "AWS_DEFAULT_REGION": "us-east-1"}


def empty(client):
    for one in client.list_objects_v2(Bucket="bucket").get("Contents", []):
        client.delete_object(Bucket="bucket", Key=one["Key"])


def stored(client):
    """Content and checksum of each object."""
    names = [one["Key"] for one in client.list_objects_v2(Bucket="bucket").get("Contents", [])]
    objects = {name: client.get_object(Bucket="bucket", Key=name) for name in names}
    return {name: (one["Body"].read(), one["ETag"]) for name, one in objects.items()}


def open_uploads(client):
    return [one["Key"] for one in client.list_multipart_uploads(Bucket="bucket").get("Uploads", [])]


def generated(spec, disk: Path, shard, monkeypatch) -> Machine:
    machine = Machine(disk, monkeypatch)
    machine.generate(URL, shard, spec=spec)
    return machine


def in_a_process(call: str, variables: dict, made: dict, part_bytes: int, *arguments) -> None:
    """Call a function of this module; made: images that this process made."""
    os.environ.update(variables)
    machines._made.update(made)
    sums.PART_BYTES = objects.PART_BYTES = part_bytes
    globals()[call](*arguments, pytest.MonkeyPatch())


def merged(monkeypatch) -> None:
    blendgen.merge(URL, remove_shards=True)


@pytest.fixture
def killed(gate):
    """Kills a call at a moment of its upload."""
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload([__name__, "s3fs"])

    def kill(moment, call, *arguments):
        gate.hold_at(moment)
        process = processes.Process(
            target=in_a_process,
            args=(call, environment(gate), machines._made, sums.PART_BYTES, *arguments),
        )
        process.start()
        try:
            gate.wait()
        finally:
            process.kill()
            process.join()
            gate.open()

    return kill


@pytest.fixture
def undisturbed(client, monkeypatch, tmp_path):
    """Makes what the store has after a call that nobody kills, and empties it."""

    def made(call):
        call()
        objects = stored(client)
        empty(client)
        assert open_uploads(client) == [OTHER]
        return objects

    return made


def test_generate_goes_on_after_each_kill(client, killed, undisturbed, monkeypatch, tmp_path):
    expected = undisturbed(lambda: generated(PACKED, tmp_path / "other", None, monkeypatch))
    assert any("-" in etag for _, etag in expected.values())  # sent in parts
    for number, moment in enumerate(WHOLE_RUN):
        disk = tmp_path / str(number)
        killed(moment, "generated", PACKED, disk, None)
        there = [*disk.rglob("manifest.jsonl")]
        again = generated(PACKED, disk, None, monkeypatch)
        assert stored(client) == expected, moment
        assert open_uploads(client) == [OTHER], moment
        assert [before for before, _ in again.made] in ([], [3 if there else 0]), moment
        assert not [path for path in disk.rglob("*") if path.is_file()], moment
        empty(client)


def test_generate_goes_on_after_a_kill_inside_of_a_large_part(
    client, killed, undisturbed, monkeypatch, tmp_path
):
    """A log of three parts, as large as they are outside of tests."""
    for module in (sums, objects):
        monkeypatch.setattr(module, "PART_BYTES", REAL_PART_BYTES)
    spec = make_spec(images=2, seed=4, resolution=[24, 16])  # of no other test
    generated(spec, tmp_path / "first", None, monkeypatch)
    empty(client)
    *_, template = machines._made.values()
    with (template / "blender.log").open("ab") as log:
        log.write(random.Random(1).randbytes(5 * REAL_PART_BYTES // 2))
    expected = undisturbed(lambda: generated(spec, tmp_path / "other", None, monkeypatch))
    assert expected["out/blender.log"][1].endswith('-3"')
    killed(LARGE_PART, "generated", spec, tmp_path / "disk", None)
    assert sorted(open_uploads(client)) == ["out/blender.log", OTHER]
    generated(spec, tmp_path / "disk", None, monkeypatch)
    assert stored(client) == expected
    assert open_uploads(client) == [OTHER]


def test_shards_go_on_after_each_kill(client, killed, undisturbed, monkeypatch, tmp_path):
    """One of two; the other one is there, and stays as it is."""

    def both():
        for shard in ("0/2", "1/2"):
            generated(LOOSE, tmp_path / "other", shard, monkeypatch)

    expected = undisturbed(both)
    for number, moment in enumerate(SHARD):
        disk = tmp_path / str(number)
        generated(LOOSE, tmp_path / "other", "0/2", monkeypatch)
        killed(moment, "generated", LOOSE, disk, "1/2")
        generated(LOOSE, disk, "1/2", monkeypatch)
        assert stored(client) == expected, moment
        empty(client)


@pytest.mark.parametrize("spec", [LOOSE, PACKED], ids=["loose", "packed"])
def test_merge_goes_on_after_each_kill(client, killed, undisturbed, monkeypatch, tmp_path, spec):
    for shard in ("0/2", "1/2"):
        generated(spec, tmp_path, shard, monkeypatch)
    before = stored(client)
    expected = undisturbed(lambda: merged(monkeypatch))
    for moment in LOOSE_MERGE if spec is LOOSE else PACKED_MERGE:
        for name, (data, _) in before.items():
            client.put_object(Bucket="bucket", Key=name, Body=data)
        killed(moment, "merged")
        merged(monkeypatch)
        assert stored(client) == expected, moment
        assert open_uploads(client) == [OTHER], moment
        empty(client)
