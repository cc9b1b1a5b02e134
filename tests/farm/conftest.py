"""A spec whose path, and a data set whose path, no shell script may write down without quotes."""

from __future__ import annotations

import pytest

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
