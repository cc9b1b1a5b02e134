"""Suspects: a killed run leaves which shots it was rendering; one that ends in order leaves nothing."""

import json

import pytest

from blendgen.dataset.layout import Layout
from blendgen.dataset.suspects import Suspects
from tests.dataset.test_failures import failures_of, opened


@pytest.fixture
def layout(tmp_path):
    return Layout(tmp_path)


def killed(layout, *shots, crashes=()):
    """A run that is killed while it renders some shots; returns what the next run knows."""
    suspects = Suspects(layout)
    suspects.open()
    for shot in shots:
        suspects.started(shot)
    for shot in crashes:
        suspects.crashed(shot, suspects.crashes.get(shot, 0) + 1)
    suspects._file.close()
    return after(layout)


def after(layout):
    suspects = Suspects(layout)
    suspects.open()
    known = dict(suspects.kills), dict(suspects.crashes)
    suspects.close()
    return known


def test_each_killed_run_counts_for_the_shots_that_it_was_rendering(layout):
    assert killed(layout, 3, 4) == ({3: 1, 4: 1}, {})
    assert killed(layout, 4, 5, crashes=[4]) == ({3: 1, 4: 1, 5: 1}, {4: 1})
    assert killed(layout, 4) == ({3: 1, 4: 2, 5: 1}, {4: 1})
    assert after(layout) == after(layout) == ({3: 1, 4: 2, 5: 1}, {4: 1})


def test_a_shot_that_is_made_or_set_aside_is_not_suspect_any_more(layout):
    killed(layout, 3, 4)
    suspects = Suspects(layout)
    suspects.open()
    suspects.started(3)
    suspects.ended(3)
    suspects.crashed(4, 2)
    suspects.forget({4})
    suspects.close()
    assert not layout.suspects.exists() and after(layout) == ({}, {})


def test_a_run_that_ends_in_order_or_was_asked_to_stop_blames_no_shot(layout):
    suspects = Suspects(layout)
    suspects.started(3)
    suspects.close()
    assert not layout.suspects.exists()
    suspects = Suspects(layout)
    suspects.started(3)
    suspects.stopped()
    suspects.started(4)
    suspects._file.close()  # killed in the time that it was given
    assert after(layout) == ({}, {})


@pytest.mark.parametrize(
    "left", ["", "{", "[]", "\0" * 90, '{"running": 3, "kills": [], "crashes": 7}', "[" * 9000]
)
def test_a_file_that_cannot_be_read_accuses_nobody(layout, left):
    layout.temporary.mkdir()
    layout.suspects.write_text(left)
    assert after(layout) == ({}, {})


def test_only_numbers_of_shots_are_read(layout):
    layout.temporary.mkdir()
    kills = {"3": 2, "x": 1, "-4": 1, "5": 0, "6": "many", "7": True}
    # what is behind the newline is from an older, longer text
    text = json.dumps({"running": [3, "4", None, 1.5, [], True], "kills": kills})
    layout.suspects.write_text(f"{text}\nning: [88]}}")
    assert after(layout) == ({3: 3}, {})


def test_a_link_is_neither_read_nor_followed(layout, tmp_path):
    theirs = tmp_path / "theirs.json"
    theirs.write_text('{"kills": {"3": 9}}')
    layout.temporary.mkdir()
    layout.suspects.symlink_to(theirs)
    assert killed_without_a_file(layout) == ({}, {})
    assert theirs.read_text() == '{"kills": {"3": 9}}'


def killed_without_a_file(layout):
    suspects = Suspects(layout)
    suspects.open()
    suspects.started(3)
    assert suspects._file is None
    return after(layout)


def test_suspects_outlive_a_store_that_did_not_try_them(tmp_path, layout):
    killed(layout, 7)
    for _ in range(2):
        with opened(tmp_path) as store:
            assert store.suspects.kills == {7: 1}
            store.add_failures(failures_of(1))
            store.finish({"engine": "flat"})
    assert layout.suspects.exists()
    with opened(tmp_path, force=True):
        assert not layout.suspects.exists()
