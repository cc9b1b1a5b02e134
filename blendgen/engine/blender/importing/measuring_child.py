"""Measuring child: the process that runs measure.py, seen from its parent. Does not load bpy.

A model file may crash or hang an importer. The child is watched: after a crash or a timeout it is not alive.
No importer sends SIGKILL, and limits of the sandbox do not either (SIGXCPU comes first).
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

import blendgen
from blendgen.engine.blender.importing.confined import cpu_limit_s
from blendgen.errors import DiskUnavailable, ExitCode, OutOfMemory, SetupError
from blendgen.models.measuring.cache import blender_environment
from blendgen.models.product import Refusal
from blendgen.models.source import Source
from blendgen.system.end_with_parent import PARENT_VARIABLE
from blendgen.system.memory_events import MemoryEvents, out_of_memory
from blendgen.system.stop_signals import stop_signals_blocked
from blendgen.system.time_limit import TimeLimit
from blendgen.system.wheel import require_libraries

MODULE = "blendgen.engine.blender.importing.measure"
COMMAND = (sys.executable, "-P", "-m", MODULE)
_START_TIMEOUT_S = 120.0


class KilledAtStart(SetupError):
    """The child got SIGKILL before it was ready: from somebody, who may stop; the same command continues."""

    exit_code = ExitCode.RETRY


class Child:
    """A running measure.py; after a crash or a timeout it is not alive and must be replaced.

    It ends with the thread that started it. Each method but `end` is for this thread alone.
    was_killed: whether SIGKILL ended the last measurement, which says nothing about the model
    """

    def __init__(self, command: tuple[str, ...], log: IO[bytes], scratch: str):
        with stop_signals_blocked():
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=_environment() | blender_environment(Path(scratch)),
                start_new_session=True,  # Ctrl-C goes to the parent, which then ends the child
            )
        self._log, self._memory = log, MemoryEvents()
        self.alive, self.was_killed = True, False
        self._lines: queue.Queue[bytes] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in _pipe(self._process.stdout):
            self._lines.put(line)
        self._lines.put(b"")  # closed: the child ended

    def await_ready(self, time_limit: TimeLimit) -> None:
        """Wait until it has loaded Blender.

        raises: SetupError if it cannot, KilledAtStart; OutOfMemory, TimeLimitReached
        """
        first = self._next(max(0.0, min(_START_TIMEOUT_S, time_limit.left_s())))
        if first is not None and first.get("ready"):
            return
        if time_limit.is_over():
            self.kill()
            time_limit.raise_reached()
        status = self._end() if first is None else None
        reason = _how_it_ended(status) if first is None else first.get("setup_error", str(first))
        self.kill()
        require_libraries()
        if status == -signal.SIGKILL:
            if self._memory.killed_another():
                raise out_of_memory("the loading of Blender", "")
            raise KilledAtStart(
                "Blender was killed (SIGKILL) each time while it was being loaded, by somebody or by the "
                "system; run the same command again, and `blendgen doctor` if that does not help"
            )
        raise SetupError(f"Blender's Python module (bpy) cannot be loaded: {reason}; run `blendgen doctor`")

    def measure(
        self, source: Source, folder: Path, timeout_s: float, time_limit: TimeLimit
    ) -> Refusal | None:
        self.was_killed = False
        request = json.dumps({"source": asdict(source), "folder": os.fspath(folder), "timeout_s": timeout_s})
        try:
            _pipe(self._process.stdin).write(request.encode() + b"\n")
            _pipe(self._process.stdin).flush()
        except OSError:
            pass  # it died since the last reply; reading reports how
        reply = self._next(max(0.0, min(timeout_s, time_limit.left_s())))
        if reply is None:
            time_limit.check()
            return self._failure(timeout_s, source)
        if "crash" in reply:
            return self._crashed(reply["crash"], source, timeout_s)
        if "out_of_memory" in reply:
            raise OutOfMemory(
                f"{source.display} could not be measured: {reply['out_of_memory']}; run the same command "
                "again with more memory"
            )
        if "disk_error" in reply:
            raise DiskUnavailable(reply["disk_error"])
        if "machine_error" in reply:
            raise SetupError(
                f"{source.display} could not be measured: memory, disk space or a library is missing "
                f"({reply['machine_error']}); fix that and run the same command again"
            )
        reason = reply.get("refusal")
        if "failure" in reply:
            reason = f"could not be measured: {reply['failure']}"
        return Refusal(source.display, reason) if reason else None

    def _next(self, timeout_s: float) -> dict[str, Any] | None:
        """The next reply; None if the child ended or did not answer in time."""
        try:
            line = self._lines.get(timeout=timeout_s)
        except queue.Empty:
            line = b""
        try:
            return json.loads(line)
        except ValueError:  # ended, also in the middle of a line
            self.alive = False
            return None

    def _failure(self, timeout_s: float, source: Source) -> Refusal:
        status = self._end()
        if status is None:
            return _without_answer(source, f"the importer did not finish within {timeout_s:g} s")
        return self._crashed(status, source, timeout_s)

    def _crashed(self, status: int, source: Source, timeout_s: float) -> Refusal:
        if status == -signal.SIGXCPU:
            limit_s = cpu_limit_s(timeout_s)
            return _without_answer(source, f"the importer did not finish within {limit_s} s of CPU time")
        self.was_killed = status == -signal.SIGKILL
        if self.was_killed and self._memory.killed_another():
            raise out_of_memory(f"the measuring of {source.display}", "")
        more = f"; more is in {self._log.name}" if isinstance(self._log.name, str) else ""
        crash = f"the importer crashed ({_how_it_ended(status)})"
        return Refusal(source.display, f"{crash}{more}", "" if self.was_killed else crash)

    def _end(self) -> int | None:
        """Exit status of a child that closed its output; None if it is still running."""
        try:
            return self._process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            return None

    def end(self) -> None:
        """Let it end; also in another thread, in which `measure` then returns."""
        with contextlib.suppress(OSError):  # all of them have ended
            os.killpg(self._process.pid, signal.SIGKILL)  # its process group, including the forks

    def kill(self) -> None:
        self.end()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):  # a request was left in the pipe of a dead child
                _pipe(pipe).close()


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise RuntimeError("the child was started without its pipes")
    return pipe


def _without_answer(source: Source, reason: str) -> Refusal:
    return Refusal(source.display, reason, reason)


def _how_it_ended(status: int | None) -> str:
    if status is None:
        return "no answer"
    if status < 0:
        return signal.Signals(-status).name
    return f"exit status {status}"


def _environment() -> dict[str, str]:
    """The environment in which the child imports the same blendgen as this process, and knows its parent."""
    package_parent = os.fspath(Path(blendgen.__file__).resolve().parent.parent)
    folders = [package_parent, os.environ.get("PYTHONPATH")]
    own = {"PYTHONPATH": os.pathsep.join(filter(None, folders)), PARENT_VARIABLE: str(os.getpid())}
    return os.environ | own
