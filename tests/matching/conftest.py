"""Models are measured without Blender, and a spec is checked by few shots."""

from __future__ import annotations

import pytest

from tests.starter.sized_models import SizedMeasurer


@pytest.fixture(autouse=True)
def _without_blender(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BLENDGEN_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr("blendgen.draw.survey.MAX_SHOTS", 3)
    monkeypatch.setattr("blendgen.engine.blender.importing.inventory.measurer", SizedMeasurer)
