"""A data set that EEVEE renders, from the command line."""

import json

import pytest

from tests.cli.test_cli import blendgen

pytest.importorskip("bpy")

SPEC = """\
blendgen: 1
name: shapes
seed: 3
images: 1
exposures_per_shot: 1
resolution: [48, 48]
products: [{catalog: shapes}]
lighting: {lamps: {count: 1}}
render: {preset: smoke, engine: eevee, samples_per_pixel: 1}
sensor: {preset: machine_vision, mosaic: none}
"""


@pytest.mark.slow
def test_a_data_set_names_its_graphics_card(tmp_path):
    (tmp_path / "shapes.yaml").write_text(SPEC)
    made = blendgen("generate", tmp_path / "shapes.yaml", "-o", tmp_path / "out", timeout_s=290)
    assert made.returncode == 0, made.stderr
    record = tmp_path / "out" / "dataset.json"
    device = json.loads(record.read_text())["device"]
    assert (device["engine"], device["device"]) == ("eevee", "cpu") and device["graphics_card"]
