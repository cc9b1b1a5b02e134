from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("BLENDGEN_CACHE_DIR", str(tmp_path / "cache"))


@pytest.fixture(autouse=True)
def few_shots(monkeypatch):
    """Of the check before a spec is written."""
    monkeypatch.setattr("blendgen.draw.survey.MAX_SHOTS", 3)
