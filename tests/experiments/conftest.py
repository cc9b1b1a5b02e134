"""Experiments without Blender: drafts of the flat engine, and a backbone of random weights."""

from __future__ import annotations

from contextlib import nullcontext
from functools import partial

import pytest

from blendgen.experiments import probe, select, tune
from blendgen.learn import run_network, train
from blendgen.models.inventory import Inventory
from blendgen.spec.load import load_spec
from blendgen.workers import early_worker, generate
from blendgen.workers.pool import run_tasks
from tests.conftest import make_class_table
from tests.learn.networks import tiny_backbone
from tests.workers.flat_run import CATALOG, initialize, run

SPEC = """blendgen: 1
name: flat
seed: 5
images: 80
resolution: [48, 48]
products:
  - catalog: phones   # the tests put a box and a sphere in their place
camera:
  distance_m: 0.35
  elevation_deg: {uniform: [30, 90]}
surface: {wear: 0, dust: 0}
lighting: {lamps: {count: 1}}
exposure:
  camera_ev: {choice: [-4, 1]}   # dark and bright
sensor: ideal
render: {samples_per_pixel: 1, max_bounces: 1, denoise: false}
"""


@pytest.fixture(autouse=True)
def without_blender(tmp_path_factory, monkeypatch, request):
    if "slow" in request.keywords and not {"out", "scored"} & {*request.fixturenames}:
        return  # a test with Blender
    place = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("BLENDGEN_CACHE_DIR", str(place))
    tiny = tiny_backbone(place)
    for module in (train, run_network, tune):
        monkeypatch.setattr(module, "load_backbone", lambda *_: tiny)
    inventory = Inventory(CATALOG, make_class_table(CATALOG))
    for command in (probe, select, tune):
        monkeypatch.setattr(command, "measured_inventory", lambda *_: inventory)
    monkeypatch.setattr(early_worker, "start_early_worker", lambda: nullcontext(None))


@pytest.fixture
def spec_path(tmp_path):
    path = tmp_path / "scene.yaml"
    path.write_text(SPEC, "utf-8")
    return path


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """A data set of the spec."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "scene.yaml").write_text(SPEC, "utf-8")
    run(folder / "out", load_spec(folder / "scene.yaml").spec)
    (folder / "out" / "spec.yaml").write_text(SPEC, "utf-8")
    return folder / "out"


@pytest.fixture
def out(made, monkeypatch):
    """The same; images of later runs are those of the flat engine, too."""
    monkeypatch.setattr(generate, "run_tasks", partial(run_tasks, initialize=initialize))
    return made
