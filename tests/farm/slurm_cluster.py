"""A Slurm cluster of two nodes on this machine: its files, keys, logs and ports are its own."""

from __future__ import annotations

import getpass
import os
import secrets
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.waiting import wait_until

_CONF = """\
ClusterName=tests
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.sock
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
ReturnToService=2
MpiDefault=none
SchedulerParameters=sched_interval=1,sched_min_interval=100000
NodeName=n[0-1] NodeHostname={host} NodeAddr=127.0.0.1 Port=[{ports[1]}-{ports[2]}] CPUs=1 RealMemory=4000
PartitionName=tests Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""
_PID_FILES = ("slurmd-n0.pid", "slurmd-n1.pid", "slurmctld.pid", "munged.pid")


@contextmanager
def slurm_cluster(folder: Path) -> Iterator[dict[str, str]]:
    """The environment in which the commands of Slurm reach the cluster, as long as the block lasts.

    folder: an empty one, with a short path, as it holds a socket
    """
    host, ports = socket.gethostname().partition(".")[0], _free_ports()
    user = getpass.getuser()
    (folder / "slurm.conf").write_text(_CONF.format(host=host, ports=ports, user=user, folder=folder))
    for name in ("state", "spool-n0", "spool-n1"):
        (folder / name).mkdir()
    (folder / "munge.key").touch(0o600)
    (folder / "munge.key").write_bytes(secrets.token_bytes(1024))
    environment = os.environ | {
        "SLURM_CONF": str(folder / "slurm.conf"),
        "PATH": f"{os.environ['PATH']}:/usr/sbin",
    }
    try:
        for command in (_munged(folder), ["slurmctld"], ["slurmd", "-N", "n0"], ["slurmd", "-N", "n1"]):
            subprocess.run(command, env=environment, check=True, capture_output=True, timeout=240)
        wait_until(lambda: _printed(environment, "sinfo", "-h", "-N", "-o", "%T").split().count("idle") == 2)
        yield environment
    finally:
        _end([folder / name for name in _PID_FILES])


def wait_for_jobs(environment: dict[str, str], timeout_s: float = 120) -> None:
    """Until no job waits or runs; jobs that were put back into the queue start at once, not minutes later."""

    def all_ended() -> bool:
        jobs = _printed(environment, "squeue", "-h", "-o", "%i %r").splitlines()
        for number, reason in map(str.split, jobs):
            if reason == "BeginTime":
                _printed(environment, "scontrol", "update", f"jobid={number}", "StartTime=now")
        return not jobs

    wait_until(all_ended, timeout_s)


def _munged(folder: Path) -> list[str]:
    files = {"key-file": "munge.key", "socket": "munge.sock", "pid-file": "munged.pid",
             "log-file": "munged.log", "seed-file": "munge.seed"}  # fmt: skip
    return ["munged", "--force", *(f"--{option}={folder / name}" for option, name in files.items())]


def _free_ports() -> tuple[int, int, int]:
    """Three ports that nobody uses, of which the last two follow each other."""
    for first in range(20_000 + os.getpid() % 10_000, 40_000, 3):
        with socket.socket() as one, socket.socket() as two, socket.socket() as three:
            try:
                for offset, opened in enumerate((one, two, three)):
                    opened.bind(("127.0.0.1", first + offset))
            except OSError:
                continue
            return first, first + 1, first + 2
    raise OSError("no free ports")


def _end(pid_files: list[Path]) -> None:
    """End the daemons that this cluster started."""
    pids = [int(file.read_text()) for file in pid_files if file.exists()]
    for pid in pids:
        os.kill(pid, signal.SIGTERM)
    wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids))


def _printed(environment: dict[str, str], *words: str) -> str:
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False, timeout=240)
    return done.stdout
