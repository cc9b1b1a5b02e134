"""Selecting a device in Blender."""

from types import SimpleNamespace

import pytest

bpy = pytest.importorskip("bpy")

from blendgen.engine.blender.session import devices  # noqa: E402
from blendgen.engine.blender.session.devices import require_device, use_device  # noqa: E402
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


@pytest.mark.parametrize(
    "change",
    [
        {"cycles": SimpleNamespace(device="CPU")},
        {"compute_device_type": "NONE"},
        {"devices": []},
        {"devices": [SimpleNamespace(id="card", use=True), SimpleNamespace(id="CPU", use=True)]},
        {"has_active_device": lambda: False},
    ],
)
def test_a_gpu_that_is_lost_in_mid_run_is_an_error_and_not_replaced_by_the_cpu(monkeypatch, change):
    card = Device("cuda", "card", "NVIDIA L4")
    whole = {
        "cycles": SimpleNamespace(device="GPU"),
        "compute_device_type": "CUDA",
        "devices": [SimpleNamespace(id="card", use=True), SimpleNamespace(id="CPU", use=False)],
        "has_active_device": lambda: True,
    }
    monkeypatch.setattr(devices, "_preferences", lambda: SimpleNamespace(**whole))
    require_device(SimpleNamespace(**whole), card)
    monkeypatch.setattr(devices, "_preferences", lambda: SimpleNamespace(**whole | change))
    with pytest.raises(SetupError, match="would be rendered on the CPU"):
        require_device(SimpleNamespace(**whole | change), card)
    require_device(SimpleNamespace(**whole | change), CPU)
