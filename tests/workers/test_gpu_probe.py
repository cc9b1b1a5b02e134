"""The GPUs of this machine, whichever it has."""

import logging
import multiprocessing
import signal
import subprocess
import sys

import pytest

from blendgen.engine.device import CPU, Wish
from blendgen.errors import SetupError
from blendgen.workers import gpu_probe as probe
from tests.workers import failing


def test_the_cpu_is_never_probed_for(monkeypatch):
    monkeypatch.setattr(probe, "probe_gpus", None)
    assert probe.devices_for(Wish("cpu")) == (CPU,)


@pytest.mark.slow
def test_probing_gives_gpus_alone():
    """In a process of its own: one that has loaded bpy hands its path on to those that it starts."""
    code = (
        "from blendgen.workers.gpu_probe import probe_gpus\n"
        "from blendgen.engine.device import GPU_BACKENDS\n"
        "assert all(gpu.backend in GPU_BACKENDS and gpu.id for gpu in probe_gpus())"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_driver_that_crashes_ends_a_wish_for_its_gpu_but_not_auto(monkeypatch, caplog):
    monkeypatch.setattr(probe, "_answer", failing.dies_while_probing)
    with pytest.raises(SetupError, match="probing for GPUs failed: the process ended with -11"):
        probe.devices_for(Wish("cuda"))
    with caplog.at_level(logging.WARNING):
        assert probe.devices_for(Wish("auto")) == (CPU,)
    assert "the CPU is used" in caplog.text


@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="signals cannot be held back")
def test_ctrl_c_while_the_probe_is_started_ends_it(monkeypatch):
    """A signal that is held back comes the moment it is let in again: the probe runs, and nobody waits."""
    monkeypatch.setattr(probe, "_answer", failing.hangs_while_probing)
    popen = multiprocessing.get_context("spawn").Process._Popen

    def started(process):
        signal.raise_signal(signal.SIGINT)
        return popen(process)

    monkeypatch.setattr(multiprocessing.get_context("spawn").Process, "_Popen", staticmethod(started))
    with pytest.raises(KeyboardInterrupt):
        probe.probe_gpus()
    left = multiprocessing.active_children()
    for process in left:
        process.kill()
    assert left == []
