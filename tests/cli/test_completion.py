"""Completion: the scripts in real shells, what is suggested, and that it comes quickly."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.shell_completion import ShellComplete

from blendgen.cli import group
from blendgen.cli.completion import SHELLS
from blendgen.cli.completions import formats
from blendgen.exporters.formats import format_names
from blendgen.spec.presets import preset_names
from tests.cli.in_process import blendgen
from tests.docs_pages import all_commands

# of each shell: prints what the shell suggests for an export format that begins with "co"
ASK = {
    "bash": "COMP_WORDS=(blendgen export out co) COMP_CWORD=3; _blendgen_completion blendgen; "
    'echo "${COMPREPLY[@]}"',
    "fish": "complete -C 'blendgen export out co'",
}


def suggested(*words: str) -> list[str]:
    """The values that a shell gets for the last word."""
    *before, typed = words
    completion = ShellComplete(group, {}, "blendgen", "_BLENDGEN_COMPLETE")
    return [item.value for item in completion.get_completions(before, typed)]


@pytest.fixture
def path(tmp_path, monkeypatch):
    """A folder of the PATH with the program."""
    program = tmp_path / "bin" / "blendgen"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m blendgen "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    return tmp_path


def run_in(shell: str, script: str) -> subprocess.CompletedProcess:
    if shutil.which(shell) is None:
        pytest.skip(f"there is no {shell}")
    return subprocess.run([shell, "-c", script], capture_output=True, text=True, timeout=240)


@pytest.mark.parametrize("shell", [pytest.param("fish", marks=pytest.mark.slow), "bash"])
def test_a_shell_completes_with_its_script(path, shell):
    (path / "script").write_text(blendgen("completion", shell).stdout)
    done = run_in(shell, f"source {path / 'script'}; {ASK[shell]}")
    assert done.stdout.split() == ["coco"]


@pytest.mark.slow
def test_zsh_takes_its_script(path):
    (path / "script").write_text(blendgen("completion", "zsh").stdout)
    done = run_in(
        "zsh", f"autoload -U compinit && compinit -u -D; . {path / 'script'}; echo $_comps[blendgen]"
    )
    assert (done.stdout, done.stderr) == ("_blendgen_completion\n", "")


def test_bash_adds_no_space_after_a_field_that_gets_a_value():
    assert "[[ $value == *= ]] && compopt -o nospace\n" in blendgen("completion", "bash").stdout


def test_presets_formats_and_fields_are_suggested():
    assert suggested("check", "s.yaml", "--render", "") == preset_names("render")
    assert suggested("export", "out", "web") == ["webdataset"]
    assert suggested("check", "s.yaml", "--set", "camera.elev") == ["camera.elevation_deg="]
    assert suggested("merge", "--link", "") == ["hard", "copy", "move"]
    assert suggested("completion", "") == [*SHELLS]
    assert "--time-limit" in suggested("generate", "s.yaml", "--ti")


def test_all_formats_are_suggested_without_their_import():
    assert formats() == format_names()


def test_specs_are_suggested_before_other_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scenes").mkdir()
    for name in ("scene.yaml", "scenery.txt", "scenes/a.yml"):
        (tmp_path / name).touch()
    assert suggested("check", "sc") == ["scene.yaml", "scenes/"]
    assert suggested("check", "scenes/") == ["scenes/a.yml"]
    assert suggested("check", "absent/") == ["absent/"]  # the shell lists files itself


def test_a_folder_that_cannot_be_looked_into_is_left_out(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scene.yaml").touch()

    def forbidden(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "is_dir", forbidden)
    assert suggested("check", "sc") == ["scene.yaml"]


@pytest.mark.parametrize("name", ["my scene.yaml", "m$(id).yaml", "m'.yaml", "m\n.yaml", "m*.yaml"])
def test_names_that_need_quotes_are_left_to_the_shell(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).touch()
    (tmp_path / "ma.yaml").touch()
    assert suggested("check", "m") == ["m"]
    assert suggested("check", "ma") == ["ma.yaml"]


@pytest.mark.parametrize("command", [command for _, command in all_commands()])
def test_every_value_can_be_asked_for(command):
    context = click.Context(command)
    for param in command.params:
        assert isinstance(param.shell_complete(context, "x"), list)


def test_a_completion_loads_nothing_slow():
    code = "import sys\nfrom blendgen.cli import main\nsys.argv = ['blendgen']\n"
    code += "try:\n    main()\nexcept SystemExit:"
    code += "\n    print([name for name in ('bpy', 'numpy', 'pydantic', 'yaml') if name in sys.modules])"
    words = {"COMP_WORDS": "blendgen generate s.yaml --set camera.r", "COMP_CWORD": "4"}
    environment = {**os.environ, **words, "_BLENDGEN_COMPLETE": "bash_complete"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert done.stdout.splitlines() == ["plain,camera.rig=", "plain,camera.roll_deg=", "[]"]
