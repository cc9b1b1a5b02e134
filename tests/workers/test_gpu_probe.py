"""Probing for GPUs works on any machine, also with a driver that crashes."""

import logging
import multiprocessing
import signal

import pytest

from blendgen.engine.device import CPU, GPU_BACKENDS, DeviceRequest
from blendgen.errors import SetupError
from blendgen.workers import gpu_probe as probe
from tests.workers import failing


def test_the_device_cpu_starts_no_probe(monkeypatch):
    monkeypatch.setattr(probe, "probe_gpus", None)
    assert probe.devices_for(DeviceRequest("cpu")) == (CPU,)


@pytest.mark.slow
def test_the_probe_lists_gpus_only():
    assert all(gpu.backend in GPU_BACKENDS and gpu.id for gpu in probe.probe_gpus())


def test_a_driver_that_crashes_is_an_error_for_its_gpu_but_not_for_auto(monkeypatch, caplog):
    monkeypatch.setattr(probe, "_send_gpus", failing.dies_while_probing)
    with pytest.raises(SetupError, match="probing for GPUs failed: the process ended with exit code -11"):
        probe.devices_for(DeviceRequest("cuda"))
    with caplog.at_level(logging.WARNING):
        assert probe.devices_for(DeviceRequest("auto")) == (CPU,)
    assert "the CPU is used" in caplog.text


@pytest.mark.parametrize("name", ["SLURM_JOB_GPUS", "SLURM_STEP_GPUS", "CUE_GPUS"])
def test_gpus_that_the_scheduler_has_given_are_used_or_the_run_is_refused(monkeypatch, name):
    monkeypatch.setattr(probe, "probe_gpus", list)
    assert probe.devices_for(DeviceRequest("auto")) == (CPU,)
    monkeypatch.setenv(name, "1")
    with pytest.raises(SetupError, match=rf"has given GPUs to this job \({name}=1\).*--device cpu"):
        probe.devices_for(DeviceRequest("auto"))
    assert probe.devices_for(DeviceRequest("cpu")) == (CPU,)


@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="the system cannot block signals")
def test_ctrl_c_while_the_probe_starts_ends_it(monkeypatch):
    """A blocked signal arrives once it is unblocked, when the probe runs and the parent does not wait yet."""
    monkeypatch.setattr(probe, "_send_gpus", failing.hangs_while_probing)
    popen = multiprocessing.get_context("spawn").Process._Popen

    def interrupted_start(process):
        signal.raise_signal(signal.SIGINT)
        return popen(process)

    monkeypatch.setattr(
        multiprocessing.get_context("spawn").Process, "_Popen", staticmethod(interrupted_start)
    )
    with pytest.raises(KeyboardInterrupt):
        probe.probe_gpus()
    remaining = multiprocessing.active_children()
    for process in remaining:
        process.kill()
    assert remaining == []
