"""What verify stores of earlier rows."""

from blendgen.verification.earlier import Earlier


def test_a_shot_belongs_to_the_split_of_its_first_row():
    earlier = Earlier()
    rows = [(0, "train"), (0, "train"), (1, "val"), (0, "val"), (1, "train"), (1, "val")]
    assert [earlier.is_in_other_split(*row) for row in rows] == [False, False, False, True, True, False]
