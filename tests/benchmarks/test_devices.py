"""The comparison of devices, with runs that are made up."""

from __future__ import annotations

import os
import subprocess

import pytest

from benchmarks import devices
from benchmarks.devices import Point, available, differences, rates, table, used_mb
from blendgen.engine.device import CPU
from blendgen.models.product import Catalog
from tests.conftest import REPOSITORY, make_product
from tests.exporters.conftest import make_dataset


def made_up(speed, card_mb):
    return {"images_per_s": speed, "busy": 0.9, "card_mb": card_mb, "first_image_s": 3.0, "worker_mb": 400.0}


def test_devices_are_compared_within_a_round():
    point = Point(224, 8, 2)
    # the second round was twice as slow on both
    runs = {point: {"cpu": [made_up(2.0, None), made_up(1.0, None)],
                    "optix": [made_up(30.0, 800.0), made_up(15.0, 900.0)]}}  # fmt: skip
    cpu, optix = rates(runs)
    assert cpu["compared"]["median"] == 1 and optix["compared"] == {
        "median": 15, "low": 15, "high": 15, "count": 2,
    }  # fmt: skip
    assert optix["card_mb"] == 900 and cpu["card_mb"] is None
    lines = table({"rates": [cpu, optix]}).splitlines()
    assert lines[2].split() == ["optix", "224", "8", "2", "22.50", "15.00x", "900"]


def test_devices_that_are_not_here_are_left_out_with_their_reason(monkeypatch):
    monkeypatch.setattr("blendgen.workers.gpu_probe.probe_gpus", list)
    there, missing = available(["cpu", "optix", "cpu", "eevee", "typo"])
    assert there == {"cpu": (CPU,), "eevee": (CPU,)}
    assert [reason.split(":")[0] for reason in missing] == ["optix", "typo"]


def test_images_and_labels_of_devices_are_compared(tmp_path, monkeypatch):
    catalog = Catalog((make_product("box", "box", (0.1, 0.06, 0.03)),))
    made = []

    def make(scene, name, place, shots):
        made.append(name)
        seed = {"seed": 8} if name == "cuda" else {}
        return make_dataset(tmp_path / name, catalog, shots, **seed).root

    monkeypatch.setattr(devices, "_made", make)
    result = differences(None, dict.fromkeys(("cpu", "optix", "cuda"), (CPU,)), 3)
    assert made == ["cpu", "optix", "cuda"] and {*result} == {"optix", "cuda"}
    assert result["optix"]["rows"]["different"] == 0
    assert result["cuda"]["rows"]["different"] == 3
    assert differences(None, {"cpu": (CPU,)}, 3) == {}


def test_the_memory_of_a_card_is_that_of_nvidia_smi(tmp_path, monkeypatch):
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho 512\necho 1024\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert used_mb() == 1536
    program.write_text("#!/bin/sh\nexit 9\n")
    assert used_mb() is None


@pytest.mark.parametrize("arguments", [[], ["pack"], ["measure", "only-one"], ["other", "a", "b"]])
def test_the_script_for_machines_with_gpus_says_how_it_is_used(arguments):
    done = subprocess.run(
        ["bash", REPOSITORY / "benchmarks" / "gpu.sh", *arguments], capture_output=True, text=True
    )
    assert done.returncode == 2 and done.stderr.startswith("benchmarks/gpu.sh pack PARTS [MB]: wheels")
