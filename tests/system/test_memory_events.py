"""Evidence that memory ran out: the counters of control groups and of the machine, made up as files."""

import pytest

from blendgen.errors import ExitCode
from blendgen.system import memory_events as module
from blendgen.system.memory_events import MemoryEvents, memory_bound, out_of_memory, peak_bytes
from tests.workers.test_share import write_files

GIB = 2**30
GROUP, GROUP_1 = "sys/fs/cgroup/job", "sys/fs/cgroup/memory/job"
VERSION_2 = {
    "proc/self/cgroup": "0::/job/step\n",
    f"{GROUP}/memory.max": f"{3 * GIB}\n",
    f"{GROUP}/memory.current": f"{GIB}\n",
    f"{GROUP}/memory.peak": f"{3 * GIB}\n",
    f"{GROUP}/step/memory.events": "low 0\noom 7\noom_kill 2\n",
    "proc/vmstat": "nr_free_pages 5\noom_kill 100\n",
    "proc/meminfo": "MemTotal: 16777216 kB\n",
}
VERSION_1 = {
    "proc/self/cgroup": "4:memory:/job\n",
    f"{GROUP_1}/memory.limit_in_bytes": f"{3 * GIB}\n",
    f"{GROUP_1}/memory.usage_in_bytes": f"{GIB}\n",
    f"{GROUP_1}/memory.max_usage_in_bytes": f"{3 * GIB}\n",
    f"{GROUP_1}/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n",
}
MACHINE = {"proc/vmstat": "oom_kill 2\n", "proc/meminfo": "MemTotal: 16777216 kB\n"}


@pytest.mark.parametrize(
    ("files", "counter"),
    [
        (VERSION_2, f"{GROUP}/step/memory.events"),
        (VERSION_1, f"{GROUP_1}/memory.oom_control"),
        (MACHINE, "proc/vmstat"),
    ],
)
def test_each_killed_process_is_counted_once(tmp_path, files, counter):
    root = write_files(tmp_path, files)
    events = MemoryEvents(root)
    assert not events.killed_another()
    write_files(root, {counter: "oom_kill 4\n"})
    assert [events.killed_another() for _ in range(3)] == [True, True, False]


def test_without_a_counter_nothing_is_said(tmp_path):
    assert not MemoryEvents(tmp_path).killed_another()
    assert memory_bound(tmp_path, {}) is None


@pytest.mark.parametrize("files", [VERSION_2, VERSION_1])
def test_the_error_states_the_peak_the_limit_and_what_to_ask_for(tmp_path, monkeypatch, files):
    root = write_files(tmp_path, files)
    monkeypatch.delenv("SLURM_MEM_PER_NODE", raising=False)
    error = out_of_memory("a single worker", "", root)
    assert str(error) == (
        "out of memory: a single worker needed more than 3.0 GiB; the limit is 3.0 GiB (control group). "
        "Finished images are kept. Ask for 4.5 GiB or more, and run the same command to continue"
    )
    assert error.exit_code == ExitCode.OUT_OF_MEMORY == 8


def test_the_limit_is_the_least_of_those_stated_and_the_peak_that_of_a_process(tmp_path, monkeypatch):
    root = write_files(tmp_path, MACHINE)
    assert memory_bound(root, {}) == (16 * GIB, "of this machine")
    assert memory_bound(root, {"SLURM_MEM_PER_NODE": "2048"}) == (2 * GIB, "SLURM_MEM_PER_NODE")
    assert peak_bytes(root) > 10 * 2**20
    monkeypatch.setattr(module, "_largest_process", lambda: None)
    assert peak_bytes(root) is None
    assert "needed more memory than there is; the limit is 16.0 GiB" in str(out_of_memory("shot 3", "", root))
