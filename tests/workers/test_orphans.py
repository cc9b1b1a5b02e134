"""No process outlives the command that started it, even if the command is killed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from blendgen.files.scratch import remove_abandoned
from blendgen.system import end_with_parent as parent_module
from tests.conftest import REPOSITORY
from tests.workers.test_early_worker import has_ended

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux kills orphans")
PARENT = """\
import sys
from pathlib import Path

from blendgen.models.product import Catalog
from blendgen.workers import gpu_probe as probe
from blendgen.workers.job import Job
from blendgen.workers.pool import run_tasks
from blendgen.workers.early_worker import start_early_worker
from blendgen.workers.spawn import Steps
from blendgen.workers.stop_signal import StopSignal
from blendgen.pipeline import Task
from tests.conftest import make_product, make_class_table, make_spec
from tests.workers import failing

def rendering(folder):
    catalog = Catalog((make_product("box", "box", (0.1, 0.06, 0.03)),))
    job = Job(make_spec(), catalog, make_class_table(catalog), folder, folder / "log")
    tasks = [Task(i, (i,)) for i in range(6)]
    list(run_tasks(job, tasks, StopSignal(), 2, failing.initialize, Steps(failing.hangs)))

def starting_early(folder):
    with start_early_worker():
        while True:
            (folder / "started-0").touch()

def probing(folder):
    probe._send_gpus = failing.hangs_while_probing
    (folder / "started-0").touch()
    probe.probe_gpus()

globals()[sys.argv[1]](Path(sys.argv[2]))
"""


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def wait_until(condition, timeout_s=30.0):
    deadline = time.monotonic() + timeout_s
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    return condition()


@pytest.mark.slow
@pytest.mark.parametrize(
    "what, processes",
    [
        ("rendering", 2),
        *(pytest.param(what, 1, marks=pytest.mark.slow) for what in ("starting_early", "probing")),
    ],
)
def test_a_killed_command_leaves_no_process_and_the_next_one_removes_its_folder(tmp_path, what, processes):
    out, scratch = tmp_path / "out", tmp_path / "tmp"
    out.mkdir()
    scratch.mkdir()
    environment = {**os.environ, "TMPDIR": str(scratch)}
    command = [sys.executable, "-c", PARENT, what, str(out)]
    with subprocess.Popen(command, cwd=REPOSITORY, env=environment) as parent:
        # one more is the resource tracker of Python
        assert wait_until(lambda: (out / "started-0").exists() and len(children(parent.pid)) == processes + 1)
        time.sleep(0.5)
        started = children(parent.pid)
        parent.send_signal(signal.SIGKILL)
    assert wait_until(lambda: all(map(has_ended, started)), 5.0)
    assert list(scratch.iterdir())
    remove_abandoned(scratch)
    assert not list(scratch.iterdir())


def test_a_process_whose_parent_has_ended_already_exits_at_once():
    code = "from blendgen.system.end_with_parent import end_with_parent; end_with_parent(1 << 30); print(1)"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=REPOSITORY)
    assert (ended.returncode, ended.stdout) == (1, "")


def test_other_systems_do_nothing(monkeypatch):
    monkeypatch.setattr(parent_module.sys, "platform", "darwin")
    parent_module.end_with_parent(1 << 30)
