"""Through the whole of blendgen: labels of the stock scenes by ray cast, and a fault in a finished set."""

import json
import subprocess
import sys

import numpy as np
import pytest

from blendgen.audit.findings import total
from tests.audit.__main__ import cells, printed
from tests.audit.scenes import audited, variants
from tests.conftest import REPOSITORY

pytest.importorskip("bpy")
pytest.importorskip("embreex")
SOME = ["recycling_line, occluded", "tote, cut", "tabletop, distorted", "light_table"]


def test_every_scene_is_audited_in_four_ways():
    names = {variant.name for variant in variants()}
    scenes = {path.stem for path in (REPOSITORY / "scenes").glob("*.yaml")} - {"my_models"}
    for way in ("", ", occluded", ", cut", ", distorted"):
        assert {scene + way for scene in scenes} <= names
    assert set(SOME) <= names


@pytest.mark.slow
def test_labels_of_stock_scenes_agree_with_the_ray_cast():
    found = [audited(variant, 16, seed=2) for variant in variants() if variant.name in SOME]
    whole = total(found)
    print(printed(cells("all", whole)))
    assert whole.faults == () and whole.products >= 64 and whole.unchecked_products < whole.products / 10


@pytest.mark.slow
def test_verify_deep_finds_a_product_that_stands_elsewhere(tmp_path):
    folder, scene = tmp_path / "set", REPOSITORY / "scenes" / "conveyor_phones.yaml"
    run("generate", scene, "-o", folder, "-n", "2", "--render", "smoke", "--set", "resolution=[128,128]")
    assert run("verify", folder, "--deep", "2").returncode == 0
    path = folder / "manifest.jsonl"
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    moved_by_2_mm(rows[0])
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    wrong = run("verify", folder, "--deep", "2")
    assert wrong.returncode == 5
    assert f"{rows[0]['file_name']}: by ray cast: " in wrong.stdout
    assert f"{rows[1]['file_name']}: by ray cast: " not in wrong.stdout


def moved_by_2_mm(row) -> None:
    """Everywhere in the row, so that it agrees with itself."""
    placed, objects = row["shot"]["products"][0], row["objects"]
    placed["object_to_world"][0][3] += 0.002
    objects["object_to_world"][0] = placed["object_to_world"]
    to_camera = np.array(row["camera"]["world_to_camera"])
    objects["object_to_camera"][0] = (to_camera @ placed["object_to_world"]).tolist()


def run(*command):
    arguments = [sys.executable, "-m", "blendgen", *map(str, command)]
    return subprocess.run(arguments, capture_output=True, text=True, timeout=240)
