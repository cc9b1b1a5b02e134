"""The tutorial, as its reader goes through it: its files, its commands and its Python, in an empty folder."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from blendgen.models.sidecar.schema import MARK
from tests.markdown import DOCS, Block, blocks, steps

TUTORIAL = DOCS / "tutorial.md"
WITH_PRESET = ("preview", "generate")
# commands whose output does not depend on the shapes of the models
SAME_FOR_ALL_MODELS = ("preview", "generate", "verify", "export")


def run(words: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "HF_HOME": str(folder / "huggingface"), "PYTHONPATH": str(DOCS.parent)}
    return subprocess.run(words, cwd=folder, env=environment, text=True, capture_output=True)


def write_models(folder: Path) -> None:
    import trimesh  # slow to load

    folder.mkdir()
    models = {
        "duck": trimesh.creation.icosphere(radius=0.8),
        "shoe": trimesh.creation.box((0.3, 0.12, 0.15)),
        "water_bottle": trimesh.creation.cylinder(radius=0.05, height=0.26),
    }
    for name, mesh in models.items():
        mesh.export(folder / f"{name}.glb")


def save(block: Block, folder: Path) -> None:
    name = "models/duck.yaml" if MARK in block.text else "scene.yaml"
    (folder / name).write_text(block.text, "utf-8")


def run_command(command: str, shown: str, folder: Path) -> None:
    """Raises AssertionError where the command does not end as the page shows."""
    program, *rest = shlex.split(command)
    if program != "blendgen":
        assert run([program, *rest], folder).returncode == 0
        return
    preset = ["--render", "smoke"] if rest[0] in WITH_PRESET else []
    finished = run([sys.executable, "-m", "blendgen", *rest, *preset], folder)
    fails = shown.startswith("blendgen: ")
    assert bool(finished.returncode) is fails, finished.stderr
    if fails or rest[0] in SAME_FOR_ALL_MODELS:
        printed = f"{finished.stdout}\n{finished.stderr}".splitlines()
        assert [line for line in shown.splitlines() if line not in printed] == [], printed


def run_python(code: str, shown: str, folder: Path) -> None:
    finished = run([sys.executable, "-c", code], folder)
    assert finished.stdout == shown, finished.stderr


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_tutorial_works(tmp_path):
    write_models(tmp_path / "models")
    parts = iter(blocks(TUTORIAL, "yaml", "console", "python", "text"))
    for block in parts:
        match block.info[0]:
            case "yaml":
                save(block, tmp_path)
            case "python":
                run_python(block.text, next(parts).text, tmp_path)
            case "console":
                for command, shown in steps(block):
                    run_command(command, shown, tmp_path)
