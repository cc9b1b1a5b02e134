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
from tests.attack.kills import temporary_left
from tests.attack.watch import marked_processes
from tests.conftest import REPOSITORY
from tests.engine.model_files import obj
from tests.waiting import wait_until
from tests.workers.test_early_worker import has_ended

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux kills orphans")
PARENT = """\
import sys
import threading
import time
from pathlib import Path

from blendgen.models.product import Catalog
from blendgen.workers import gpu_probe as probe
from blendgen.workers.job import Job
from blendgen.workers.pool import run_tasks
from blendgen.workers.early_worker import start_early_worker
from blendgen.workers.kept_workers import kept_workers
from blendgen.workers.spawn import Steps
from blendgen.workers.stop_signal import StopSignal
from blendgen.pipeline import Task
from tests.conftest import make_product, make_class_table, make_spec
from tests.workers import failing

def made(folder, produce, workers=None):
    catalog = Catalog((make_product("box", "box", (0.1, 0.06, 0.03)),))
    job = Job(make_spec(), catalog, make_class_table(catalog), folder, folder / "log")
    tasks = [Task(i, (i,)) for i in range(6)]
    return list(run_tasks(job, tasks, StopSignal(), 2, failing.initialize, Steps(produce), workers))

def rendering(folder):
    made(folder, failing.hangs)

def keeping(folder):
    with kept_workers(2, print) as workers:
        assert set(made(folder, failing.returns_process_id, workers)) <= set(workers._all)
        (folder / "started-0").touch()
        time.sleep(3600)

def starting_early(folder):
    with start_early_worker():
        while True:
            (folder / "started-0").touch()

def probing(folder):
    probe._send_gpus = failing.hangs_while_probing
    (folder / "started-0").touch()
    probe.probe_gpus()

def measuring(folder):
    from blendgen.engine.blender.importing.measurer import BlenderMeasurer
    from blendgen.models.source import Source
    (folder / "started-0").touch()
    source = Source("box", "", "mesh", {"path": str(folder / "box.obj")}, "box")
    list(BlenderMeasurer().measure([(source, folder)] * 2000))  # more than any test waits for

def in_a_thread(folder):
    rendering_in = threading.Thread(target=rendering, args=[folder])
    rendering_in.start()
    rendering_in.join()

globals()[sys.argv[1]](Path(sys.argv[2]))
"""


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.mark.slow
@pytest.mark.parametrize(
    "what, processes",
    [
        ("rendering", 2),
        ("keeping", 2),
        ("starting_early", 1),
        ("probing", 1),
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
        wait_until(lambda: (out / "started-0").exists() and len(children(parent.pid)) == processes + 1)
        time.sleep(0.5)
        started = children(parent.pid)
        parent.send_signal(signal.SIGKILL)
    wait_until(lambda: all(map(has_ended, started)))
    assert list(scratch.iterdir())
    remove_abandoned(scratch)
    assert not temporary_left(scratch)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("what", "after_s", "stopped"),
    [("measuring", 1.0, True), ("measuring", 3.0, False), ("in_a_thread", 1.5, True)],
)
def test_a_command_that_is_killed_at_any_moment_also_while_stopped_leaves_no_process(
    tmp_path, what, after_s, stopped
):
    (tmp_path / "box.obj").write_text(obj([(x, y, z) for x in (0, 1) for y in (0, 2) for z in (0, 3)]))
    environment = {**os.environ, "TMPDIR": str(tmp_path), "BLENDGEN_ATTACK_RUN": str(tmp_path)}
    command = [sys.executable, "-c", PARENT, what, str(tmp_path)]
    with subprocess.Popen(command, cwd=REPOSITORY, env=environment) as parent:
        wait_until((tmp_path / "started-0").exists)
        time.sleep(after_s)
        assert parent.poll() is None
        if stopped:
            parent.send_signal(signal.SIGSTOP)
            time.sleep(0.2)
        parent.send_signal(signal.SIGKILL)
    wait_until(lambda: not marked_processes(str(tmp_path)))


def test_a_process_that_the_main_thread_did_not_start_ends_with_the_pipe_of_its_parent():
    """Linux would end it with the thread."""
    code = (
        "import time; from blendgen.system.end_with_parent import end_with_pipe\n"
        "end_with_pipe(0); print('ready', flush=True); time.sleep(20)"
    )
    streams = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", code], cwd=REPOSITORY, **streams) as child:
        assert child.stdout.readline() == b"ready\n"
        time.sleep(0.3)
        assert child.poll() is None
        child.stdin.close()
        assert child.wait(240) == 1


def test_a_process_whose_parent_has_ended_already_exits_at_once():
    code = "from blendgen.system.end_with_parent import end_with_parent; end_with_parent(1 << 30); print(1)"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=REPOSITORY)
    assert (ended.returncode, ended.stdout) == (1, "")


def test_other_systems_do_nothing(monkeypatch):
    monkeypatch.setattr(parent_module.sys, "platform", "darwin")
    parent_module.end_with_parent(1 << 30)
