"""What is packed: the wheel holds the program, the source distribution also what its make targets need.

And the licences of everything in the wheel that others have made.
"""

from __future__ import annotations

import hashlib
import re
import tarfile
import tomllib
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest

from blendgen.reports import page
from tests import release
from tests.conftest import REPOSITORY

PYPROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))
BUILD, PROJECT = PYPROJECT["tool"]["hatch"]["build"]["targets"], PYPROJECT["project"]
VENDOR = REPOSITORY / "blendgen" / "reports" / "vendor"
LICENCE_FILES = sorted(path for pattern in PROJECT["license-files"] for path in REPOSITORY.glob(pattern))
# fonts, panoramas, textures and scripts are seldom written by hand
FOREIGN = {".js", ".css", ".ttf", ".otf", ".woff", ".woff2", ".hdr", ".exr", ".jpg", ".png", ".svg", ".glb",
           ".obj"}  # fmt: skip


def in_the_wheel() -> list[Path]:
    folders = [REPOSITORY / name for name in (*BUILD["wheel"]["packages"], *BUILD["wheel"]["force-include"])]
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    return [path for path in files if "__pycache__" not in path.parts]


def test_the_wheel_holds_the_package_and_its_resources_only():
    assert BUILD["wheel"]["packages"] == ["blendgen"]
    assert set(BUILD["wheel"]["force-include"]) == {"assets", "configs", "scenes"}
    assert (REPOSITORY / "blendgen" / "py.typed").is_file()


def test_the_source_distribution_holds_what_the_make_targets_run():
    modules = re.findall(r"python -m (\w+)", (REPOSITORY / "Makefile").read_text("utf-8"))
    local = {f"/{name}" for name in modules if (REPOSITORY / name).is_dir()}
    resources = {f"/{name}" for name in BUILD["wheel"]["force-include"]}
    included = set(BUILD["sdist"]["include"])
    assert {"/benchmarks", "/tests"} <= local
    assert {"/blendgen", "/docs", "/Makefile", *local, *resources} <= included


def test_everything_that_is_listed_is_there():
    assert all((REPOSITORY / name.lstrip("/")).exists() for name in BUILD["sdist"]["include"])


def test_files_of_others_are_those_of_the_list_byte_for_byte():
    lines = [line.split() for line in (VENDOR / "SHA256SUMS").read_text("utf-8").splitlines()]
    listed = {VENDOR / name: digest for digest, name in lines}
    foreign = {path for path in in_the_wheel() if path.suffix in FOREIGN} - set(
        (VENDOR.parent / "page").iterdir()
    )
    assert set(listed) == foreign
    assert {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in listed} == listed


def test_each_package_of_others_has_its_version_and_its_licence():
    rows = re.findall(
        r"^\| ([\w-]+) \| ([\d.]+) \| ([\w.-]+) \|", (VENDOR / "README.md").read_text("utf-8"), re.M
    )
    folders = {path.name for path in VENDOR.iterdir() if path.is_dir()}
    assert {name for name, _, _ in rows} == folders
    assert {VENDOR / name / "LICENSE" for name in folders} <= set(LICENCE_FILES)
    for name, version, _ in rows:
        bundled = VENDOR / name / "BUNDLED.txt"
        assert not bundled.exists() or f"{name} {version}" in bundled.read_text("utf-8").splitlines()[0]
    stated = {licence for _, _, licence in rows}
    assert stated <= set(PROJECT["license"].split(" AND "))


def test_each_package_within_a_package_has_its_version_and_its_licence():
    texts = [path.read_text("utf-8") for path in LICENCE_FILES if path.name == "BUNDLED.txt"]
    entries = [
        re.split(r"\n\n", part, maxsplit=1) for text in texts for part in re.split(r"\n\n(?===)", text)[1:]
    ]
    heads = [line for head, _ in entries for line in head.splitlines()]
    form = re.compile(r"== [\w .-]+?(?: \d+\.\d+\.\d+|, part of [\w-]+) \(([\w.-]+)\)")
    assert [head for head in heads if not form.fullmatch(head)] == [] and len(heads) > 60
    licences = {match[1] for head in heads if (match := form.fullmatch(head))}
    own = {"GPL-3.0-or-later", "MIT", "BSD-3-Clause"}
    assert licences | own == set(PROJECT["license"].split(" AND "))
    wording = re.compile(
        r"(?i)permission to use|permission is hereby granted|redistribution and use|apache license"
        r"|public domain"
    )
    assert [head for head, text in entries if not wording.search(text)] == []


def test_a_report_carries_the_licences_of_what_it_contains():
    text = page.page({}, {}, "a", "b").decode().replace("&#x27;", "'")
    for file in LICENCE_FILES:
        if file.is_relative_to(VENDOR):
            line = max(file.read_text("utf-8").splitlines(), key=len)
            assert (
                line.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;").replace(">", "&gt;")
                in text
            )


def test_a_release_needs_a_date_and_one_version_everywhere(tmp_path):
    for name in ("blendgen/__init__.py", "CITATION.cff", "CHANGELOG.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes((REPOSITORY / name).read_bytes())
    number = release.version(REPOSITORY)
    assert release.complaints(REPOSITORY, None) == []
    assert release.complaints(REPOSITORY, "v9.9.9")[0] == f"the tag is v9.9.9, expected v{number}"
    changes = tmp_path / "CHANGELOG.md"
    for heading, count in {"": 1, f"## [{number}]\n": 1, f"## [{number}] - 2031-02-03\n": 0}.items():
        changes.write_text(f"# Changelog\n\n## [Unreleased]\n\n{heading}", "utf-8")
        assert len(release.complaints(tmp_path, f"v{number}")) == count
    changes.write_text("# Changelog\n", "utf-8")
    (tmp_path / "CITATION.cff").write_text("version: 0.0.1\n", "utf-8")
    assert len(release.complaints(tmp_path, f"v{number}")) == 3


@pytest.mark.slow
def test_two_builds_are_equal_and_carry_the_licences(tmp_path):
    if not find_spec("hatchling"):
        pytest.skip("hatchling is not installed")
    wheel, source = release.build_twice(REPOSITORY, tmp_path)
    licences = {path.relative_to(REPOSITORY).as_posix() for path in LICENCE_FILES}
    with zipfile.ZipFile(wheel) as packed:
        names = set(packed.namelist())
        (metadata,) = (name for name in names if name.endswith(".dist-info/METADATA"))
        information = packed.read(metadata).decode()
    tops = {name.split("/")[0] for name in names}
    assert tops == {"blendgen", Path(metadata).parent.name}
    assert {f"{Path(metadata).parent}/licenses/{name}" for name in licences} <= names
    assert f"License-Expression: {PROJECT['license']}\n" in information
    with tarfile.open(source) as packed:
        contents = {name.partition("/")[2] for name in packed.getnames()}
    assert licences <= contents and "tests/conftest.py" in contents
    assert not [
        name for name in contents if "__pycache__" in name or name.startswith((".github", "out/", "site/"))
    ]
