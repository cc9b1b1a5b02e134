"""Devices: what Cycles can compute on here."""

from __future__ import annotations

import bpy

_BACKENDS = ("OPTIX", "CUDA", "HIP", "ONEAPI", "METAL")


def gpu_names() -> list[str]:
    """ "OPTIX: NVIDIA H100" and so on; what is compiled in but not there is left out."""
    preferences = bpy.context.preferences.addons["cycles"].preferences
    found = []
    for backend in _BACKENDS:
        try:
            devices = preferences.get_devices_for_type(backend)
        except (ValueError, AttributeError):
            continue
        found += [f"{backend}: {device.name}" for device in devices if device.type == backend]
    return sorted(set(found))
