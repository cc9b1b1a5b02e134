"""The website of the documentation: all pages, no broken link, nothing from the network."""

from __future__ import annotations

import os
import re
from importlib.util import find_spec

import pytest

from tests.docs_site import INCLUDED, generate, main, navigation, site_name, site_text, stage
from tests.markdown import DOCS, PAGES, REPOSITORY

# what a page loads at once; links to other sites are not meant
LOADED = re.compile(
    r"<(?:script|img|iframe)[^>]*src=[\"']?(?:https?:)?//|<link[^>]*href=[\"']?(?:https?:)?//[^>]*>"
)


def test_every_page_is_in_the_navigation_once():
    names = [name for section in navigation() for pages in section.values() for page in pages
             for name in page.values()]  # fmt: skip
    assert sorted(names) == sorted(site_name(page) for page in set(PAGES) - INCLUDED)


def test_links_between_pages_stay_and_links_to_source_code_become_text():
    readme, contributing = (site_text(REPOSITORY / name) for name in ("README.md", "CONTRIBUTING.md"))
    assert "](tutorial.md)" in readme and "](docs/" not in readme
    assert "](conveyor_phones.jpg)" in readme and "](changelog.md)" in readme
    assert "](tests/" not in contributing and "tests/test_language.py" in contributing


def test_a_block_has_one_word_after_its_fence():
    assert "```yaml\ncamera: {rig: overhead" in site_text(DOCS / "camera.md")


def test_a_folder_with_other_files_is_not_replaced(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine", "utf-8")
    with pytest.raises(SystemExit, match="is not a site"):
        main(tmp_path)
    assert (tmp_path / "thesis.txt").exists()


@pytest.fixture(scope="module")
def staged(tmp_path_factory):
    if not (find_spec("zensical") or os.environ.get("BLENDGEN_TEST_SITE")):
        pytest.skip("zensical is not installed; see `make site`")
    folder = tmp_path_factory.mktemp("site")
    stage(folder)
    return folder


@pytest.mark.slow
def test_the_site_has_every_page_and_loads_nothing_from_the_network(staged):
    assert generate(staged) == ""
    pages = {page.stem: page.read_text("utf-8") for page in (staged / "site").glob("*.html")}
    assert {site_name(page).removesuffix(".md") for page in set(PAGES) - INCLUDED} <= set(pages)
    assert {name: tag[0] for name, text in pages.items() if (tag := LOADED.search(text))} == {}
    assert "photon transfer" in (staged / "site" / "search.json").read_text("utf-8")
    assert all(
        (staged / "site" / name).exists() for name in re.findall(r'src="(pictures/[^"]+)"', pages["camera"])
    )


@pytest.mark.slow
def test_a_link_to_a_heading_that_is_missing_is_an_error(staged):
    page = staged / "docs" / "concepts.md"
    page.write_text(page.read_text("utf-8") + "\n[nowhere](camera.md#nowhere)\n", "utf-8")
    assert "anchor does not exist" in generate(staged)
