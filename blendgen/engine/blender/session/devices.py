"""Devices: lists the GPUs that Cycles can use here, and selects one."""

from __future__ import annotations

import bpy

from blendgen.engine.device import GPU_BACKENDS, Device
from blendgen.errors import SetupError


def list_gpus() -> list[Device]:
    """The GPUs of this machine, in Blender's order; backends without a GPU are left out."""
    gpus = []
    for backend in GPU_BACKENDS:
        try:
            devices = _preferences().get_devices_for_type(backend.upper())
        except (ValueError, AttributeError):
            continue
        gpus += [Device(backend, d.id, d.name) for d in devices if d.type == backend.upper()]
    return gpus


def use_device(scene: bpy.types.Scene, device: Device) -> None:
    """Let Cycles compute on this device only; raises SetupError if it is missing.

    Blender lists the CPU among the devices of a backend and would use it too; without a GPU it would render
    on the CPU silently.
    """
    if device.backend == "cpu":
        scene.cycles.device = "CPU"
        return
    preferences = _preferences()
    try:
        preferences.compute_device_type = device.backend.upper()
    except TypeError:
        raise SetupError(f"{device}: this Blender does not support {device.backend}") from None
    preferences.refresh_devices()
    for listed in preferences.devices:
        listed.use = listed.type == device.backend.upper() and listed.id == device.id
    if not any(listed.use for listed in preferences.devices) or not preferences.has_active_device():
        raise SetupError(
            f"{device}: is not available any more; run blendgen doctor to list devices, or use --device cpu"
        )
    scene.cycles.device = "GPU"


def require_device(scene: bpy.types.Scene, device: Device) -> None:
    """Raises SetupError if Cycles would not render on this device now: it would use the CPU silently."""
    if device.backend == "cpu":
        return
    preferences = _preferences()
    used = [listed.id for listed in preferences.devices if listed.use]
    is_selected = scene.cycles.device == "GPU" and preferences.compute_device_type == device.backend.upper()
    if not is_selected or used != [device.id] or not preferences.has_active_device():
        raise SetupError(
            f"{device}: is not available any more, and the next shot would be rendered on the CPU; run the "
            "same command to continue once it is there"
        )


def _preferences():
    return bpy.context.preferences.addons["cycles"].preferences
