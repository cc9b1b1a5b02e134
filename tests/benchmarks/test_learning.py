"""The learning benchmark: paired differences, rank correlations, and the page of its numbers."""

from __future__ import annotations

import json

import pytest

from benchmarks.learning import VARIANTS
from benchmarks.learning_arms import ALIGNED, ON_ALL_PHOTOS, RENDERS, photos_arm
from benchmarks.learning_page import FROZEN, NETWORKS, results_page
from benchmarks.paired import DISTANCES, differences, rank_correlations, right_shares
from tests.conftest import REPOSITORY

_OF_PHOTOS = [photos_arm(count, mixed) for count in (1, 5, 20, None) for mixed in (False, True)]
ARMS = (RENDERS, ALIGNED, ON_ALL_PHOTOS, *_OF_PHOTOS)


def result(right: str, distance: float = 1.0) -> dict:
    return {**dict.fromkeys(DISTANCES, distance), "arms": {arm: [right] * 2 for arm in ARMS}}


def test_a_photo_that_one_of_two_seeds_gets_right_counts_half():
    assert right_shares(["1100", "1010"]).tolist() == [1, 0.5, 0.5, 0]


def test_variants_that_are_missing_are_left_out():
    names = [one["name"] for one in differences({"base": result("1010")})]
    assert "unlabelled photos" in names and "match" not in names
    assert "match" in [one["name"] for one in differences({"base": result("10"), "matched": result("11")})]


def test_a_distance_that_grows_where_accuracy_falls_has_a_correlation_of_minus_one():
    results = {name: result("1" * right + "0" * (4 - right), 5 - right) for right, name in enumerate("abcd")}
    assert all(one["correlation"] == pytest.approx(-1) for one in rank_correlations(results))
    equal = {name: result("1100") for name in "abc"}
    assert all(one["correlation"] is None for one in rank_correlations(equal))


def test_the_committed_page_is_that_of_the_committed_numbers():
    files = [REPOSITORY / "docs" / "results" / name for name in (FROZEN, NETWORKS)]
    values, trained = (json.loads(file.read_text()) if file.exists() else None for file in files)
    assert values["results"].keys() == VARIANTS.keys() == values["variants"].keys()
    assert {name: VARIANTS[name] for name in VARIANTS} == values["variants"]
    assert results_page(values, trained) == (REPOSITORY / "docs" / "results.md").read_text()
    for one in [one for one in (values, trained) if one is not None]:
        assert differences(one["results"]) == one["differences"]
        assert rank_correlations(one["results"]) == one["rank_correlations"]
