"""Other systems, as far as Linux can pretend to be one: what they lack is hidden."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from blendgen.cli.doctor import _lines
from blendgen.errors import SetupError
from blendgen.system import platforms
from tests.conftest import REPOSITORY
from tests.test_architecture import WITH_TORCH

# names of CPython on Windows: docs.python.org, "Availability"
_AS_WINDOWS = """\
import importlib, importlib.util, os, signal, sys, time
for name in '''click filelock importlib.metadata multiprocessing.connection multiprocessing.spawn
    concurrent.futures numpy PIL.Image pydantic scipy.optimize scipy.special scipy.spatial shutil
    subprocess tempfile yaml platform contourpy ctypes socket tqdm mujoco logging.handlers
    email.message urllib.request pycocotools.mask simpleeval OpenEXR'''.split():
    importlib.import_module(name)
if importlib.util.find_spec('torch'):
    importlib.import_module('torch')
for name in ('resource', 'fcntl', 'pwd', 'grp', 'termios', 'posix'):
    sys.modules[name] = None
signals = '''SIGUSR1 SIGUSR2 SIGXCPU SIGXFSZ SIGHUP SIGKILL SIGALRM SIGCHLD SIGPIPE SIGQUIT
    SIGTSTP SIGCONT SIGSTOP pthread_sigmask setitimer ITIMER_REAL SIG_BLOCK SIG_SETMASK SIG_UNBLOCK
    sigwait pthread_kill'''
calls = '''fork forkpty killpg getpgid setsid geteuid getuid sysconf statvfs sched_getaffinity
    sched_setaffinity mkfifo getloadavg O_NOFOLLOW O_CLOEXEC O_NONBLOCK O_DIRECTORY O_PATH
    posix_fallocate posix_fadvise nice chown fdatasync register_at_fork confstr WIFSIGNALED'''
for module, names in ((signal, signals), (os, calls), (time, 'clock_gettime CLOCK_BOOTTIME')):
    for name in names.split():
        vars(module).pop(name, None)
os.supports_dir_fd.clear()
sys.platform = 'win32'
"""
_ONLY_IN_CHILDREN = ("blendgen.engine.blender.", "blendgen.__main__", "blendgen.farm.executors.child")

_WITH_TORCH = {f"blendgen.{name.removesuffix('.py').replace('/', '.')}" for name in WITH_TORCH}


def _sources() -> list[Path]:
    return [path.relative_to(REPOSITORY) for path in sorted((REPOSITORY / "blendgen").rglob("*.py"))]


def as_windows(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", _AS_WINDOWS + code],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=240,
    )


@pytest.mark.slow
def test_all_modules_can_be_imported_on_windows():
    """Those that only Blender's own processes load are left out, and those of torch where it is missing."""
    names = [".".join(path.with_suffix("").parts) for path in _sources()]
    usual = [name.removesuffix(".__init__") for name in names if not name.startswith(_ONLY_IN_CHILDREN)]
    if find_spec("torch") is None:
        usual = [name for name in usual if name not in _WITH_TORCH]
    assert len(usual) > 200
    done = as_windows(f"for name in {usual}: importlib.import_module(name)")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.slow
@pytest.mark.parametrize("command", [["check"], ["generate", "-n", "1", "-o", "OUT"], ["preview"]])
def test_windows_is_refused_in_one_line(command, tmp_path):
    out = [str(tmp_path / "out") if word == "OUT" else word for word in command]
    arguments = [out[0], "scenes/conveyor_phones.yaml", *out[1:]]
    done = as_windows(f"from blendgen.cli import run\nsys.exit(run({arguments!r}))")
    assert done.returncode == 4
    assert "fork()" in done.stderr and "WSL2" in done.stderr and "Docker" in done.stderr
    assert "Traceback" not in done.stderr


def test_forks_are_required(monkeypatch):
    platforms.require_forks()
    monkeypatch.delattr("os.fork")
    with pytest.raises(SetupError, match="WSL2"):
        platforms.require_forks()


@pytest.mark.parametrize(
    ("system", "note"),
    [("win32", "WSL2"), ("darwin", "without a sandbox"), ("freebsd14", "not tested on this system")],
)
def test_doctor_says_what_a_system_lacks(system, note, monkeypatch):
    assert platforms.platform_notes() == ()
    monkeypatch.setattr(sys, "platform", system)
    lists = dict.fromkeys(("gpus", "missing_libraries", "not_compiled"), ())
    names = ("blendgen", "python", "system", "blender", "kernel", "cores", "cache", "smoke_render")
    lines = _lines({**dict.fromkeys(names, ""), **lists, "system_notes": platforms.platform_notes()})
    assert any(note in line for line in lines)
