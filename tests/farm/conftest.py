"""A spec whose path, and a data set whose path, no shell script may write down without quotes; a cluster."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from tests.farm.engines import needed
from tests.farm.slurm_cluster import slurm_cluster

SPEC = """\
blendgen: 1
name: Shapes & more
products: [{catalog: shapes}]
images: 8
resolution: [16, 16]
render: smoke
"""
HOSTILE = "a b'\"$(touch x) `y` *é\n#{z}\t"


@pytest.fixture
def spec(tmp_path):
    """A spec of eight shots in a folder with a hostile name."""
    folder = tmp_path / HOSTILE
    folder.mkdir()
    (folder / "scene.yaml").write_text(SPEC)
    return folder / "scene.yaml"


@pytest.fixture(scope="module")
def cluster():
    """The environment of a Slurm cluster of two nodes."""
    needed("slurmctld", "slurmd", "munged", "sbatch")
    with tempfile.TemporaryDirectory(prefix="slurm-") as folder, slurm_cluster(Path(folder)) as environment:
        yield environment
