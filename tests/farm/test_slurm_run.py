"""`generate --executor slurm` on a real cluster of two nodes."""

import subprocess

import pytest

from blendgen.errors import ExitCode
from blendgen.farm.executors.base import Resources, Work
from blendgen.farm.executors.slurm import opened_executor
from blendgen.farm.shards import Shard
from blendgen.system.progress import Counter
from tests.farm.made import content
from tests.farm.test_ray import arguments, rows
from tests.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def test_the_exit_code_of_a_task_is_that_of_the_command(cluster, tmp_path, monkeypatch):
    work = Work(tmp_path / ".partial" / "no.yaml", tmp_path)
    (tmp_path / ".partial").mkdir()
    for name in ("SLURM_CONF", "PATH"):
        monkeypatch.setenv(name, cluster[name])
    with opened_executor(work, Resources(), Counter(print)) as tasks:
        tasks.submit([Shard(0, 1)])
        ended = []
        wait_until(lambda: ended.extend(tasks.ended(0)) or ended)
    assert ended[0].code == ExitCode.USAGE and "no.yaml" in ended[0].message


def test_a_killed_driver_changes_nothing_and_its_tasks_are_not_submitted_again(cluster, tmp_path):
    local, out, others = tmp_path / "local", tmp_path / "out", jobs(cluster)
    undisturbed = subprocess.Popen(arguments(tmp_path, local, "--shard", "none", "--progress", "none"))
    words = arguments(
        tmp_path, out, "--executor", "slurm", "--memory-per-task", "1G", "--progress-every", "1"
    )
    driver = subprocess.Popen([*words, "--shards", "3"], env=cluster)
    wait_until(lambda: sum(rows(out)) > 0)
    driver.kill()
    driver.wait()
    done = subprocess.run(words, env=cluster, stderr=subprocess.PIPE, text=True, timeout=250)
    assert done.returncode == 0, done.stderr
    assert undisturbed.wait(240) == 0 and content(out) == content(local)
    assert not (out / "shards").exists() and not (out / ".partial").exists()
    assert len(jobs(cluster) - others) == 1


def jobs(cluster) -> set[str]:
    """Numbers of the jobs that the cluster knows, ended ones included."""
    listed = ["squeue", "--noheader", "--states=all", "--format=%F"]
    return set(subprocess.run(listed, env=cluster, capture_output=True, text=True, check=True).stdout.split())
