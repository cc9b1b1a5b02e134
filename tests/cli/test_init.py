"""blendgen init: what it prints, what it asks, and what it says to wrong inputs."""

from __future__ import annotations

import json
import sys

import pytest

from blendgen.errors import UsageError
from tests.cli.in_process import blendgen
from tests.starter.sized_models import SizedMeasurer, write_models

BOX = "0.1 0.1 0.1"
PHOTO = "photo.png"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A folder of models, next to a file; models are measured without Blender."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BLENDGEN_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr("blendgen.draw.survey.MAX_SHOTS", 3)
    monkeypatch.setattr("blendgen.engine.blender.importing.inventory.measurer", SizedMeasurer)
    write_models(tmp_path / "models", cup__glb=BOX, bad__stl="x")
    write_models(tmp_path / "mine", scene__yaml="mine")
    for name in ("empty", "locked"):
        (tmp_path / name).mkdir()
    (tmp_path / PHOTO).write_text("not a photo")
    return tmp_path


class Terminal:
    """A standard stream that is a terminal."""

    def __init__(self, stream):
        self._stream = stream

    def isatty(self) -> bool:
        return True

    def __getattr__(self, name):
        return getattr(self._stream, name)


def test_what_was_written_and_what_comes_next_is_printed():
    result = blendgen("init", "a b", "--models", "models")
    lines = result.stdout.splitlines()
    assert result.returncode == 0 and lines[:2] == ["a b/scene.yaml", "a b/.gitignore"]
    assert "1 product in 1 class: cup" in lines
    assert "left out: models/bad.stl: a point cloud" in lines
    assert lines[-3:] == [
        "  blendgen preview 'a b/scene.yaml' -o 'a b/preview.png'",
        "  blendgen generate 'a b/scene.yaml' -o 'a b/out' -n 40",
        "  blendgen report 'a b/out'",
    ]


def test_the_result_as_json_has_every_guess():
    result = blendgen("init", "d", "--models", "models", "--json")
    value = json.loads(result.stdout)
    assert value["schema_version"] == 1 and value["written"] == ["d/scene.yaml", "d/.gitignore"]
    assert value["left_out"] == [{"file": "models/bad.stl", "reason": "a point cloud"}]
    assert all(set(one) == {"field", "value", "reason", "photo"} for one in value["guesses"])
    assert value["check"]["classes"] == ["cup"]


def test_models_in_the_folder_are_used_without_a_question(folder):
    write_models(folder / "d" / "models", pen__glb=BOX)
    assert "1 product in 1 class: pen" in blendgen("init", "d").stdout
    assert "directory: models" in (folder / "d" / "scene.yaml").read_text()


def test_a_terminal_is_asked_for_the_models(monkeypatch, folder):
    monkeypatch.setattr("click.prompt", lambda *_, **__: "models")
    monkeypatch.setattr("blendgen.cli.init._is_terminal", lambda: True)
    assert "1 product in 1 class: cup" in blendgen("init", "d").stdout
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setattr("click.prompt", lambda *_, **__: " ~/models")
    assert "1 product in 1 class: cup" in blendgen("init", "f").stdout
    monkeypatch.setattr("click.prompt", lambda *_, **__: "modells")
    result = blendgen("init", "e")
    assert result.returncode == 2 and "'modells' does not exist" in result.stderr
    assert not (folder / "e").exists()


@pytest.mark.parametrize("option", ["--yes", "--json"])
def test_nothing_is_asked_with_an_option(monkeypatch, option):
    def called(*_, **__):
        raise UsageError("not asked")

    monkeypatch.setattr("click.prompt", lambda *_, **__: pytest.fail("asked"))
    monkeypatch.setattr("blendgen.cli.init._is_terminal", lambda: True)
    monkeypatch.setattr("blendgen.api.create_spec", called)
    assert "not asked" in blendgen("init", "d", option).stderr


@pytest.mark.parametrize("terminals", [(), ("stdin",), ("stdout",)])
def test_only_a_person_at_a_terminal_is_asked(monkeypatch, terminals):
    from blendgen.cli.init import _is_terminal

    for name in terminals:
        monkeypatch.setattr(sys, name, Terminal(getattr(sys, name)))
    assert not _is_terminal()


def test_ctrl_c_at_the_question_leaves_nothing(monkeypatch, folder):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("click.prompt", interrupted)
    monkeypatch.setattr("blendgen.cli.init._is_terminal", lambda: True)
    result = blendgen("init", "d")
    assert result.returncode == 130 and result.stderr == "blendgen: stopped\n"
    assert not (folder / "d").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("init",), 2, "Missing argument 'DIR'"),
        (("init", ""), 2, "expected a path, got an empty text"),
        (("init", "s3://bucket/d"), 2, "s3"),
        (("init", "mine"), 2, "mine/scene.yaml: exists, and is not replaced; choose another folder"),
        (("init", PHOTO), 2, "photo.png: is not a folder; choose another one"),
        (("init", "d", "--models", "modells"), 2, "Directory 'modells' does not exist"),
        (("init", "d", "--models", "models/cup.glb"), 2, "Directory 'models/cup.glb' is a file"),
        (("init", "d", "--models", "empty"), 3, "empty: no model in this folder; expected files (.glb"),
        (("init", "d", "--models", "models", "--from", "belt.jpg"), 2, "File 'belt.jpg' does not exist"),
        (("init", "d", "--models", "models", "--from", "models"), 2, "'models' is a directory"),
        (
            ("init", "d", "--models", "models", "--from", PHOTO),
            2,
            "photo.png: not an image; --from expects a photo",
        ),
    ],
)
def test_a_wrong_input_gets_a_line_with_the_way_out(folder, arguments, code, message):
    result = blendgen(*arguments)
    assert result.returncode == code and message in result.stderr and "Traceback" not in result.stderr
    assert not (folder / "d").exists() and not result.stdout
