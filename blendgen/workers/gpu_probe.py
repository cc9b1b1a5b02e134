"""Probe: the GPUs of this machine, asked of a process that is thrown away: drivers may crash or hang."""

from __future__ import annotations

import logging
import multiprocessing
from pathlib import Path

from blendgen.engine.device import CPU, Device, Wish, choose_devices
from blendgen.errors import SetupError
from blendgen.files.scratch import scratch_folder
from blendgen.system.wheel import blender_version, require_libraries
from blendgen.workers.spawn import tied
from blendgen.workers.stop_signal import stop_signals_blocked
from blendgen.workers.worker import redirect_output

_PATIENCE_S = 60.0
_log = logging.getLogger(__name__)


def devices_for(wish: Wish) -> tuple[Device, ...]:
    """The devices that --device means here; nothing is probed for "cpu".

    raises: SetupError where what was asked for is not there, or cannot be found out
    """
    if wish.backend == "cpu":
        return (CPU,)
    try:
        found = probe_gpus()
    except SetupError as error:
        if wish.backend != "auto":
            raise
        _log.warning("note: %s; the CPU is used", error)
        found = []
    return choose_devices(wish, found)


def probe_gpus() -> list[Device]:
    """The GPUs that Cycles can use here; raises SetupError where probing for them fails."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    with scratch_folder("probe") as scratch:
        process = context.Process(target=tied, args=(_answer, theirs, scratch / "log"), daemon=True)
        try:
            with stop_signals_blocked():
                process.start()
            theirs.close()
            if ours.poll(_PATIENCE_S):
                return ours.recv()
            reason = f"no answer within {_PATIENCE_S:.0f} s"
        except EOFError:
            process.join()
            reason = f"the process ended with {process.exitcode}"
        finally:
            if process.pid is not None:
                process.kill()
                process.join()
            ours.close()
    blender_version()  # where Blender or its libraries are missing, that is the reason, and has a cure
    require_libraries()
    raise SetupError(f"probing for GPUs failed: {reason}")


def _answer(pipe, log: Path) -> None:
    redirect_output(log)
    from blendgen.engine.blender.session.devices import list_gpus

    pipe.send(list_gpus())
