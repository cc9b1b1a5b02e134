"""URLs of object stores on the command line: no command takes one for the name of a folder."""

from __future__ import annotations

from pathlib import Path

import pytest

import blendgen
from blendgen.cli import run
from blendgen.errors import ExitCode, UsageError
from blendgen.files.url import is_url, local_path, parse_url

URL = "s3://bucket/prefix"
LOCAL_ONLY = {
    "subset of": ["subset", URL, "-o", "out"],
    "subset to": ["subset", "data", "-o", URL],
    "mix of": ["mix", URL, "photos", "-o", "out"],
    "mix photos": ["mix", "data", URL, "-o", "out"],
    "mix to": ["mix", "data", "photos", "-o", URL],
    "executor": ["generate", "scene.yaml", "-o", URL, "--executor", "slurm"],
    "report": ["report", URL],
    "diff": ["diff", URL, "data"],
    "preview spec": ["preview", URL],
    "preview to": ["preview", "scene.yaml", "-o", f"{URL}/sheet.png"],
    "check": ["check", URL],
    "models": ["models", URL],
    "sample": ["sample", URL],
    "spec": ["generate", f"{URL}/scene.yaml", "-o", "out"],
    "export to": ["export", "data", "coco", URL],
    "farm spec": ["farm", "slurm", URL, "-o", "out", "--shards", "2"],
    "script": ["farm", "slurm", "scene.yaml", "-o", "out", "--shards", "2", "--script", URL],
    "logs": ["farm", "slurm", "scene.yaml", "-o", "out", "--shards", "2", "--logs", URL],
    "bundle": ["farm", "openjd", "scene.yaml", "-o", URL, "--shards", "2"],
}  # fmt: skip


@pytest.mark.parametrize("arguments", LOCAL_ONLY.values(), ids=LOCAL_ONLY)
def test_a_command_that_needs_a_folder_says_so_in_one_line(arguments, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run(arguments) == ExitCode.USAGE
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"blendgen: {URL}") and "is a URL" in line
    assert list(tmp_path.iterdir()) == []


def test_functions_take_no_url_for_a_folder_either(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for call in (
        lambda: blendgen.subset(URL, "out"),
        lambda: blendgen.diff("out", URL),
        lambda: blendgen.mix("out", "photos", URL),
        lambda: blendgen.export("out", "coco", Path(URL)),
    ):
        with pytest.raises(UsageError, match="is a URL"):
            call()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("place", ["out", "./s3:/out", "C:/out", r"C:\out", "/a/s3://b", "a:b"])
def test_other_places_are_folders(place):
    assert not is_url(place) and local_path(place) == Path(place)


@pytest.mark.parametrize(
    ("place", "text"),
    [
        ("s3://bucket/prefix/", "s3://bucket/prefix"),
        ("S3://Bucket", "s3://Bucket"),
        ("memory://a b/ü#1?x=%20/y", "memory://a b/ü#1?x=%20/y"),
        ("abfs://box@account.dfs.core.windows.net/a", "abfs://box@account.dfs.core.windows.net/a"),
    ],
)
def test_a_url_is_taken_as_it_is(place, text):
    assert str(parse_url(place)) == text


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("s3://", "expected a URL"),
        ("s3:/bucket", "expected a URL"),
        ("s3:///key", "empty part"),
        ("s3://bucket/../other", "empty part"),
        ("s3://bucket//key", "empty part"),
        ("s3://bucket/a\nb", "cannot be shown"),
        ("simplecache::s3://bucket", "expected a URL|chained"),
        ("memory://a::s3://bucket", "chained"),
        ("s3://bucket/a?versionId=1", "versions"),
        ("file:///home/out", "give the path itself"),
        ("https://example.com/out", "web server"),
        (Path("s3://bucket/out"), "not as a Path"),
    ],
)
def test_what_cannot_be_a_place_in_a_store_is_refused(place, message):
    with pytest.raises(UsageError, match=message):
        parse_url(place)


def test_a_password_in_a_url_is_refused_and_not_repeated(capsys):
    secret = "s3://name:hunter2@bucket/out"
    for call in (lambda: parse_url(secret), lambda: local_path(secret), lambda: local_path(Path(secret))):
        with pytest.raises(UsageError) as caught:
            call()
        assert "hunter2" not in str(caught.value)
