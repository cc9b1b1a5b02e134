"""Progress of measuring."""

from __future__ import annotations

from pathlib import Path

from blendgen.models.load import measured_catalog
from blendgen.models.measuring.cache import AssetCache
from blendgen.models.measuring.reported import ReportedMeasurer
from blendgen.models.source import Source
from blendgen.system.progress import Counter
from tests.models.measurers import FakeMeasurer


def sources(folder: Path):
    for name in ("a", "bad", "c"):
        (folder / f"{name}.glb").write_text(name)
        yield Source(name, "", "mesh", {"path": str(folder / f"{name}.glb")}, name, f"{name}.glb")


def test_each_model_is_counted_once_and_those_in_the_cache_are_not(tmp_path):
    steps: list[tuple[int, int]] = []
    measurer = ReportedMeasurer(FakeMeasurer(), Counter(lambda done, total: steps.append((done, total))))
    for _ in range(2):
        catalog = measured_catalog(list(sources(tmp_path)), measurer, AssetCache(tmp_path / "cache"))
        assert len(catalog.products) == 2 and len(catalog.refusals) == 1
    assert steps == [(0, 3), (1, 3), (2, 3), (3, 3)]
