"""Watch: run a command under strace, and measure its time, its memory and the processes that it leaves."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.attack.case import Command, Place
from tests.attack.trace import OPTIONS

_MARK = "BLENDGEN_ATTACK_RUN"
_EXIT_TIMEOUT_S = 3.0  # for children to end after their parent
_LARGEST_FILE = 6_000_000_000


@dataclass
class Outcome:
    code: int | None = None
    stdout: bytes = b""
    stderr: bytes = b""
    seconds: float = 0.0
    memory_mb: float = 0.0
    faults: list[str] = field(default_factory=list)


def blendgen(python: str = sys.executable) -> list[str]:
    return [python, "-m", "blendgen"]


def environment(place: Place, mark: str = "") -> dict[str, str]:
    """Environment variables with a separate home folder; Python writes no bytecode files."""
    own = {
        "BLENDGEN_CACHE_DIR": str(place.cache),
        "BLENDGEN_NO_REPORT": "1",  # has times in it
        "TMPDIR": str(place.tmp),
        "HOME": str(place.home),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
        _MARK: mark or place.root.name,
    }
    dropped = ("XDG_", "PYTEST_", "BLENDGEN_")
    return {key: value for key, value in os.environ.items() if not key.startswith(dropped)} | own


def watch(place: Place, command: Command, traces: Path) -> Outcome:
    """Run a command until it ends or exceeds its time or memory."""
    traces.mkdir()
    program = ["strace", *OPTIONS, "-o", str(traces / "t"), "--", *blendgen(), *command.args]
    streams = place.root.parent / f"{place.root.name}.stdout", place.root.parent / f"{place.root.name}.stderr"
    mark = f"{place.root.name}-{time.monotonic_ns()}"
    start, outcome = time.monotonic(), Outcome()
    with streams[0].open("wb") as stdout, streams[1].open("wb") as stderr:
        process = subprocess.Popen(
            program,
            cwd=command.cwd or place.root,
            env=environment(place, mark) | dict(command.variables),
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
            preexec_fn=_limit_file_size,
        )
        _follow(process, command, outcome)
    outcome.code, outcome.seconds = process.returncode, time.monotonic() - start
    outcome.stdout, outcome.stderr = (path.read_bytes()[:20_000_000] for path in streams)
    left = marked_processes(mark)
    if left and not outcome.faults:  # a killed command may leave some
        outcome.faults.append(f"left processes behind: {', '.join(_command_line(one) for one in left)}")
    kill(left)
    return outcome


def _limit_file_size() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (_LARGEST_FILE, _LARGEST_FILE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _follow(process: subprocess.Popen, command: Command, outcome: Outcome) -> None:
    start = time.monotonic()
    parent, gone_at = None, None
    while process.poll() is None:
        tree = _tree(process.pid)
        parent = parent or _command_among(tree)
        outcome.memory_mb = max(outcome.memory_mb, sum(map(_resident_mb, tree)))
        now = time.monotonic()
        if parent is not None and gone_at is None and not _alive(parent):
            gone_at = now
        if outcome.memory_mb > command.memory_mb:
            outcome.faults.append(f"takes {outcome.memory_mb:.0f} MB of {command.memory_mb}")
        elif now - start > command.seconds:
            outcome.faults.append(f"takes too long, more than {command.seconds:.0f} s")
        elif gone_at is not None and now - gone_at > _EXIT_TIMEOUT_S and tree:
            outcome.faults.append(f"is outlived by {', '.join(map(_command_line, tree))}")
        if outcome.faults:
            kill(tree)
            kill([psutil.Process(process.pid)])
            break
        time.sleep(0.05)
    process.wait()


def _tree(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _command_among(tree: list[psutil.Process]) -> psutil.Process | None:
    """The process of the command; strace starts a few children of its own before it."""
    return next((one for one in tree if "-m blendgen" in _command_line(one)), None)


def _resident_mb(process: psutil.Process) -> float:
    try:
        return process.memory_info().rss / 1e6
    except psutil.Error:
        return 0.0


def _alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _command_line(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())[:80] or process.name()
    except psutil.Error:
        return str(process.pid)


def marked_processes(mark: str) -> list[psutil.Process]:
    """Processes that were started with this mark, even if they have another parent now."""
    marked, entry = [], f"{_MARK}={mark}\0".encode()
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                if entry in (folder / "environ").read_bytes() + b"\0":
                    marked.append(psutil.Process(int(folder.name)))
            except (OSError, psutil.Error):
                continue
    return [one for one in marked if _alive(one)]


def kill(processes: list[psutil.Process]) -> None:
    for process in processes:
        try:
            process.send_signal(signal.SIGKILL)
        except psutil.Error:
            continue
