"""Selecting a device in Blender."""

import pytest

bpy = pytest.importorskip("bpy")

from blendgen.engine.blender.session.devices import use_device  # noqa: E402
from blendgen.engine.device import CPU, Device  # noqa: E402
from blendgen.errors import SetupError  # noqa: E402


def test_a_missing_gpu_is_an_error_and_not_replaced_by_the_cpu():
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    for backend in ("cuda", "metal"):
        with pytest.raises(SetupError, match=r"run blendgen doctor|does not support"):
            use_device(scene, Device(backend, "gone", "NVIDIA L4"))
    use_device(scene, CPU)
    assert scene.cycles.device == "CPU"
