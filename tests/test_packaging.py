"""What is packed: the wheel holds the program, the source distribution also what its make targets need."""

from __future__ import annotations

import re
import tomllib

from tests.conftest import REPOSITORY

BUILD = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]["targets"]


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
