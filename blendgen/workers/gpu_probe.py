"""GPU probe: list the GPUs of this machine in a separate process, since drivers may crash or hang."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from blendgen.engine.device import CPU, Device, DeviceRequest, choose_devices
from blendgen.errors import SetupError
from blendgen.files.scratch import scratch_folder
from blendgen.system.allocation import allotted_gpus
from blendgen.system.wheel import blender_version, require_libraries
from blendgen.workers.spawn import spawn
from blendgen.workers.worker import redirect_output

_TIMEOUT_S = 60.0
_log = logging.getLogger(__name__)


def devices_for(request: DeviceRequest) -> tuple[Device, ...]:
    """The devices of this machine that --device selects; "cpu" does not probe.

    raises: SetupError if the requested devices are missing, or cannot be listed; also for "auto" if the
        scheduler has given GPUs to this job
    """
    if request.backend == "cpu":
        return (CPU,)
    try:
        gpus = probe_gpus()
    except SetupError as error:
        if request.backend != "auto" or allotted_gpus(os.environ):
            raise
        _log.warning("note: %s; the CPU is used", error)
        gpus = []
    allotted = allotted_gpus(os.environ)
    if not gpus and allotted:
        raise SetupError(
            f"--device {request.backend}: the scheduler has given GPUs to this job ({allotted}), but Blender "
            "cannot use any; check the driver with blendgen doctor, or use --device cpu"
        )
    return choose_devices(request, gpus)


def probe_gpus() -> list[Device]:
    """The GPUs that Cycles can use here; raises SetupError if the probe fails."""
    with scratch_folder("probe") as scratch:
        process, pipe = spawn(_send_gpus, scratch / "log")
        try:
            if pipe.poll(_TIMEOUT_S):
                return pipe.recv()
            reason = f"no answer within {_TIMEOUT_S:.0f} s"
        except EOFError:
            process.join()
            reason = f"the process ended with exit code {process.exitcode}"
        finally:
            process.kill()
            process.join()
            pipe.close()
    blender_version()  # if Blender or a library is missing, that is the reason: these raise with a fix
    require_libraries()
    raise SetupError(f"probing for GPUs failed: {reason}")


def _send_gpus(pipe, log: Path) -> None:
    redirect_output(log)
    from blendgen.engine.blender.session.devices import list_gpus

    pipe.send(list_gpus())
