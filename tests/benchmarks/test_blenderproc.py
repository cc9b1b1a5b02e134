import json
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks import blenderproc
from benchmarks.blenderproc import Versus, python_in
from benchmarks.versus import MODES, ONE, Round, versus_report
from blendgen.errors import BlendgenError, SetupError
from blendgen.models.inventory import Inventory
from tests.conftest import make_class_table, make_spec


@pytest.fixture
def order(shapes):
    lamps = {"count": 2, "kind": "area"}
    spec = make_spec(lighting={"environment": {"image": "dome"}, "lamps": lamps})
    versus = Versus(Path("python"), Path("meshes"), spec, Inventory(shapes, make_class_table(shapes)))
    return versus.order(spec, 4)


def test_the_order_is_plain_values(order):
    assert json.loads(json.dumps(order, allow_nan=False)) == order
    assert len(order["frames"]) == 4
    assert {frame["mesh"] for frame in order["frames"]} <= set(order["meshes"])


def test_its_cameras_look_along_minus_z_at_the_product(order):
    for frame in order["frames"]:
        world_to_camera = np.linalg.inv(frame["camera_to_world"])
        x, y, z = (world_to_camera @ np.array(frame["object_to_world"])[:, 3])[:3]
        assert z < 0
        assert np.hypot(x, y) < -z  # in the picture, or near it
        assert np.linalg.det(world_to_camera[:3, :3]) == pytest.approx(1)


def test_its_lamps_shine(order):
    lamps = [lamp for frame in order["frames"] for lamp in frame["lamps"]]
    assert len(lamps) == 8
    assert all(lamp["power_w"] > 0 and max(lamp["color_linear"]) == pytest.approx(1) for lamp in lamps)


def test_ratios_are_taken_within_a_round():
    slow, fast = (dict(zip(MODES, np.arange(1.0, 7.0) * speed, strict=True)) for speed in (1, 10))
    report = versus_report([Round(slow, {}), Round(fast, {})])
    assert report["images_per_s"][ONE] == {"median": 5.5, "low": 1, "high": 10, "count": 2}
    ratio = report["ratios"]["blendgen_8_to_blenderproc_call_by_call"]
    assert ratio["low"] == ratio["high"] == pytest.approx(2 / 3)
    assert versus_report([]) is None


def test_a_python_is_named_by_itself_or_by_its_environment(tmp_path):
    python = tmp_path / "bin" / "python"
    python.parent.mkdir()
    python.touch()
    assert python_in(python) == python_in(tmp_path) == python
    with pytest.raises(SetupError):
        python_in(tmp_path / "elsewhere")


def test_a_blenderproc_that_hangs_is_reported(monkeypatch):
    monkeypatch.setattr(blenderproc, "_LONGEST_S", 0.1)
    with pytest.raises(BlendgenError, match="did not end within"):
        blenderproc._called(Path(sys.executable), "-c", "import time; time.sleep(9)")
