"""blendgen preview --json: what a script reads, once, or again after each change."""

import json
from pathlib import Path

import pytest

from blendgen.cli import preview
from blendgen.errors import CatalogError
from blendgen.workers.preview_watch import PreviewUpdate
from tests.cli.in_process import blendgen


def test_the_sheet_is_one_object(monkeypatch):
    monkeypatch.setattr(preview.api, "preview", lambda *_, **__: None)
    done = blendgen("preview", "s.yaml", "-o", "a.png", "--json")
    assert json.loads(done.stdout) == {"schema_version": 1, "sheet": "a.png"}
    assert blendgen("preview", "s.yaml", "-o", "a.png").stdout == "a.png\n"


@pytest.mark.parametrize("error", [None, CatalogError("mug.obj: cannot be read")])
def test_with_watch_each_change_is_an_object_in_a_line_also_one_that_fails(monkeypatch, error):
    updates = [PreviewUpdate(None, error, (Path("mug.obj"),), 1.23456)] * 2
    monkeypatch.setattr(preview.api, "watch_preview", lambda *_, **__: iter(updates))
    done = blendgen("preview", "s.yaml", "--watch", "--json")
    text = None if error is None else str(error)
    wanted = {"schema_version": 1, "sheet": "preview.png", "seconds": 1.235, "error": text}
    assert [json.loads(line) for line in done.stdout.splitlines()] == [wanted] * 2
