"""generate --shard and the environment, up to the call of the API."""

import pytest

from blendgen import api
from blendgen.cli import run


@pytest.fixture
def shard_of(monkeypatch):
    """Arguments -> the shard that api.generate gets."""
    calls = []

    def generate(spec, folder, *, shard, **options):
        calls.append(shard)
        raise KeyboardInterrupt

    monkeypatch.setattr(api, "generate", generate)

    def called(*arguments):
        run(["generate", "scene.yaml", "-o", "out", *arguments])
        return calls.pop()

    return called


def test_the_environment_decides_unless_the_user_does(shard_of):
    assert shard_of() == "auto"
    assert shard_of("--shard", "3/10") == "3/10"
    assert shard_of("--shard", "none") is None
    assert shard_of("--index", "0-3") is None
    assert shard_of("--index", "0-3", "--shard", "1/2") == "1/2"  # which the API refuses
