"""`make dist`: the wheel and the source distribution of the last commit in dist/, built twice and compared.

In: HEAD of git; what is not committed is left out. Out: two files in a new or empty folder.
CITATION.cff and CHANGELOG.md must name the version of the package. With
`python -m tests.release OUT --tag v0.1.0` the tag must, too, and the changes need a date.
Needs the extra `release`, for twine.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import yaml

from tests.markdown import REPOSITORY

DIST = REPOSITORY / "dist"
# what PyPI would show as the size; a file that does not belong there makes it grow
LARGEST_MB = 4.0
_VERSION = re.compile(r'^__version__ = "(.+)"$', re.MULTILINE)


def version(tree: Path) -> str:
    (number,) = _VERSION.findall((tree / "blendgen" / "__init__.py").read_text("utf-8"))
    return number


def complaints(tree: Path, tag: str | None) -> list[str]:
    """What a release of this tree would lack."""
    number = version(tree)
    cited = str(yaml.safe_load((tree / "CITATION.cff").read_text("utf-8"))["version"])
    heading = re.compile(rf"^## \[{re.escape(number)}\] - \d{{4}}-\d\d-\d\d$", re.MULTILINE)
    changes = (tree / "CHANGELOG.md").read_text("utf-8")
    lacks = []
    if cited != number:
        lacks.append(f"CITATION.cff: version is {cited}, that of blendgen is {number}")
    if not re.search(r"^## \[Unreleased\]$", changes, re.MULTILINE):
        lacks.append("CHANGELOG.md: has no heading `## [Unreleased]`")
    if tag is not None and tag != f"v{number}":
        lacks.append(f"the tag is {tag}, expected v{number}")
    if tag is not None and len(heading.findall(changes)) != 1:
        lacks.append(f"CHANGELOG.md: expected one heading such as `## [{number}] - 2026-11-30`")
    return lacks


def committed(folder: Path) -> Path:
    """The files of HEAD in folder; all times are those of now."""
    archive = folder / "tree.tar"
    subprocess.run(["git", "archive", "--output", archive, "HEAD"], cwd=REPOSITORY, check=True)
    with tarfile.open(archive) as files:
        files.extractall(folder / "tree", filter="data")
    return folder / "tree"


def build(tree: Path, out: Path) -> list[Path]:
    """The wheel and the source distribution of a tree."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-t", "sdist", "-d", str(out)]
    subprocess.run(command, cwd=tree, check=True, stdout=subprocess.DEVNULL)
    return sorted(out.iterdir())


def build_twice(tree: Path, out: Path) -> list[Path]:
    """Exits where two builds differ, or a file is too large."""
    files = build(tree, out)
    with tempfile.TemporaryDirectory() as name:
        for one, other in zip(files, build(tree, Path(name)), strict=True):
            if one.name != other.name or one.read_bytes() != other.read_bytes():
                sys.exit(f"{one.name}: two builds of the same files differ")
    for file in files:
        if file.stat().st_size > LARGEST_MB * 1e6:
            sys.exit(f"{file.name}: has {file.stat().st_size / 1e6:.1f} MB, expected at most {LARGEST_MB}")
    return files


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.release")
    parser.add_argument("out", type=Path, nargs="?", default=DIST)
    parser.add_argument("--tag")
    options = parser.parse_args(arguments)
    out = options.out.resolve()
    if out.exists() and any(out.iterdir()):
        sys.exit(f"{out}: is not empty; remove it first")
    with tempfile.TemporaryDirectory() as name:
        tree = committed(Path(name))
        if lacks := complaints(tree, options.tag):
            sys.exit("\n".join(lacks))
        files = build_twice(tree, Path(name) / "dist")
        subprocess.run([sys.executable, "-m", "twine", "check", "--strict", *files], check=True)
        out.mkdir(parents=True, exist_ok=True)
        for file in files:
            print(shutil.copyfile(file, out / file.name), f"{file.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main(sys.argv[1:])
