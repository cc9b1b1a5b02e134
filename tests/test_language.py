"""One vocabulary: no file of the repository uses a word that we have replaced.

The list follows the vocabulary of CONTRIBUTING.md. Words are searched in all text, where `_` counts as
a space; names that say nothing of their content are searched among assigned names and arguments only.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

# pattern -> what to write instead; letters match in both cases
WORDS = {
    r"laws?": "distribution",
    r"rosters?": "class table",
    r"steering": "sweep",
    r"told": "reported, printed, given; or name the content",
    r"beside": "next to, compared with, while",
    r"anew": "again, once more",
    r"mend(s|ed|ing)?": "fix, repair",
    r"hires?|hired|hiring": "start (a worker)",
    r"bury|buries|buried": "reap (a worker)",
    r"dismiss(es|ed|ing)?": "shut down (a worker)",
    r"recruit(s|ed|ing)?|enlisted": "early worker",
    r"in hand": "pending, unfinished",
    r"insistent": "name what it does",
    r"stand(s|ing)? for": "represent, mean; or name what it returns",
    r"(?<!there )(is|are) no (?!longer\b|more\b|less\b|\w+er than\b)\w+": "is not a ...",
    r"no such (?!file\b)": "does not exist, is unknown",
}
# names of variables, arguments and fields that say nothing of their content
EMPTY_NAMES = {"told", "found", "kept", "seen", "asked", "meant", "said", "heard", "worn"}
OLD_CLASSES = {"Hand", "Law", "Plain", "Recruit", "Roster", "Steering"}
# exact text: names from before the first release -> their names now
OLD_NAMES = {
    r"\bquality_db\b": "target_psnr_db",
    r"(?<!products_)\bper_image\b": "products_per_image",
    r"\bcamera\.aim\b|^ +aim:": "camera.subject_offset",
    r"\bcamera\.mounts\b|^ +mounts:": "camera.camera_count",
    r"\bcoverage: *(even|random)\b": "sampling: low_discrepancy",
    r"\boutput\.coverage\b": "output.soft_masks",
    r"\bobject_coordinates\b": "nocs",
    r"\boriented_boxes\b|\bbbox_oriented\b": "obb",
    r"\bboxes_3d\b": "bbox_3d",
    r"\bblendgen draw\b": "blendgen sample",
    r"\bblendgen assets\b": "blendgen models",
    r"--deep\b": "--ray-check, --rerender",
    r"--with\b(?!-)": "--include",
}
# file -> words of the lists above that are right there
ALLOWED = {
    "CONTRIBUTING.md": {*WORDS},
    "tests/test_language.py": {*WORDS, *OLD_NAMES, *OLD_CLASSES},
    "blendgen/spec/renamed_keys.py": {*OLD_NAMES},
    "blendgen/draw/sampler.py": {*OLD_NAMES},
    "tests/cli/test_generate.py": {*OLD_NAMES},
    "tests/draw/test_splits.py": {*OLD_NAMES},
    "tests/spec/test_links.py": {*OLD_NAMES},
    "tests/spec/test_load.py": {*OLD_NAMES},
}
PATTERNS = (
    *("blendgen/**/*.py", "tests/**/*.py", "benchmarks/**/*.py", "docs/**/*.md", "*.md"),
    *("configs/**/*.yaml", "scenes/**/*.yaml", "Makefile", "pyproject.toml", ".ci/run"),
)
FILES = sorted({path for pattern in PATTERNS for path in REPOSITORY.glob(pattern)})


def name_of(path: Path) -> str:
    return path.relative_to(REPOSITORY).as_posix()


_OLD_NAME = re.compile("|".join(OLD_NAMES), re.MULTILINE)


@cache
def _any_of(allowed: frozenset[str]) -> re.Pattern[str]:
    """All words in one pattern: one pass over most files, in which there are none."""
    words = [pattern for pattern in WORDS if pattern not in allowed] or ["(?!)"]
    return re.compile(rf"\b(?:{'|'.join(words)})\b", re.IGNORECASE)


def banned(text: str, allowed: set[str] = frozenset()) -> Iterator[tuple[int, str, str]]:
    """(line, what is written, what to write instead) for each banned word of a text."""
    if not _any_of(frozenset(allowed)).search(text.replace("_", " ")) and not _OLD_NAME.search(text):
        return
    for number, line in enumerate(text.splitlines(), start=1):
        for pattern, instead in WORDS.items():
            if pattern not in allowed:
                for match in re.finditer(rf"\b({pattern})\b", line.replace("_", " "), re.IGNORECASE):
                    yield number, match[0], instead
        for pattern, instead in OLD_NAMES.items():
            if pattern not in allowed:
                for match in re.finditer(pattern, line):
                    yield number, match[0], instead


_NAME = re.compile(rf"\b_*(?:{'|'.join(sorted(EMPTY_NAMES | OLD_CLASSES))})\b")


def banned_names(source: str, allowed: set[str] = frozenset()) -> Iterator[tuple[int, str, str]]:
    """As `banned`, for the names that Python code assigns, takes as arguments or defines as classes."""
    if not _NAME.search(source):  # most files, which need not be parsed
        return
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.ClassDef(name=name) if name in OLD_CLASSES - allowed:
                yield node.lineno, name, "the name in CONTRIBUTING.md"
            case (
                ast.arg(arg=name)
                | ast.FunctionDef(name=name)
                | ast.Name(id=name, ctx=ast.Store())
                | ast.Attribute(attr=name, ctx=ast.Store())
            ) if name.lstrip("_") in EMPTY_NAMES - allowed:
                yield node.lineno, name, "a name for the content"


def problems(path: Path) -> list[str]:
    text, allowed = path.read_text("utf-8"), ALLOWED.get(name_of(path), set())
    words = list(banned(text, allowed))
    if path.suffix == ".py":
        words += banned_names(text, allowed)
    return [f"{name_of(path)}:{line}: {word!r}, write: {instead}" for line, word, instead in words]


def test_files_use_the_words_of_the_project():
    assert len(FILES) > 900
    assert [problem for path in FILES for problem in problems(path)] == []


@pytest.mark.parametrize(
    "text",
    ["The law of x", "is_told", "beside it", "That is no product.", "no such class", "they are no files",
     "render: {quality_db: 40}", "  aim: [0, 0]", "coverage: even", "--deep 4", "blendgen draw x.yaml"],
)  # fmt: skip
def test_a_banned_word_is_reported(text):
    assert list(banned(text))


@pytest.mark.parametrize(
    "text",
    ["recommend", "besides", "there is no GPU", "is no longer there", "is no larger than 4 MB", "lawn",
     "No such file or directory", "--with-boxes", "products_per_image: 3", "output.soft_masks"],
)  # fmt: skip
def test_similar_words_are_not_reported(text):
    assert not list(banned(text))


@pytest.mark.parametrize(
    "source",
    [
        "found = 1",
        "def f(told): ...",
        "for seen in x: ...",
        "self.kept = 1",
        "class Hand: ...",
        "def seen(): ...",
    ],
)
def test_a_name_that_says_nothing_is_reported(source):
    assert list(banned_names(source))


def test_prose_may_say_found_and_seen():
    assert not list(banned_names('"""Boxes found and seen."""\nfound_boxes = [box for box in seen_boxes]'))


def test_exceptions_are_still_needed():
    def is_needed(name: str) -> bool:
        text = (REPOSITORY / name).read_text("utf-8")
        return any(banned(text)) or (name.endswith(".py") and any(banned_names(text)))

    assert [name for name in ALLOWED if not is_needed(name)] == []
