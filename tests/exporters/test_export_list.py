"""The list of the files of an export."""

import json

import pytest

from blendgen.exporters.export_list import LIST, ExportList
from blendgen.files.folder import Folder


def listed(folder):
    return [json.loads(line) for line in (folder / LIST).read_text().splitlines()]


def opened(folder):
    files = ExportList(Folder(folder))
    files.read()
    files.open()
    return files


def finished(folder, *names, size=3):
    files = opened(folder)
    for name in names:
        files.note(name, size)
    files.close()
    files.finish()
    return files


def test_a_list_has_each_file_of_the_last_run_once_in_the_order_of_writing(tmp_path):
    finished(tmp_path, "b", "a/c", "gone")
    assert [one["name"] for one in listed(tmp_path)] == ["b", "a/c", "gone"]
    killed = opened(tmp_path)  # it notes a file before it is there
    killed.keep("b")
    killed.note("a/c", 3)
    killed.close()
    again = opened(tmp_path)
    again.keep("b")
    again.note("a/c", 3)
    again.note("a/c", 5)
    again.close()
    assert [*again.left_over()] == ["gone"]
    again.finish()
    assert listed(tmp_path) == [{"name": "b", "size": 3}, {"name": "a/c", "size": 5}]


def test_files_at_the_top_are_left_over_first(tmp_path):
    finished(tmp_path, "a/b", "c", "d/e", "f")
    files = opened(tmp_path)
    files.close()
    assert [*files.left_over()] == ["c", "f", "a/b", "d/e"]


@pytest.mark.parametrize("size", [10**30, -2, "3", None, 1.5, [3]])
def test_a_size_that_no_file_has_is_not_listed(tmp_path, size):
    (tmp_path / LIST).write_text(json.dumps({"name": "a", "size": size}) + '\n{"name": "b", "size": 1}\n')
    files = opened(tmp_path)
    files.close()
    assert files.listed.get("a") is None and files.listed.get("b") == 1
    assert listed(tmp_path) == [{"name": "b", "size": 1}]


def test_a_forgotten_list_is_empty(tmp_path):
    finished(tmp_path, "a")
    files = ExportList(Folder(tmp_path))
    files.read()
    files.forget()
    files.open()
    files.close()
    assert files.listed.get("a") is None and listed(tmp_path) == []
