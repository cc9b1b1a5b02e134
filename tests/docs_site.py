"""`make site`: the pages of docs/ as a website in site/, which works from the disk and without a network.

In: docs/, README.md, CONTRIBUTING.md, CHANGELOG.md, mkdocs.yml. Out: a folder of HTML, with the navigation of
docs/index.md.
The pages are those that GitHub shows: a copy is changed where the generator reads Markdown otherwise.
`python -m tests.docs_site OUT` builds elsewhere. Broken links and anchors are errors.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import yaml

from tests.markdown import DOCS, PAGES, REPOSITORY, prose

CONFIG, OUT = REPOSITORY / "mkdocs.yml", REPOSITORY / "site"
SHOWN = (".css", ".jpg", ".png", ".svg", ".webp")
# a part of docs/spec.md, not a page
INCLUDED = {DOCS / "spec_intro.md"}
# a folder without it is not a site, and is not replaced
BUILT = "sitemap.xml"
# iframe-worker 1.0.4 (MIT): by it pages on the disk search; zensical would load it from the web
SHIM, SHIM_URL = DOCS / "vendor" / "iframe-worker" / "index.js", "https://unpkg.com/iframe-worker/shim"
_FENCE = re.compile(r"^( *```\w+) .*$", re.MULTILINE)
_LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)#\s]*)([^)\s]*)\)")
_ITEM = re.compile(r"^- \[(.+?)\]\(([^)#]+)\)")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def site_name(page: Path) -> str:
    """The name of a page among all pages of the site: README.md of the repository is readme.md."""
    return page.name if page.parent == DOCS else page.name.lower()


def site_text(page: Path) -> str:
    """A page as the generator reads it."""
    lines = page.read_text("utf-8").splitlines()
    outside_code = prose(page)
    moved = [_LINK.sub(lambda link: _moved(page, link), line) for line in lines]
    text = "\n".join(new if out else old for old, new, out in zip(lines, moved, outside_code, strict=True))
    return _FENCE.sub(r"\1", text) + "\n"  # a second word after ``` makes it take the block for prose


def _moved(page: Path, link: re.Match[str]) -> str:
    """The link, between the pages of the site; to a file of the source code, which is not there, its text."""
    mark, text, target, fragment = link.groups()
    file = (page.parent / target).resolve()
    if "://" in target or not target:
        return link[0]
    if file not in PAGES and not file.is_relative_to(DOCS):
        return text
    name = site_name(file) if file in PAGES else file.relative_to(DOCS).as_posix()
    return f"{mark}[{text}]({name}{fragment})"


def navigation() -> list[dict[str, list[dict[str, str]]]]:
    """The sections of docs/index.md with their pages, as mkdocs.yml writes `nav`."""
    sections: list[dict[str, list[dict[str, str]]]] = [{"Home": [{"Documentation": "index.md"}]}]
    for line in prose(DOCS / "index.md"):
        if line.startswith("## "):
            sections.append({line[3:]: []})
        elif item := _ITEM.match(line):
            pages = next(iter(sections[-1].values()))
            pages.append({item[1]: site_name((DOCS / item[2]).resolve())})
    return sections


def stage(folder: Path) -> None:
    """Write the pages, pictures, styles and settings of the site into an empty folder."""
    settings = yaml.safe_load(CONFIG.read_text("utf-8"))
    (folder / "mkdocs.yml").write_text(yaml.safe_dump({**settings, "nav": navigation()}), "utf-8")
    pages = folder / "docs"
    pages.mkdir()
    for page in set(PAGES) - INCLUDED:
        (pages / site_name(page)).write_text(site_text(page), "utf-8")
    for file in DOCS.rglob("*"):
        place = file.relative_to(DOCS)
        if file.suffix in SHOWN and place.parts[0] != "strips":
            (pages / place).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, pages / place)


def build(out: Path) -> str:
    """Make the site; returns what is wrong with the pages, in which case there is no site."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        stage(folder)
        if complaints := generate(folder):
            return complaints
        shutil.rmtree(out, ignore_errors=True)
        shutil.copytree(folder / "site", out)
    return ""


def generate(folder: Path) -> str:
    """Make folder/site of what is staged in the folder; returns what is wrong with the pages."""
    program = Path(sys.executable).with_name("zensical")
    command = [str(program), "build", "--strict"]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=240)
    if result.returncode:
        return _COLOUR.sub("", result.stdout + result.stderr).split("Traceback")[0].strip()
    place = Path("assets", "javascripts", "iframe-worker.js")
    shutil.copyfile(SHIM, folder / "site" / place)
    for page in (folder / "site").glob("*.html"):
        text = page.read_text("utf-8")
        page.write_text(text.replace(SHIM_URL, place.as_posix()), "utf-8")
    return ""


def main(out: Path) -> None:
    if out.exists() and any(out.iterdir()) and not (out / BUILT).exists():
        sys.exit(f"{out}: is not a site; name a new folder, or remove this one")
    if find_spec("zensical") is None:
        sys.exit("zensical is not installed; `make site` installs it")
    if complaints := build(out):
        sys.exit(complaints)
    print(out / "index.html")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else OUT)
