"""blendgen match and compare: what they print, and the exit codes of wrong inputs."""

from __future__ import annotations

import json

import pytest

from blendgen.models.product import Catalog
from tests.cli.in_process import blendgen
from tests.conftest import make_product
from tests.exporters.conftest import make_dataset
from tests.matching.places import photos_of, write_base, write_photos
from tests.starter.sized_models import SizedMeasurer


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BLENDGEN_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr("blendgen.draw.survey.MAX_SHOTS", 3)
    monkeypatch.setattr("blendgen.engine.blender.importing.inventory.measurer", lambda *_: SizedMeasurer())
    write_photos(tmp_path / "photos", photos_of(range(3)))
    write_base(tmp_path)


def test_match_prints_values_what_is_not_determined_and_what_comes_next(tmp_path):
    result = blendgen("match", "photos", "-o", "matched.yaml", "--spec", "base.yaml")
    lines = result.stdout.splitlines()
    assert result.returncode == 0, result.stderr
    assert lines[:2] == ["matched.yaml", "matched.match.json"]
    assert any(line.startswith("sensor.blur_px: ") for line in lines)
    assert any(line.startswith("not determined by the photos: lighting: ") for line in lines)
    assert lines[-1] == "  blendgen compare photos out"
    assert "warning: 3 photos: what varies" in result.stderr
    checked = blendgen("check", "matched.yaml")
    assert checked.returncode == 0, checked.stderr


def test_match_without_a_place_for_its_spec_or_photos_is_a_wrong_command_line():
    assert blendgen("match", "photos").returncode == 2
    result = blendgen("match", "nowhere", "-o", "a.yaml", "--spec", "base.yaml")
    assert result.returncode == 2 and "nowhere: does not exist" in result.stderr


def test_compare_prints_differences_and_json(tmp_path):
    catalog = Catalog((make_product("box", "box", (0.1, 0.06, 0.03)),))
    make_dataset(tmp_path / "out", catalog, 4, resolution=(96, 72), exposures_per_shot=1)
    result = blendgen("compare", "photos", "out")
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines()[0] == "page: out/compare-photos.html"
    assert "3 photos, 4 images: " in result.stdout
    as_json = json.loads(blendgen("compare", "photos", "out", "--json").stdout)
    assert as_json["schema_version"] == 1 and as_json["images"] == 4


def test_compare_with_a_folder_that_is_not_a_data_set_is_an_error(tmp_path):
    result = blendgen("compare", "photos", "models")
    assert result.returncode != 0 and "models" in result.stderr and "Traceback" not in result.stderr
