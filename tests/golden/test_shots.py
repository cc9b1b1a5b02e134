"""What is sampled for fixed specs stays the same, unless PIXELS_VERSION says otherwise."""

from __future__ import annotations

from typing import get_args

import pytest
from pydantic import BaseModel

from blendgen.spec.fields import distribution_field
from blendgen.spec.links import distributions_of
from blendgen.spec.model import Spec
from tests.golden import shots
from tests.golden.sheet import RENEW

TABLE = {
    "shot.camera.distance_m": ["aa"] * 20,
    "shot.camera.mount": ["bb"] * 20,
    "shot.lamps.0.kind": ["cc"] * 20,
}


@pytest.mark.parametrize("group", shots.GROUPS, ids=["scenes", "specs"])
def test_shots_and_exposures_are_sampled_as_before(group):
    lines = shots.differences(shots.read_table(group), shots.sampled_table(group), group)
    assert not lines, "\n".join([RENEW, *lines])


@pytest.mark.parametrize("group", shots.GROUPS, ids=["scenes", "specs"])
def test_every_spec_of_the_folder_is_among_them(group):
    assert set(group.images) == {file.stem for file in group.folder.glob("*.yaml")}


def test_every_scene_has_its_images():
    assert sum(map(len, shots.SCENES.images.values())) == 20


def test_every_parameter_varies_in_some_spec():
    varying = set()
    for group in shots.GROUPS:
        for spec in map(group.spec, group.images):
            distributions = {".".join(path): one for path, (one, _) in distributions_of(spec, ())}
            distributions |= {f"camera.{name}": one for name, one in spec.camera.defaults().items()}
            varying |= {name for name, distribution in distributions.items() if distribution.dimensions}
    assert set(parameters(Spec)) - varying == set()


def parameters(section, prefix=""):
    """Dotted names of all fields that take a distribution."""
    for name, info in section.model_fields.items():
        types = (info.annotation, *get_args(info.annotation))
        inner = next((t for t in types if isinstance(t, type) and issubclass(t, BaseModel)), None)
        if inner is not None:
            yield from parameters(inner, f"{prefix}{name}.")
        elif distribution_field(info) is not None:
            yield prefix + name


def test_a_difference_names_parameters_and_images():
    now = {**TABLE, "shot.camera.distance_m": ["aa"] * 18 + ["dd"] * 2, "shot.new": ["ee"] * 20}
    del now["shot.camera.mount"]
    assert shots.differences(TABLE, now) == [
        "shot.camera.distance_m: tote 7, tote 15",
        "shot.camera.mount: is gone",
        "shot.new: is new",
    ]
    assert shots.differences(TABLE, TABLE) == []


@pytest.mark.parametrize(
    ("value", "same"),
    [(0.1 + 0.2, 0.3), ([[1.0, -0.0]], [[1.0, 0.0]]), ({"a": 1 / 3}, {"a": 0.333333333333})],
)
def test_the_last_bits_of_numbers_do_not_count(value, same):
    assert shots.digest_of(value) == shots.digest_of(same)


@pytest.mark.parametrize(
    ("value", "other"), [(0.3, 0.30000001), (1, 2), ("a", "b"), ([1.0, 2.0], [2.0, 1.0])]
)
def test_all_else_counts(value, other):
    assert shots.digest_of(value) != shots.digest_of(other)
