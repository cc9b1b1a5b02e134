"""Scratch folders of one run share a parent, which is removed at the end, or by the next run after a kill."""

import os
import stat
import subprocess
import sys
import time

import pytest

from blendgen.errors import SetupError
from blendgen.files import scratch
from blendgen.files.scratch import PREFIX, remove_abandoned, scratch_folder

pytestmark = pytest.mark.skipif(scratch.fcntl is None, reason="the system has no flock")
KILLED = """\
import os, signal
from blendgen.files.scratch import scratch_folder
with scratch_folder("job") as folder:
    (folder / "left").mkdir()
    (folder / "left" / "file").write_text("x")
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(scratch, "_cleaned", set())
    return tmp_path


@pytest.fixture
def abandoned(place):
    """The folder of a run that was killed."""
    subprocess.run([sys.executable, "-c", KILLED], env={**os.environ, "TMPDIR": str(place)})
    (folder,) = place.iterdir()
    return folder


def private(folder):
    folder.mkdir(mode=0o700)
    return folder


def test_scratch_folders_of_one_run_share_a_private_parent_that_is_removed_with_the_last(place):
    with scratch_folder("one") as one, scratch_folder("two") as two:
        (run,) = place.iterdir()
        assert one.parent == two.parent == run and run.name.startswith(PREFIX)
        assert stat.S_IMODE(run.stat().st_mode) == 0o700
    assert not list(place.iterdir())


def test_the_next_run_removes_the_folder_of_a_killed_one(place, abandoned):
    with scratch_folder("job"):
        assert not abandoned.exists()
    assert not list(place.iterdir())


def test_the_folder_of_a_running_run_stays(place):
    with scratch_folder("job") as folder:
        remove_abandoned(place)
        assert folder.is_dir()


def test_a_child_process_does_not_hold_the_lock(place):
    code = KILLED.replace(
        "    os.kill", "    import subprocess; subprocess.Popen(['sleep', '20'])\n    os.kill"
    )
    subprocess.run([sys.executable, "-c", code], env={**os.environ, "TMPDIR": str(place)})
    remove_abandoned(place)
    assert not list(place.iterdir())


def test_folders_of_others_stay(place, abandoned):
    foreign = private(place / f"{PREFIX}foreign")
    (foreign / "owner").write_text("of another program")
    bare = private(place / f"{PREFIX}bare")
    (bare / "results").touch()
    os.utime(bare, (0, 0))
    open_to_all = place / f"{PREFIX}open"
    abandoned.rename(open_to_all).chmod(0o755)
    (place / f"{PREFIX}link").symlink_to(private(place / "elsewhere"))
    before = sorted(place.rglob("*"))
    remove_abandoned(place)
    assert sorted(place.rglob("*")) == before


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may change owners")
def test_the_folder_of_another_user_stays(place, abandoned):
    os.chown(abandoned, 12345, 12345)
    remove_abandoned(place)
    assert abandoned.is_dir()


def test_a_folder_without_an_owner_is_removed_once_it_is_old(place):
    folder = private(place / f"{PREFIX}begun")
    (folder / "owner.new").touch()
    remove_abandoned(place)
    assert folder.is_dir()
    os.utime(folder, (time.time() - 7200,) * 2)
    remove_abandoned(place)
    assert not folder.exists()


def test_a_missing_folder_for_temporary_files_is_reported_with_the_fix(place, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(place / "gone"))
    with pytest.raises(SetupError, match=r"temporary files cannot be written: No such file.*set TMPDIR"):
        scratch_folder("job").__enter__()
    monkeypatch.setattr("tempfile.tempdir", str(place))
    with scratch_folder("job") as folder:
        assert folder.is_dir()
