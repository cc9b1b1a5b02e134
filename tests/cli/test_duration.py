"""Durations on the command line, in the notations of people and of Slurm."""

import click
import pytest

from blendgen.cli.duration import Duration

HOUR = 3600


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90),
        ("90s", 90),
        ("30m", 1800),
        ("3h", 3 * HOUR),
        ("1.5h", 1.5 * HOUR),
        ("1h30m", 1.5 * HOUR),
        ("1h 30m 5s", 1.5 * HOUR + 5),
        ("1:30:00", 1.5 * HOUR),
        ("59:30", 3570),
        ("2-0", 48 * HOUR),
        ("1-12:30", 36.5 * HOUR),
        ("1-12:00:05", 36 * HOUR + 5),
        ("100:00:00", 100 * HOUR),
    ],
)
def test_a_duration_is_read(text, seconds):
    assert Duration().convert(text, None, None) == seconds


@pytest.mark.parametrize(
    "text", ["", "0", "0s", "0:00", "-5m", "1:60:00", "1:2:3:4", "1-", "30m1h", "3 hours", "h", "1e3", "inf"]
)
def test_a_wrong_duration_is_refused(text):
    with pytest.raises(click.BadParameter, match=r"expected a duration of at least 1s, such as 30s.*got '"):
        Duration().convert(text, None, None)
