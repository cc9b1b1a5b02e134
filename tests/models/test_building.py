"""Folders of killed runs are removed by the next run; those of running ones are not."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from blendgen.errors import SetupError
from blendgen.models.companions import Companions
from blendgen.models.load import measured_catalog
from blendgen.models.measuring.building import PREFIX, BuildFolders, _host, sweep
from blendgen.models.measuring.cache import AssetCache, cache_folder
from blendgen.models.measuring.entry import write_refusal
from blendgen.models.measuring.reads import Disk

pytest.importorskip("fcntl")

LONG_AGO = (1, 1)
HOLDING = """
import sys
from pathlib import Path
from blendgen.models.measuring.building import BuildFolders
folder = BuildFolders(Path(sys.argv[1])).begin("k")
print(folder.parent, flush=True)
sys.stdin.read()
"""


def test_a_folder_lasts_as_long_as_anything_in_it_is_built(tmp_path):
    workshop = BuildFolders(tmp_path)
    first, second = workshop.begin("a"), workshop.begin("b")
    assert first.parent == second.parent and first.parent.name.startswith(f"{PREFIX}{_host()}-{os.getpid()}-")
    workshop.end(first)
    assert second.is_dir()
    workshop.end(second)
    assert list(tmp_path.iterdir()) == []
    assert workshop.begin("c").is_dir()


def test_the_folder_of_a_run_that_was_killed_is_removed_and_that_of_a_running_one_is_not(tmp_path):
    command = [sys.executable, "-c", HOLDING, str(tmp_path)]
    runs = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(2)]
    folders = [Path(os.fsdecode(run.stdout.readline().strip())) for run in runs]
    runs[0].kill()
    runs[0].wait()
    sweep(tmp_path)
    assert [folder.exists() for folder in folders] == [False, True]
    for run in runs:
        run.kill()
        run.communicate()


def test_folders_of_other_hosts_and_older_versions_are_removed_by_their_age(tmp_path, monkeypatch):
    old, new = tmp_path / f"{PREFIX}0123-x", tmp_path / f"{PREFIX}other-1-y"
    for folder in (old, new):
        folder.mkdir()
    (new / "owner").touch()
    os.utime(old, LONG_AGO)
    monkeypatch.setattr("time.time", lambda: 1e10)  # the clock of this host is years ahead of the disk's
    sweep(tmp_path)
    assert not old.exists() and new.exists()


def test_the_folder_of_a_living_run_stays_where_there_are_no_locks(tmp_path, monkeypatch):
    def no_locks(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", no_locks)
    folder = BuildFolders(tmp_path).begin("k").parent
    os.utime(folder, (time.time() - 3600,) * 2)
    sweep(tmp_path)
    assert folder.exists()
    os.utime(folder, LONG_AGO)
    sweep(tmp_path)
    assert not folder.exists()


def test_a_cache_that_cannot_be_written_is_left_as_it_is(tmp_path, monkeypatch):
    def read_only(*_):
        raise OSError(errno.EROFS, "Read-only file system")

    (tmp_path / f"{PREFIX}{_host()}-1-x").mkdir()
    monkeypatch.setattr("blendgen.models.measuring.building.file_system_time_s", read_only)
    sweep(tmp_path)


def test_what_a_killed_run_was_building_is_removed_although_nothing_has_to_be_measured(tmp_path):
    abandoned = tmp_path / "assets" / f"{PREFIX}{_host()}-1-x"
    abandoned.mkdir(parents=True)
    (abandoned / "owner").touch()
    measured_catalog([], SimpleNamespace(digest="d"), AssetCache(tmp_path))
    assert not abandoned.exists()


def test_without_a_home_the_variable_that_helps_is_named(monkeypatch):
    for name in ("BLENDGEN_CACHE_DIR", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)

    def no_home():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", no_home)
    with pytest.raises(SetupError, match=r"needs a home folder .*set BLENDGEN_CACHE_DIR"):
        cache_folder()


@pytest.mark.parametrize("name", ["product.json", "reads.json"])
@pytest.mark.parametrize("content", ["", "[", "[" * 100_000, '{"sha256": 1}', "null", "[1]"])
def test_a_corrupt_entry_is_none(tmp_path, name, content):
    cache = AssetCache(tmp_path)
    building = cache.begin("k")
    write_refusal(building, "too big")
    folder = cache.publish(building, "k", {})
    assert cache.find("k", Companions(tmp_path / "m.obj"), Disk()) is not None
    (folder / name).write_text(content)
    assert cache.find("k", Companions(tmp_path / "m.obj"), Disk()) is None
