"""Runs with indices to an object store: each is finished only once its own images are there."""

from __future__ import annotations

import json

import pytest

from blendgen.errors import DatasetError
from tests.cloud.machines import stored
from tests.conftest import make_spec

SPEC = make_spec(images=8, seed=61, resolution=[24, 16])


def indices(url):
    return [json.loads(line)["index"] for line in stored(url)["manifest.jsonl"].splitlines()]


def test_other_indices_are_made_too(url, machine):
    for few in ([0, 1], [4, 5]):
        machine().generate(url, spec=SPEC, indices=few)
    assert indices(url) == [0, 1, 4, 5]
    other = machine()
    assert other.generate(url, spec=SPEC, indices=[4, 5]).made == 0 and other.made == []


def test_another_spec_with_as_many_indices_is_refused(url, machine):
    machine().generate(url, spec=SPEC, indices=[0, 1])
    with pytest.raises(DatasetError, match="made from another spec"):
        machine().generate(url, spec=make_spec(images=8, seed=64, resolution=[24, 16]), indices=[0, 1])
