import pytest

from tests.docs_pages import DOCS, PAGES


@pytest.mark.parametrize("name", PAGES)
def test_the_pages_made_from_the_code_are_up_to_date(name):
    assert (DOCS / name).read_text("utf-8") == PAGES[name](), "run `make docs`"


def test_every_link_of_the_documentation_leads_somewhere():
    import re

    for page in [*DOCS.glob("*.md"), DOCS.parent / "README.md"]:
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text("utf-8")):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name}: {target}"
