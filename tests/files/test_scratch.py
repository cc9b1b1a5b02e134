"""Scratch folders of one run must lie in one folder, go with it, and be swept after a run that was killed."""

import os
import stat
import subprocess
import sys
import time

import pytest

from blendgen.errors import SetupError
from blendgen.files import scratch
from blendgen.files.scratch import PREFIX, scratch_folder, sweep

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
    monkeypatch.setattr(scratch, "_swept", set())
    return tmp_path


@pytest.fixture
def left_behind(place):
    """The folder of a run that was killed."""
    subprocess.run([sys.executable, "-c", KILLED], env={**os.environ, "TMPDIR": str(place)})
    (left,) = place.iterdir()
    return left


def private(folder):
    folder.mkdir(mode=0o700)
    return folder


def test_scratch_folders_of_one_run_lie_in_one_private_folder_that_goes_with_the_last(place):
    with scratch_folder("one") as one, scratch_folder("two") as two:
        (run,) = place.iterdir()
        assert one.parent == two.parent == run and run.name.startswith(PREFIX)
        assert stat.S_IMODE(run.stat().st_mode) == 0o700
    assert not list(place.iterdir())


def test_what_a_killed_run_left_goes_with_the_next(place, left_behind):
    with scratch_folder("job"):
        assert not left_behind.exists()
    assert not list(place.iterdir())


def test_a_run_that_lives_is_left_alone(place):
    with scratch_folder("job") as folder:
        sweep(place)
        assert folder.is_dir()


def test_a_child_does_not_keep_the_lock(place):
    code = KILLED.replace(
        "    os.kill", "    import subprocess; subprocess.Popen(['sleep', '20'])\n    os.kill"
    )
    subprocess.run([sys.executable, "-c", code], env={**os.environ, "TMPDIR": str(place)})
    sweep(place)
    assert not list(place.iterdir())


def test_what_is_not_ours_is_left_alone(place, left_behind):
    foreign = private(place / f"{PREFIX}foreign")
    (foreign / "owner").write_text("of another program")
    bare = private(place / f"{PREFIX}bare")
    (bare / "results").touch()
    os.utime(bare, (0, 0))
    open_to_all = place / f"{PREFIX}open"
    left_behind.rename(open_to_all).chmod(0o755)
    (place / f"{PREFIX}link").symlink_to(private(place / "elsewhere"))
    before = sorted(place.rglob("*"))
    sweep(place)
    assert sorted(place.rglob("*")) == before


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives files away")
def test_what_another_user_left_is_left_alone(place, left_behind):
    os.chown(left_behind, 12345, 12345)
    sweep(place)
    assert left_behind.is_dir()


def test_a_folder_without_an_owner_goes_once_it_is_old(place):
    folder = private(place / f"{PREFIX}begun")
    (folder / "owner.new").touch()
    sweep(place)
    assert folder.is_dir()
    os.utime(folder, (time.time() - 7200,) * 2)
    sweep(place)
    assert not folder.exists()


def test_a_place_that_is_gone_is_told_with_the_cure(place, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(place / "gone"))
    with pytest.raises(SetupError, match=r"temporary files cannot be written: No such file.*set TMPDIR"):
        scratch_folder("job").__enter__()
    monkeypatch.setattr("tempfile.tempdir", str(place))
    with scratch_folder("job") as folder:
        assert folder.is_dir()
