"""Whether a process that wrote a file still runs."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from blendgen.system.process import ProcessIdentity, process_state, this_process

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells starts apart")


def identity_of(pid: int) -> ProcessIdentity:
    began = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
    return replace(this_process(), pid=pid, began=began)


def test_a_process_runs_is_suspended_and_ends():
    child = subprocess.Popen(["sleep", "60"])
    identity = identity_of(child.pid)
    assert process_state(identity) == "running"
    child.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, child.pid, os.WSTOPPED | os.WNOWAIT)
    assert process_state(identity) == "suspended"
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert process_state(identity) == "ended"  # although nobody has reaped it
    child.wait()
    assert process_state(identity) == "ended"


def test_another_process_with_the_same_id_is_not_taken_for_it():
    assert process_state(this_process()) == "running"
    assert process_state(replace(this_process(), began=this_process().began - 1)) == "ended"


@pytest.mark.parametrize("changes", [{"boot": "another"}, {"boot": ""}, {"namespace": "pid:[1]"}])
def test_nothing_is_known_of_another_machine_or_container(changes):
    assert process_state(replace(this_process(), **changes)) is None


def test_names_of_hosts_are_not_compared():
    assert process_state(replace(this_process(), host="renamed")) == "running"
