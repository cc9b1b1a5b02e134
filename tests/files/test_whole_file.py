"""A file of the cache is complete or absent, whatever happens while it is written."""

from __future__ import annotations

import pytest

from blendgen.files.whole_file import whole_file


def test_a_file_appears_when_it_is_complete(tmp_path):
    path = tmp_path / "cache" / "a.json"
    with whole_file(path) as temporary:
        temporary.write_text("new")
        assert not path.exists() and temporary.parent == path.parent
    assert path.read_text() == "new" and list(path.parent.iterdir()) == [path]


def test_two_writers_of_one_file_do_not_disturb_each_other(tmp_path):
    """Threads share a process number, and so may processes on two machines."""
    path = tmp_path / "a.json"
    with whole_file(path) as slower:
        slower.write_text("slower")
        with whole_file(path) as faster:
            faster.write_text("faster")
        assert path.read_text() == "faster"
    assert path.read_text() == "slower" and list(tmp_path.iterdir()) == [path]


def test_an_error_leaves_the_old_file_and_no_temporary_one(tmp_path):
    path = tmp_path / "a.json"
    path.write_text("old")

    def fail():
        with whole_file(path) as temporary:
            temporary.write_text("half")
            raise RuntimeError("the library stopped")

    with pytest.raises(RuntimeError, match="the library stopped"):
        fail()
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


def test_a_folder_that_cannot_be_created_is_an_os_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"), whole_file(tmp_path / "file" / "a.json"):
        pass
