"""Devices: the GPUs that Cycles can compute on here, and one of them put to use."""

from __future__ import annotations

import bpy

from blendgen.engine.device import GPU_BACKENDS, Device
from blendgen.errors import SetupError


def list_gpus() -> list[Device]:
    """The GPUs that are there, in Blender's order; what is only compiled in is left out."""
    found = []
    for backend in GPU_BACKENDS:
        try:
            devices = _preferences().get_devices_for_type(backend.upper())
        except (ValueError, AttributeError):
            continue
        found += [Device(backend, d.id, d.name) for d in devices if d.type == backend.upper()]
    return found


def use_device(scene: bpy.types.Scene, device: Device) -> None:
    """Let Cycles compute on this device and on no other; raises SetupError where it is not there.

    Blender lists the CPU beside the GPUs of a backend and would use it too; and where no GPU is
    left it would render on the CPU and say nothing.
    """
    if device.backend == "cpu":
        scene.cycles.device = "CPU"
        return
    preferences = _preferences()
    try:
        preferences.compute_device_type = device.backend.upper()
    except TypeError:
        raise SetupError(f"{device}: this Blender knows no {device.backend}") from None
    preferences.refresh_devices()
    for known in preferences.devices:
        known.use = known.type == device.backend.upper() and known.id == device.id
    if not any(known.use for known in preferences.devices) or not preferences.has_active_device():
        raise SetupError(f"{device}: is not there any more; see blendgen doctor, or give --device cpu")
    scene.cycles.device = "GPU"


def _preferences():
    return bpy.context.preferences.addons["cycles"].preferences
