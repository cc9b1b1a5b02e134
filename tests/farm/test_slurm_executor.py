"""Job arrays of the Slurm executor; the cluster itself is in test_slurm_run.py."""

import subprocess
import sys
import time

import pytest

from blendgen.errors import ExitCode, SetupError, UsageError
from blendgen.farm.executors import slurm
from blendgen.farm.executors.base import Ended, Resources, Work
from blendgen.farm.shards import Shard
from blendgen.system.progress import Counter

SHARDS = [Shard(index, 25) for index in range(25)]


class Slurm:
    """Answers the commands of Slurm; tasks: (job, number) -> (state, exit code)."""

    def __init__(self, array_size=11):
        self.array_size, self.tasks, self.names, self.commands, self.scripts = array_size, {}, {}, [], []
        self.is_down = False

    def run(self, command, text=None):
        self.commands.append(command)
        if self.is_down:
            return subprocess.CompletedProcess(command, 1, "", "Unable to contact slurm controller")
        answer = getattr(self, command[0])(command, text)
        return subprocess.CompletedProcess(command, 0, answer, "")

    def scontrol(self, command, text):
        return f"MaxArraySize            = {self.array_size}\n"

    def sbatch(self, command, text):
        job = str(len(self.names) + 1)
        self.names[job] = _option(command, "--job-name")
        self.scripts.append(text)
        for part in _option(command, "--array").split(","):
            low, _, high = part.partition("-")
            for number in range(int(low), int(high or low) + 1):
                self.tasks[job, str(number)] = ("PENDING", 0)
        return f"{job};cluster\n"

    def squeue(self, command, text):
        rows = [
            f"{job} {number} {self.names[job]} {state} {code}\n"
            for (job, number), (state, code) in self.tasks.items()
        ]
        return "".join([*rows, "77 N/A else RUNNING 0\n"])

    def scancel(self, command, text):
        return ""


def _option(command, name):
    return next(word.partition("=")[2] for word in command if word.startswith(f"{name}="))


@pytest.fixture
def cluster(monkeypatch):
    cluster = Slurm()
    monkeypatch.setattr(slurm, "_run", cluster.run)
    monkeypatch.setattr(slurm, "POLL_S", 0.0)
    return cluster


@pytest.fixture
def work(tmp_path):
    return Work(tmp_path / "a%b $c" / ".partial" / "spec.yaml", tmp_path / "a%b $c", ("--device", "cpu"))


def executor(work, **resources):
    return slurm.SlurmExecutor(work, Resources(**resources))


def test_arrays_are_no_longer_than_slurm_allows_and_name_their_shards(cluster, work):
    executor(work).submit([SHARDS[0], SHARDS[1], SHARDS[4], SHARDS[10], SHARDS[24]])
    arrays = [command for command in cluster.commands if command[0] == "sbatch"]
    assert [_option(command, "--array") for command in arrays] == ["0-1,4", "0", "4"]
    assert [name.split("-")[-2:] for name in cluster.names.values()] == [
        ["0", "25"],
        ["10", "25"],
        ["20", "25"],
    ]
    assert '--shard "$((20 + SLURM_ARRAY_TASK_ID))/25"' in cluster.scripts[2]
    assert f"exec {sys.executable} -m blendgen generate '" in cluster.scripts[0]


def test_tasks_get_what_was_asked_for(cluster, work):
    executor(work, cpus=3, gpus=2, memory_mib=4000).submit(SHARDS[:1])
    words = cluster.commands[-1]
    assert {"--cpus-per-task=3", "--gres=gpu:2", "--mem=4000M", "--requeue"} < set(words)
    assert _option(words, "--output").endswith("/a%%b $c/.partial/%A-%a")


def test_the_tasks_of_a_process_that_died_are_watched_again(cluster, work):
    executor(work).submit(SHARDS)
    cluster.tasks["1", "3"] = ("COMPLETED", 0)
    cluster.tasks["1", "4"] = ("RUNNING", 0)
    begun = len(cluster.names)
    again = executor(work)
    again.submit(SHARDS[3:])
    assert len(cluster.names) == begun + 1 and cluster.tasks["4", "3"] == ("PENDING", 0)
    cluster.tasks["1", "4"] = ("COMPLETED", 0)
    assert again.ended(0) == [Ended(SHARDS[4], 0)]


def test_slurm_is_asked_once_for_the_tasks_that_run_and_each_is_watched_once(cluster, work):
    executor(work).submit(SHARDS[:9])
    del cluster.commands[:]
    again = executor(work)
    again.submit(SHARDS[:9])
    assert [command[0] for command in cluster.commands] == ["scontrol", "squeue"]
    for task in cluster.tasks:
        cluster.tasks[task] = ("COMPLETED", 0)
    assert again.ended(0) == [Ended(shard, 0) for shard in SHARDS[:9]]


def test_another_folder_has_other_jobs(cluster, work, tmp_path):
    executor(work).submit(SHARDS[:2])
    executor(Work(work.spec, tmp_path / "other")).submit(SHARDS[:2])
    assert len(set(cluster.names.values())) == 2


@pytest.mark.parametrize(
    ("state", "code", "expected"),
    [
        ("COMPLETED", 0, ExitCode.OK), ("FAILED", 7 << 8, ExitCode.INCOMPLETE),
        ("FAILED", "3:0", ExitCode.SPEC),
        ("FAILED", 9, -9), ("FAILED", "?", ExitCode.RETRY), ("OUT_OF_MEMORY", 0, ExitCode.OUT_OF_MEMORY),
        ("TIMEOUT", 0, ExitCode.RETRY), ("NODE_FAIL", 1, ExitCode.RETRY), ("CANCELLED", 0, ExitCode.RETRY),
        (None, 0, ExitCode.RETRY),
    ],
)  # fmt: skip
def test_an_end_has_the_exit_code_of_the_command_unless_slurm_ended_it(cluster, work, state, code, expected):
    work.spec.parent.mkdir(parents=True)
    (work.spec.parent / "1-0").write_text("slurmd: x\nblendgen: what is wrong\n")
    tasks = executor(work)
    tasks.submit(SHARDS[:2])
    assert tasks.ended(0) == []
    cluster.tasks.pop(("1", "0"))
    if state is not None:
        cluster.tasks["1", "0"] = (state, code)
    (ended,) = tasks.ended(0)
    assert (ended.shard, ended.code) == (SHARDS[0], expected)
    assert ended.message == ("" if expected == 0 else "what is wrong (job 1_0)")
    assert tasks.ended(0) == []


def test_a_controller_that_does_not_answer_is_waited_for(cluster, work, caplog):
    tasks = executor(work)
    tasks.submit(SHARDS[:1])
    cluster.is_down = True
    assert tasks.ended(0) == tasks.ended(0) == []
    assert caplog.text.count("Slurm does not answer") == 1
    with pytest.raises(SetupError, match="Unable to contact"):
        tasks.submit(SHARDS[1:2])


def cancelled(cluster):
    return [command[1:] for command in cluster.commands if command[0] == "scancel"]


def test_tasks_end_with_what_they_have_begun_or_at_once(cluster, work):
    tasks = executor(work)
    tasks.cancel(at_once=True)
    tasks.submit(SHARDS[:2])
    cluster.tasks["1", "1"] = ("RUNNING", 0)
    tasks.cancel(at_once=False)
    tasks.cancel(at_once=True)
    assert cancelled(cluster) == [["--batch", "--signal=USR1", "1_1"], ["1_0"], ["1_0", "1_1"]]


def test_tasks_end_that_are_between_two_states_or_are_started_again(cluster, work):
    tasks = executor(work)
    tasks.submit(SHARDS[:5])
    for number, state in enumerate(("CONFIGURING", "SUSPENDED", "REQUEUED", "RUNNING", "COMPLETING")):
        cluster.tasks["1", str(number)] = (state, 0)
    tasks.cancel(at_once=False)
    assert cancelled(cluster) == [["--batch", "--signal=USR1", "1_3"], ["1_0", "1_1", "1_2"]]
    for number in range(3):
        del cluster.tasks["1", str(number)]
    assert len(tasks.ended(0)) == 3 and len(cancelled(cluster)) == 2
    cluster.tasks["1", "3"] = ("REQUEUED", 0)  # its node is lost
    tasks.ended(0)
    cluster.tasks["1", "3"] = ("RUNNING", 0)
    tasks.ended(0)
    assert cancelled(cluster)[2:] == [["1_3"], ["--batch", "--signal=USR1", "1_3"]]


def test_waiting_takes_no_longer_than_was_asked_for_and_slurm_is_asked_now_and_then(
    cluster, work, monkeypatch
):
    monkeypatch.setattr(slurm, "POLL_S", 1000.0)
    tasks = executor(work)
    tasks.submit(SHARDS[:1])
    cluster.tasks["1", "0"] = ("COMPLETED", 0)
    commands, began_s = len(cluster.commands), time.monotonic()
    assert tasks.ended(0.01) == [] and len(cluster.commands) == commands
    assert time.monotonic() - began_s < 60
    monkeypatch.setattr(slurm, "POLL_S", 0.0)
    assert tasks.ended(0.01) == [Ended(SHARDS[0], 0)]


def test_what_slurm_cannot_do_is_an_error(monkeypatch, work, tmp_path):
    progress = Counter(print)
    with (
        pytest.raises(UsageError, match="whole number"),
        slurm.opened_executor(work, Resources(gpus=0.5), progress),
    ):
        pass
    other = Work(work.spec, tmp_path / "a\\b")
    with (
        pytest.raises(UsageError, match="cannot write logs"),
        slurm.opened_executor(other, Resources(), progress),
    ):
        pass
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SetupError, match="login node"), slurm.opened_executor(work, Resources(), progress):
        pass
