"""The whole of blendgen: labels of the example scenes by ray cast, and a fault in a finished data set."""

import itertools
import json
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from blendgen.dataset.failures import failed_images
from blendgen.errors import InfeasibleDraw, InfeasibleShot, Reason
from blendgen.models.inventory import Inventory
from blendgen.workers.worker import Made
from tests.audit import scenes
from tests.audit.scenes import Variant, audited, variants
from tests.conftest import REPOSITORY, make_class_table, make_spec

pytest.importorskip("embreex")
SOME = ["light_table, occluded", "light_table, cut"]  # of few models; make audit does all


def test_every_scene_has_four_variants():
    names = {variant.name for variant in variants()}
    scenes = {path.stem for path in (REPOSITORY / "scenes").glob("*.yaml")} - {"my_models"}
    for way in ("", ", occluded", ", cut", ", distorted"):
        assert {scene + way for scene in scenes} <= names
    assert set(SOME) <= names


def test_an_image_that_cannot_be_made_is_a_fault_and_ends_its_variant(tmp_path, shapes, monkeypatch):
    failure = InfeasibleShot(0, (InfeasibleDraw(Reason.PILE_UNSETTLED, "no rest"),))
    made = Made([], failed_images([0], failure), {})
    spec_file = SimpleNamespace(spec=make_spec(), folder=tmp_path)

    def in_this_process(job, tasks, stop, workers, steps):
        yield from map(steps.produce, tasks)

    monkeypatch.setattr(scenes, "opened", lambda *_: (spec_file, Inventory(shapes, make_class_table(shapes))))
    monkeypatch.setattr(scenes, "run_tasks", in_this_process)
    monkeypatch.setattr(scenes, "render", lambda task: None)
    monkeypatch.setattr(scenes, "write", lambda rendered: made)
    findings = audited(Variant("belt", tmp_path), products=5, seed=3)
    assert findings.faults == ("belt, seed 3: index 0: cannot be made: no rest",)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_labels_of_example_scenes_agree_with_the_ray_cast():
    only = itertools.chain(*(("--only", name) for name in SOME))
    command = [sys.executable, "-m", "tests.audit", "--products", "24", "--seed", "2", "--json", *only]
    result = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=600)
    assert result.returncode == 0, result.stderr
    whole = json.loads(result.stdout)["sets"]["all"]
    assert whole["faults"] == [] and whole["products"] >= 24 > 10 * whole["unchecked_products"]
    assert whole["hidden_products"] and whole["cut_products"]


@pytest.mark.slow
def test_the_ray_check_detects_a_misplaced_product(tmp_path):
    folder, scene = tmp_path / "set", REPOSITORY / "scenes" / "conveyor_phones.yaml"
    run("generate", scene, "-o", folder, "-n", "2", "--render", "smoke", "--set", "resolution=[128,128]")
    assert run("verify", folder, "--ray-check", "2").returncode == 0
    path = folder / "manifest.jsonl"
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    moved_by_2_mm(rows[0])
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    wrong = run("verify", folder, "--ray-check", "2")
    assert wrong.returncode == 5
    assert f"{rows[0]['file_name']}: by ray cast: " in wrong.stdout
    assert f"{rows[1]['file_name']}: by ray cast: " not in wrong.stdout


def moved_by_2_mm(row) -> None:
    """In all columns of the row, so that it is consistent."""
    placed, objects = row["shot"]["products"][0], row["objects"]
    placed["object_to_world"][0][3] += 0.002
    objects["object_to_world"][0] = placed["object_to_world"]
    to_camera = np.array(row["camera"]["world_to_camera"])
    objects["object_to_camera"][0] = (to_camera @ placed["object_to_world"]).tolist()


def run(*command):
    arguments = [sys.executable, "-m", "blendgen", *map(str, command)]
    return subprocess.run(arguments, capture_output=True, text=True, timeout=240)
