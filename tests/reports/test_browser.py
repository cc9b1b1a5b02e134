"""The page of a report in Chromium: it shows names as text, filters, opens images, and is accessible.

Needs the extra `browser` and Debian's chromium; BLENDGEN_TEST_BROWSER=1 turns a skip into a failure.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path

import pytest

from blendgen import api
from blendgen.reports import write
from tests.farm.made import SPEC, make
from tests.reports.many_rows import repeat_rows
from tests.reports.test_report import HOSTILE, renamed

CHROMIUM = shutil.which("chromium")
IS_WANTED = bool(os.environ.get("BLENDGEN_TEST_BROWSER"))
IS_THERE = CHROMIUM is not None and importlib.util.find_spec("axe_playwright_python") is not None
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (IS_THERE or IS_WANTED), reason="needs chromium, playwright, axe-playwright-python"
    ),
]
NAME = HOSTILE.replace("/", "|")
MANY = 100_000
VIEWS = [(1280, "light", False), (400, "dark", False), (1280, "dark", True), (400, "light", True)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A data set whose names are HTML, in two places."""
    place = tmp_path_factory.mktemp("browser") / NAME.replace("|", "")[:40]
    make(place, spec=SPEC.model_copy(update={"images": 30}))
    renamed(place, NAME)
    return place


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def opened(browser):
    """Opens a page; fails at its end if the page wrote an error, showed a dialog or used the network."""
    troubles: list[str] = []
    contexts = []

    def open_page(path: Path, width: int = 1280, scheme: str = "light"):
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda one: one.type in ("error", "warning") and troubles.append(one.text))
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("dialog", lambda dialog: (troubles.append(dialog.message), dialog.accept()))
        page.on("request", lambda one: one.url.startswith("http") and troubles.append(one.url))
        page.goto(path.absolute().as_uri())
        page.wait_for_selector(".tabulator-row")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert troubles == []


def scrolled(page):
    """Scroll through the page, so that all charts are drawn."""
    for y in range(0, page.evaluate("document.documentElement.scrollHeight"), 700):
        page.evaluate(f"window.scrollTo(0, {y})")
        page.wait_for_timeout(60)
    page.wait_for_function(
        "[...document.querySelectorAll('.chart')].every((one) => one.querySelector('svg'))"
    )


def violations(page) -> list[str]:
    from axe_playwright_python.sync_playwright import Axe

    # what fades in has little contrast until then
    page.wait_for_function(
        "[...document.querySelectorAll('.pswp, .pswp__hide-on-close')].every("
        "(one) => getComputedStyle(one).opacity === '1')"
    )
    faults = Axe().run(page).response["violations"]
    return [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in faults]


@pytest.mark.parametrize(("width", "scheme", "compared"), VIEWS)
def test_everybody_can_read_the_page(folder, opened, width, scheme, compared):
    page = opened(api.report(folder, compare=folder if compared else None), width, scheme)
    scrolled(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert violations(page) == []
    page.click("#thumbs li:nth-child(2) button")
    page.wait_for_selector(".pswp__panel h3")
    assert violations(page) == []


def test_names_are_shown_as_text(folder, opened):
    page = opened(api.report(folder))
    scrolled(page)
    assert page.text_content("h1") == page.evaluate("report.sets[0].name") == NAME
    labels = page.evaluate(
        "[...document.querySelectorAll('.tabulator-cell[tabulator-field=label]')].map((e) => e.textContent)"
    )
    assert NAME in labels and "sphere" in labels
    assert page.evaluate("document.querySelectorAll('#main img[src=x], main script').length") == 0


def test_a_bar_and_a_field_filter_the_images(folder, opened):
    page = opened(api.report(folder))
    scrolled(page)
    count = page.evaluate("gallery.rows.length")
    page.locator("#balance svg .mark-rect path").first.click()
    page.wait_for_function(f"gallery.shown.length < {count}")
    assert page.locator("#chips button").count() >= 2
    page.get_by_role("button", name="Clear all filters").click()
    page.wait_for_function(f"gallery.shown.length === {count}")
    field = page.get_by_label("Filter camera.elevation_deg")
    field.scroll_into_view_if_needed()
    field.press_sequentially("0..60")
    page.wait_for_function(f"gallery.shown.length < {count}")
    assert page.evaluate("gallery.shown.every((row) => row['camera.elevation_deg'] <= 60)")
    page.locator(".tabulator-row").first.click()
    page.wait_for_selector(".pswp__panel code")
    assert page.text_content(".pswp__counter").startswith("1 / ")


def test_charts_show_what_the_filters_leave_also_those_that_come_into_view_later(folder, opened):
    page = opened(api.report(folder))
    scrolled(page)
    page.evaluate("window.scrollTo(0, document.documentElement.scrollHeight)")
    page.get_by_label("Filter camera.elevation_deg").press_sequentially("0..60")
    page.wait_for_function("gallery.shown.length < gallery.rows.length")
    counted = (
        "charts.filter((one) => one.selectedBins && one.view).map((one) => "
        "[one.isStale, total(one.view.data('selected').map((bar) => bar.count))])"
    )
    page.wait_for_function(f"{counted}.some(([isStale]) => isStale)")
    scrolled(page)
    page.evaluate("window.scrollTo(0, document.querySelector('#parameters').offsetTop)")
    page.wait_for_function(f"{counted}.every(([isStale]) => !isStale)")
    page.wait_for_function(f"{counted}.every(([, count]) => count > 0)")
    of_elevation = "charts.find((one) => one.place.ariaLabel.includes('camera.elevation_deg'))"
    shown = page.evaluate(f"total({of_elevation}.view.data('selected').map((bar) => bar.count))")
    assert shown == page.evaluate("gallery.shown.length")
    assert page.evaluate(f"{of_elevation}.view.data('selected').every((bar) => bar.low <= 60)")


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """The page of a data set with MANY rows."""
    place = tmp_path_factory.mktemp("many") / "set"
    make(place, spec=SPEC.model_copy(update={"images": 30}))
    repeat_rows(place, MANY)
    return api.report(place, measured=500)


@pytest.mark.timeout(900)
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (400, "dark")])
def test_a_hundred_thousand_rows_are_read_and_filtered(many, opened, width, scheme):
    page = opened(many, width, scheme)
    scrolled(page)
    assert page.evaluate("gallery.rows.length") == MANY
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert violations(page) == []
    page.get_by_label("Filter camera.elevation_deg").press_sequentially("0..60")
    page.wait_for_function(f"gallery.shown.length < {MANY}")
    shown = page.evaluate("gallery.shown.map((row) => row['camera.elevation_deg'])")
    assert shown and max(shown) <= 60
    page.locator(".tabulator-row").last.click()
    page.wait_for_selector(".pswp__panel code")
    assert page.evaluate("performance.memory.usedJSHeapSize") < 2**30


def test_bars_of_numbers_are_found_by_the_values_of_rows(folder, opened):
    """A bar is named "2700" or "0.123457", a row has 2700 or 0.1235."""
    page = opened(api.report(folder))
    places = page.evaluate(
        "[2700, 6500, 0.1235, 3000, null, '2700'].map(placeFinder(['2700', '6500', '0.123457', 'other']))"
    )
    assert places == [0, 1, 2, -1, -1, 0]


def test_an_image_opens_and_turns_with_the_keyboard(folder, opened):
    page = opened(api.report(folder))
    page.locator("#thumbs button").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(".pswp__panel input")
    page.wait_for_selector(".pswp svg rect", state="attached")
    first = page.text_content(".pswp__panel code")
    page.keyboard.press("ArrowRight")
    page.wait_for_function(
        "(first) => document.querySelector('.pswp__panel code').textContent !== first", arg=first
    )
    page.get_by_label("Masks").check()
    page.wait_for_selector(".pswp svg path", state="attached")
    assert "--index" in page.text_content(".pswp__panel code")
    page.keyboard.press("Escape")
    page.wait_for_selector(".pswp", state="detached")
    assert page.evaluate("document.activeElement.tagName") == "BUTTON"


def test_scripts_next_to_the_page_are_loaded(folder, opened, monkeypatch):
    monkeypatch.setattr(write, "SINGLE_FILE_IMAGES", 5)
    page = opened(api.report(folder))
    assert (folder / "report_files").is_dir()
    page.click("#thumbs li:nth-child(2) button")
    page.wait_for_selector(".pswp__panel code")


def test_without_the_images_thumbnails_are_shown(folder, browser, tmp_path):
    """The browser then reports files that are missing, so this page may write errors."""
    shutil.copy(api.report(folder), tmp_path / "alone.html")
    page = browser.new_page()
    page.goto((tmp_path / "alone.html").as_uri())
    page.click("#thumbs li:nth-child(2) button")
    page.wait_for_function("document.querySelector('.pswp__img')?.src.startsWith('data:image/png')")
    page.close()


def test_a_placeholder_stands_where_an_image_is_missing(folder, opened, browser, tmp_path):
    """Without a request for it, where that was known; an image that is deleted later is requested in vain."""
    images = sorted((shutil.copytree(folder, tmp_path / "set") / "images").rglob("*.png"))
    images[1].unlink()
    page = opened(api.report(tmp_path / "set"))
    page.locator(".thumb.missing").get_by_text("no image file").wait_for()
    assert page.locator("#thumbs .thumb").count() == page.locator("#thumbs li").count()
    page.locator("#thumbs button", has=page.locator(".missing")).click()
    page.wait_for_selector(".labelled .missing")
    page.wait_for_selector(".pswp svg rect", state="attached")
    assert page.locator(".pswp__panel a").count() == 0 and violations(page) == []

    later = api.report(tmp_path / "set", measured=1)
    for image in images[2:]:
        image.unlink()
    page = browser.new_page()
    page.goto(later.as_uri())
    page.wait_for_selector(".tabulator-row")
    page.locator("#thumbs li").last.scroll_into_view_if_needed()
    page.wait_for_function("document.querySelectorAll('.thumb.missing').length > 2")
    page.locator("#thumbs button", has=page.locator(".missing")).last.click()
    page.wait_for_selector(".labelled .missing")
    page.close()


def test_columns_are_read_from_chunks_of_every_kind(folder, opened):
    """Numbers in one chunk and names in another one, as two data sets may have them, are names."""
    page = opened(api.report(folder))
    read = "(parts) => { const one = columnOf(parts, 5); return [one.isNumber, [0,1,2,3,4].map(one.value)] }"
    numbers = {"start": 0, "column": [1.5, None, 0]}
    names = {"start": 3, "column": {"names": ["x", "y"], "codes": [1, -1]}}
    assert page.evaluate(read, [numbers]) == [True, [1.5, None, 0, None, None]]
    assert page.evaluate(read, [names]) == [False, [None, None, None, "y", None]]
    assert page.evaluate(read, [numbers, names]) == [False, ["1.5", None, "0", "y", None]]
    assert page.evaluate(read, [{"start": 0, "column": [True, False, None]}])[1][:3] == [
        "true",
        "false",
        None,
    ]


FILTERS = {
    "0.2..0.5": [0.2, 0.5], "> 0.2": [0.5, 3], "<=0.2": [-1, 0.2], "3": [3], "=3": [3], "-2..0": [-1],
    "3..x": [], "x": ["aX"], "a": ["aX"], " ": [-1, 0.2, 0.5, 3, "aX", None],
}  # fmt: skip


def test_filters_of_numbers_and_names(folder, opened):
    page = opened(api.report(folder))
    matching = "([wanted, all]) => all.filter((one) => matches(wanted, one))"
    matching_values = {wanted: page.evaluate(matching, [wanted, FILTERS[" "]]) for wanted in FILTERS}
    assert matching_values == FILTERS
