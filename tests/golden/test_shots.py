"""What is sampled for the example scenes stays the same, unless PIXELS_VERSION says otherwise."""

from __future__ import annotations

import pytest

from tests.golden import shots
from tests.golden.sheet import RENEW

TABLE = {
    "shot.camera.distance_m": ["aa"] * 20,
    "shot.camera.mount": ["bb"] * 20,
    "shot.lamps.0.kind": ["cc"] * 20,
}


def test_shots_and_exposures_of_every_scene_are_sampled_as_before():
    lines = shots.differences(shots.read_table(), shots.sampled_table())
    assert not lines, "\n".join([RENEW, *lines])


def test_every_scene_is_among_them():
    from blendgen.system.resources import resource_folder

    assert set(shots.SAMPLED) == {file.stem for file in resource_folder("scenes").glob("*.yaml")}
    assert sum(map(len, shots.SAMPLED.values())) == 20


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
