"""What an object store answers when it fails: tried again, put off, or refused with a way out."""

from __future__ import annotations

import errno
from types import SimpleNamespace
from typing import ClassVar

import pytest

import blendgen
from blendgen.cloud import objects, sums
from blendgen.cloud.faults import is_passing, store_error
from blendgen.cloud.objects import ObjectStore
from blendgen.errors import DatasetError, DiskUnavailable, SetupError, UsageError
from blendgen.files.url import parse_url
from tests.cloud.machines import stored


class NoCredentialsError(Exception):
    """As that of botocore."""


class EndpointConnectionError(Exception):
    """As that of botocore."""


class HttpError(Exception):
    """As that of gcsfs."""

    def __init__(self, code):
        super().__init__(f"status {code}")
        self.code = code


PASSING = [
    OSError(errno.EBUSY, "SlowDown"), ConnectionResetError("reset"), TimeoutError(), HttpError(503),
    EndpointConnectionError("no route"),
]  # fmt: skip
LASTING = [
    (PermissionError("Access Denied"), DatasetError, "access is denied .Access Denied.; it takes the rights"),
    (HttpError(403), DatasetError, "access is denied"),
    (NoCredentialsError("Unable to locate credentials"), SetupError, "no credentials .*environment"),
    (FileNotFoundError("The specified bucket does not exist"), DatasetError, "make the bucket first"),
    (OSError(errno.EINVAL, "InvalidBucketName"), DatasetError, "refuses"),
    (ValueError("odd"), DatasetError, "refuses"),
]


def failing(monkeypatch, name, errors):
    """Lets a call of the memory raise the errors first; returns the list of calls."""
    from fsspec.implementations.memory import MemoryFileSystem

    call, calls, left = getattr(MemoryFileSystem, name), [], list(errors)

    def fails(self, *args, **options):
        calls.append(args[0])
        if left:
            raise left.pop(0)
        return call(self, *args, **options)

    monkeypatch.setattr(MemoryFileSystem, name, fails)
    return calls


@pytest.mark.parametrize("error", PASSING, ids=repr)
def test_what_passes_is_tried_again_and_ends_with_75(url, monkeypatch, error):
    calls = failing(monkeypatch, "pipe_file", [error, error])
    ObjectStore(parse_url(url)).write("a", b"1")
    assert len(calls) == 3 and stored(url) == {"a": b"1"}
    calls = failing(monkeypatch, "pipe_file", [error] * 9)
    with pytest.raises(DiskUnavailable, match=r"does not answer .* run the same command"):
        ObjectStore(parse_url(url)).write("a", b"2")
    assert len(calls) == 3


@pytest.mark.parametrize(("error", "kind", "message"), LASTING)
def test_what_lasts_is_an_error_before_anything_is_made(url, machine, monkeypatch, error, kind, message):
    failing(monkeypatch, "pipe_file", [error] * 9)
    one = machine()
    with pytest.raises(kind, match=message) as caught:
        one.generate(url)
    assert one.made == [] and type(caught.value) is kind


def of_s3(code, status):
    """As s3fs raises it, which knows few codes."""

    class ClientError(Exception):
        response: ClassVar = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}

    error = OSError(errno.EINVAL if code in ("BadDigest", "IncompleteBody") else errno.EIO, code)
    error.__cause__ = ClientError()
    return error


@pytest.mark.parametrize(
    ("code", "status", "passes"),
    [
        ("KMS.DisabledException", 400, False), ("QuotaExceeded", 403, False), ("NotImplemented", 501, False),
        ("BadDigest", 400, True), ("IncompleteBody", 400, True), ("KMS.ThrottlingException", 400, True),
        ("InternalError", 500, True), ("TooManyRequests", 429, True),
    ],
)  # fmt: skip
def test_what_s3_answers_decides_whether_it_passes(code, status, passes):
    error = of_s3(code, status)
    assert is_passing(error) is passes
    assert isinstance(store_error("s3://b/c", error), DiskUnavailable) is passes


def test_expired_credentials_pass_but_not_by_waiting(url, monkeypatch):
    error = PermissionError("The provided token has expired.")
    calls = failing(monkeypatch, "pipe_file", [error] * 9)
    with pytest.raises(DiskUnavailable, match=r"have expired .* renew them"):
        ObjectStore(parse_url(url)).write("a", b"1")
    assert len(calls) == 1


def test_an_upload_that_another_command_ended_is_sent_later():
    error = FileNotFoundError("The specified upload does not exist")
    error.__cause__ = of_s3("NoSuchUpload", 404).__cause__
    with pytest.raises(DiskUnavailable, match="if another machine works on the same data set"):
        raise store_error("s3://b/c", error)


def test_parts_that_cannot_be_removed_are_mentioned(url, machine, monkeypatch, caplog):
    monkeypatch.setattr(sums, "PART_BYTES", 500)
    monkeypatch.setattr(ObjectStore, "open_uploads", lambda *_: (_ for _ in ()).throw(DatasetError("denied")))
    machine().generate(url)
    assert "parts of large files that a killed run may have left cannot be removed (denied)" in caplog.text
    assert blendgen.status(url).is_complete


def test_an_upload_that_breaks_off_is_not_taken_for_whole_and_goes_on(url, machine, monkeypatch):
    one = machine()
    put = failing(monkeypatch, "put_file", [])
    errors = [None] * 5 + [OSError(errno.EBUSY, "SlowDown")] * 99
    monkeypatch.setattr(ObjectStore, "send", breaking(ObjectStore.send, errors))
    with pytest.raises(DiskUnavailable):
        one.generate(url)
    for call in (blendgen.open_dataset, blendgen.merge):
        with pytest.raises(DatasetError):
            call(url)
    assert blendgen.status(url).parts_per_state == {"begun": 1}
    errors.clear()
    sent = len(put)
    one.generate(url)
    assert len(one.made) == 2 and one.made[1][0] == one.made[1][1]
    assert len(put) == len(stored(url)) - 1 and sent == 5
    assert blendgen.verify(url) == []


def breaking(send, errors):
    def sometimes(self, name, path, sums):
        error = errors.pop(0) if errors else None
        if error is not None:
            raise store_error(name, error)
        send(self, name, path, sums)

    return sometimes


def test_what_arrives_otherwise_is_noticed(url, machine, monkeypatch):
    def flipped(self, name, path, sums):
        data = path.read_bytes()
        self.write(name, data[:-1] + bytes([data[-1] ^ 1]))

    monkeypatch.setattr(ObjectStore, "send", flipped)
    with pytest.raises(DiskUnavailable, match="is not what was sent"):
        machine().generate(url)
    assert blendgen.status(url).parts_per_state == {"begun": 1}


def test_a_missing_package_is_named(monkeypatch):
    def missing(scheme):
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr("fsspec.get_filesystem_class", missing)
    for url, package in (("s3://b/c", r"'blendgen\[cloud\]'"), ("gs://b/c", "gcsfs"), ("az://b/c", "adlfs")):
        with pytest.raises(SetupError, match=f"pip install {package}"):
            ObjectStore(parse_url(url))


def test_an_unknown_kind_of_url_is_refused():
    with pytest.raises(UsageError, match="knows no nowhere: URLs"):
        ObjectStore(parse_url("nowhere://bucket/a"))


def test_what_a_library_has_tried_for_long_is_not_tried_again(url, monkeypatch):
    calls, clock = failing(monkeypatch, "pipe_file", [TimeoutError()] * 9), iter((0.0, 61.0))
    monkeypatch.setattr(objects, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    with pytest.raises(DiskUnavailable):
        ObjectStore(parse_url(url)).write("a", b"1")
    assert len(calls) == 1


def test_waiting_takes_less_than_a_minute():
    assert sum(objects.WAITS_S) <= 60
