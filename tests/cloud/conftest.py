"""An object store in the memory of this process, and machines that use it."""

from __future__ import annotations

import pytest

from blendgen.cloud import objects
from tests.cloud.machines import Machine


@pytest.fixture
def url(monkeypatch):
    """A place with a hostile name, in a store that is empty."""
    memory = pytest.importorskip("fsspec.implementations.memory").MemoryFileSystem
    monkeypatch.setattr(memory, "store", {})
    monkeypatch.setattr(memory, "pseudo_dirs", [""])
    monkeypatch.setattr(objects, "WAITS_S", (0.0, 0.0))
    return "memory://bucket/a b/ü#1?x=%20"


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """Makes a machine with an empty disk."""
    count = iter(range(100))
    return lambda **options: Machine(tmp_path / f"disk{next(count)}", monkeypatch, **options)
