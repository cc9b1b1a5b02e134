"""The project's Markdown pages, read for tests: code blocks, command lines, links, anchors, tables.

Only the Markdown that our pages use: ATX headings, fenced blocks, pipe tables, inline links and images.
"""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
DOCS = REPOSITORY / "docs"
PAGES = sorted([*REPOSITORY.glob("*.md"), *DOCS.glob("*.md")])

_FENCE = re.compile(r"^( *)```(.*)$")
_HEADING = re.compile(r"^#{1,6} +(.*?) *$")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_CODE = re.compile(r"`([^`\n]+)`")
_CELL_BORDER = re.compile(r"(?<!\\)\|")


@dataclass(frozen=True)
class Block:
    """A fenced block. info: the words after the fence; line: 1-based, of its first line of text."""

    page: Path
    line: int
    info: tuple[str, ...]
    text: str

    @property
    def name(self) -> str:
        return f"{self.page.relative_to(REPOSITORY).as_posix()}:{self.line}"


@dataclass(frozen=True)
class CommandLine:
    """One `blendgen ...` of a page. complete: from a block of commands, so nothing may be left out."""

    name: str
    words: tuple[str, ...]
    complete: bool


def blocks(page: Path, *languages: str) -> list[Block]:
    """The fenced blocks of a page in one of the languages."""
    return [block for block in _fenced(page) if block.info[:1] and block.info[0] in languages]


def _fenced(page: Path) -> Iterator[Block]:
    opened, info, first, lines = None, (), 0, []
    for number, line in enumerate(page.read_text("utf-8").splitlines(), 1):
        fence = _FENCE.match(line)
        if opened is None and fence:
            opened, info, first, lines = fence[1], tuple(fence[2].split()), number + 1, []
        elif opened is not None and fence and not fence[2].strip():
            yield Block(page, first, info, "\n".join(lines) + "\n")
            opened = None
        elif opened is not None:
            lines.append(line.removeprefix(opened))
    assert opened is None, f"{page}: the block before line {first} is not closed"


def prose(page: Path) -> list[str]:
    """The lines of a page, those of fenced blocks empty."""
    lines, inside = [], False
    for line in page.read_text("utf-8").splitlines():
        fence = bool(_FENCE.match(line))
        lines.append("" if inside or fence else line)
        inside ^= fence
    return lines


def headings(page: Path) -> list[str]:
    return [match[1] for line in prose(page) if (match := _HEADING.match(line))]


def anchors(page: Path) -> set[str]:
    """The fragments that GitHub gives the headings of a page."""
    slugs, count = set(), Counter()
    for heading in headings(page):
        slug = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        slugs.add(f"{slug}-{count[slug]}" if count[slug] else slug)
        count[slug] += 1
    return slugs


def links(page: Path) -> list[tuple[str, str]]:
    """(path, fragment) of every link and image that is not an address on the web."""
    text = "\n".join(re.sub(_CODE, "", line) for line in prose(page))
    targets = [target for target in _LINK.findall(text) if "://" not in target]
    return [(path, fragment) for path, _, fragment in (target.partition("#") for target in targets)]


def code_spans(page: Path) -> list[tuple[int, str]]:
    """(line, text) of every `code` in the prose."""
    return [(n, span) for n, line in enumerate(prose(page), 1) for span in _CODE.findall(line)]


def table(page: Path, *columns: str) -> list[list[str]]:
    """The rows of the one table of a page that has this header; raises AssertionError where there is none."""
    lines = prose(page)
    starts = [n for n, line in enumerate(lines) if _cells(line)[: len(columns)] == list(columns)]
    assert len(starts) == 1, f"{page}: {len(starts)} tables with the columns {columns}"
    rows = []
    for line in lines[starts[0] + 2 :]:
        if not line.startswith("|"):
            break
        rows.append(_cells(line))
    return rows


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in _CELL_BORDER.split(line.strip())[1:-1]]


def table_widths(page: Path) -> Iterator[tuple[int, set[int]]]:
    """(line, numbers of cells) of each run of lines that begin with a pipe."""
    lines, first, widths = [*prose(page), ""], 0, set()
    for number, line in enumerate(lines, 1):
        if line.lstrip().startswith("|"):
            first = first or number
            widths.add(len(_cells(line)))
        elif first:
            yield first, widths
            first, widths = 0, set()


def command_lines(page: Path) -> Iterator[CommandLine]:
    """Every `blendgen ...` of a page, in blocks of commands and in the prose."""
    where = page.relative_to(REPOSITORY).as_posix()
    for block in blocks(page, "sh", "bash", "console"):
        for number, line in _commands(block):
            words = shlex.split(line, comments=True)
            while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
                words.pop(0)
            if words[:1] == ["blendgen"]:
                yield CommandLine(f"{where}:{number}", tuple(words[1:]), True)
    for number, span in code_spans(page):
        if span.startswith("blendgen "):
            words = [word for word in shlex.split(span)[1:] if word != "..."]
            yield CommandLine(f"{where}:{number}", tuple(words), False)


def _commands(block: Block) -> Iterator[tuple[int, str]]:
    """(line, command) of a block: in a console block what follows `$ `; a backslash joins lines."""
    joined, start, going_on = "", 0, False
    for number, line in enumerate(block.text.splitlines(), block.line):
        if not going_on:
            if block.info[0] == "console" and not line.startswith("$ "):
                continue
            joined, start = "", number
            line = line.removeprefix("$ ") if block.info[0] == "console" else line
        going_on = line.endswith("\\")
        joined += line.removesuffix("\\") + " "
        if not going_on:
            yield start, joined.strip()


def steps(block: Block) -> Iterator[tuple[str, str]]:
    """(command, output that the page shows for it) of a console block."""
    for part in f"\n{block.text}".split("\n$ ")[1:]:
        command, _, shown = part.replace("\\\n", " ").partition("\n")
        yield command, shown.strip()
