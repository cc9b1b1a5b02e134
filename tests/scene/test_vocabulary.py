"""The names of a spec: the type that a checker sees and the table that the code reads agree."""

from typing import get_args

from blendgen.scene.vocabulary import METRES_PER_UNIT, Unit


def test_every_unit_of_length_has_its_length_in_metres():
    assert get_args(Unit) == tuple(METRES_PER_UNIT)
