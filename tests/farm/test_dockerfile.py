"""The image of the farms: what its Dockerfile says. hadolint reads it in `make lint`."""

import re
import subprocess
import tomllib

from blendgen.system.wheel import SYSTEM_LIBRARIES
from tests.conftest import REPOSITORY
from tests.test_packaging import BUILD

PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
DOCKERFILE = (REPOSITORY / "Dockerfile").read_text()
SENT = [line for line in (REPOSITORY / ".dockerignore").read_text().splitlines() if line.startswith("!/")]


def test_it_installs_the_libraries_that_doctor_looks_for():
    (packages,) = re.findall(r"--no-install-recommends \\\n +([a-z0-9 -]+) \\\n", DOCKERFILE)
    assert sorted(packages.split()) == sorted(SYSTEM_LIBRARIES.values())


def test_the_program_does_not_run_as_root_and_the_volumes_have_its_group():
    from blendgen.farm.kubernetes import _USER

    lines = DOCKERFILE.splitlines()
    assert f"USER {_USER}" in lines and f"RUN useradd --uid {_USER} --create-home blendgen" in lines
    assert lines.index(f"USER {_USER}") < lines.index('ENTRYPOINT ["blendgen"]')


def test_it_installs_the_extras_that_a_build_argument_names():
    last = DOCKERFILE.split("\nFROM ")[-1]
    assert 'ARG EXTRAS=""' in last
    (install,) = re.findall(r"python -m pip install --no-cache-dir (\".*\"); done", last)
    for extras, suffix in {"": "", "cad,heic": "[cad,heic]"}.items():
        environment = {"EXTRAS": extras, "wheel": "/wheels/a.whl"}
        printed = subprocess.check_output(["sh", "-c", f"echo {install}"], env=environment, text=True)
        assert printed == f"/wheels/a.whl{suffix}\n"
    (listed,) = re.findall(r"# extras of blendgen, with commas: (.*)", last)
    assert {*listed.split(", ")} <= {*PROJECT["optional-dependencies"]}


def test_it_states_the_licence():
    assert (
        'org.opencontainers.image.licenses="GPL-3.0-or-later"' in DOCKERFILE and "COPY LICENSE " in DOCKERFILE
    )


def test_the_builder_gets_what_the_wheel_is_made_of_and_nothing_else():
    sent = {line.removeprefix("!/") for line in SENT}
    assert sent == {*BUILD["wheel"]["packages"], *BUILD["wheel"]["force-include"], "LICENSE", "README.md",
                    "pyproject.toml"}  # fmt: skip
    assert all((REPOSITORY / name).exists() for name in sent)
