"""The learning benchmark: paired differences, rank correlations, and the page of its numbers."""

from __future__ import annotations

import json

import pytest

from benchmarks.learning import VARIANTS
from benchmarks.learning_arms import ALIGNED, GUESSED, ON_ALL_PHOTOS, PHOTO_ARMS, RENDERS, photos_arm
from benchmarks.learning_page import FROZEN, NETWORKS, results_page
from benchmarks.networks import NAMES, Work, order
from benchmarks.paired import DISTANCES, differences, rank_correlations, right_shares
from blendgen.cli.progress import Progress
from blendgen.dataset.dataset import open_dataset
from tests.conftest import REPOSITORY, make_product
from tests.exporters.conftest import Catalog, make_dataset

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


def test_seeds_that_are_missing_are_left_out_of_a_difference_and_stated_on_the_page():
    values = json.loads((REPOSITORY / "docs" / "results" / FROZEN).read_text())
    del values["results"]["matched"]["arms"][ON_ALL_PHOTOS][1:]
    own = {one["name"]: one["by_seed"] for one in differences(values["results"])}
    assert len(own["match"]) == 1 and len(own["match, with unlabelled photos"]) == values["seeds"]
    page = results_page({**values, "differences": differences(values["results"])}, None)
    assert page.count(f", 1 of {values['seeds']} seeds") == 1


def test_what_matters_most_is_trained_first_and_nothing_twice():
    every = [(name, seed, arm) for name, seed, arms in order(3) for arm in arms]
    assert len(every) == len({*every}) == 3 * (2 + len(PHOTO_ARMS) + len(NAMES) - 1)
    names, photos = [one[0] for one in every], [one[2] for one in every]
    assert [*dict.fromkeys(names)] == [*NAMES] and {*names[: names.index(NAMES[1])]} == {"base"}
    assert photos.index(GUESSED) > [at for at, arm in enumerate(photos) if arm == photos_arm(20, True)][-1]


def test_an_arm_has_the_seeds_before_the_first_that_is_missing(tmp_path):
    box, sphere = (Catalog((make_product(name, name, (0.1, 0.06, 0.03)),)) for name in ("box", "sphere"))
    dataset = open_dataset(make_dataset(tmp_path / "base", box, 2).root)
    work = Work(tmp_path, tmp_path, 2, Progress(own_stdout=False))
    for seed, arms in enumerate([{RENDERS: "10", GUESSED: "01"}, {RENDERS: "11"}, {GUESSED: "00"}]):
        work.store(dataset, seed, arms)
    assert work.arms(dataset, 3) == {RENDERS: ["10", "11"], GUESSED: ["01"]}
    assert work.arms(dataset, 1) == {RENDERS: ["10"], GUESSED: ["01"]}
    other = open_dataset(make_dataset(tmp_path / "other" / "base", sphere, 2).root)
    assert work.arms(other, 3) == {}  # of another data set of this name
