"""A comparison of photos and a data set: a page that works offline, and the same numbers as JSON."""

from __future__ import annotations

import json
from html.parser import HTMLParser

import numpy as np
import pytest

from blendgen import api
from blendgen.dataset.layout import Layout
from blendgen.dataset.report_files import report_files
from blendgen.errors import DatasetError, UsageError
from blendgen.models.product import Catalog
from blendgen.photos.measure import Measure
from blendgen.photos.sets import differences, of_set
from blendgen.photos.statistics import STATISTICS
from tests.conftest import make_product
from tests.exporters.conftest import make_dataset
from tests.matching.places import photos_of, write_photos


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    catalog = Catalog((make_product("box", "box", (0.1, 0.06, 0.03)),))
    place = tmp_path_factory.mktemp("set") / "out <b>"
    return make_dataset(place, catalog, 5, resolution=(96, 72), exposures_per_shot=1).root


@pytest.fixture
def place(tmp_path):
    return write_photos(tmp_path / "photos", photos_of(range(4), exposure_gain_db=18, blur_px=2.0))


class Tags(HTMLParser):
    def __init__(self, text: str):
        super().__init__()
        self.names, self.sources = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.names.append(tag)
        self.sources += [value for name, value in attrs if name in ("src", "href")]


def test_a_page_and_its_numbers_are_written_and_nothing_is_fetched(out, place, tmp_path):
    comparison = api.compare(place, out, tmp_path / "page.html")
    tags = Tags((tmp_path / "page.html").read_text())
    assert all(source.startswith("data:image/webp") for source in tags.sources)
    assert tags.names.count("img") == 4 + 5 and "script" not in tags.names and "b" not in tags.names
    assert tags.names.count("tr") == 1 + len(STATISTICS)
    numbers = json.loads((tmp_path / "page.json").read_text())
    assert [one["name"] for one in numbers["differences"]] == [one.name for one in comparison.differences]
    assert numbers["photos"] == 4 and numbers["images"] == 5


def test_the_page_in_the_data_set_stays_out_of_it_and_is_replaced(out, place):
    first = api.compare(place, out)
    assert first.page == out / "compare-photos.html"
    assert api.compare(place, out).page == first.page
    assert {"compare-photos.html", "compare-photos.json"} <= set(report_files(Layout(out)))


def test_files_of_others_and_wrong_names_are_refused(out, place, tmp_path):
    (tmp_path / "mine.html").write_text("mine")
    with pytest.raises(DatasetError, match="not part of a report of blendgen"):
        api.compare(place, out, tmp_path / "mine.html")
    with pytest.raises(UsageError, match=r"ends with \.html"):
        api.compare(place, out, tmp_path / "page.txt")


def sample(values: list[float | None], name: str = "edge_blur") -> dict:
    """A set of pictures that differ in one statistic alone."""
    none = {one.name: Measure(None, reason="plain") for one in STATISTICS}
    return of_set([
        {**none, name: Measure(value, 0.01) if value is not None else Measure(None, reason="no edges")}
        for value in values
    ])  # fmt: skip


def difference(first: list[float | None], second: list[float | None]):
    return next(one for one in differences(sample(first), sample(second)) if one.name == "edge_blur")


def test_a_difference_is_in_units_of_the_photos_spread_and_says_what_to_do():
    photos = [1.0, 1.2, 1.4, 1.6, 1.8, 2.0, 2.2]
    one = difference(photos, [value + 2 for value in photos])
    low, high = one.interval
    assert one.verdict == "differs" and one.spreads == pytest.approx(2 / (1.4826 * 0.4), rel=1e-3)
    assert low < one.spreads < high and one.move == "lower sensor.blur_px or raise sensor.sharpening"


def test_a_difference_that_is_small_or_may_be_chance_is_not_called_one():
    photos = [1.0, 1.2, 1.4, 1.6, 1.8, 2.0, 2.2]
    assert difference(photos, photos).verdict == "alike"
    assert difference([1.0] * 9, [1.05] * 9).verdict == "alike"  # certain, but too small to matter
    assert difference([1.0, 3.0, 2.0], [3.5, 1.2, 2.6]).verdict == "alike"


def test_what_cannot_be_measured_has_no_verdict_and_a_reason():
    one = difference([1.0, 1.1, None, None, None, None], [1.0] * 6)
    assert one.verdict == "unknown"
    assert sample([1.0, None, None])["edge_blur"].reason == "no edges (2 of 3 pictures)"


def test_images_that_vary_less_than_photos_are_named():
    photos = list(np.linspace(0.5, 3.5, 25))
    assert difference(photos, [2.0 + 0.01 * k for k in range(-10, 11)]).varies == "less"
    assert difference([2.0 + 0.01 * k for k in range(-10, 11)], photos).varies == "more"
    assert difference(photos, photos).varies == ""
