"""The tutorial, as its reader goes through it: its files, its commands and its Python, in an empty folder."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import trimesh

from blendgen.models.sidecar.schema import MARK
from tests.markdown import DOCS, Block, blocks, steps

TUTORIAL = DOCS / "tutorial.md"
MODELS = {
    "duck": trimesh.creation.icosphere(radius=0.8),
    "shoe": trimesh.creation.box((0.3, 0.12, 0.15)),
    "water_bottle": trimesh.creation.cylinder(radius=0.05, height=0.26),
}
QUICK = ("preview", "generate")  # commands that take a render preset


def run(words: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "HF_HOME": str(folder / "huggingface"), "PYTHONPATH": str(DOCS.parent)}
    return subprocess.run(words, cwd=folder, env=environment, text=True, capture_output=True)


def follow(block: Block, folder: Path) -> None:
    """Do what a block says; raises AssertionError where a command does not end as the page shows."""
    if block.info[0] == "yaml":
        name = "models/duck.yaml" if MARK in block.text else "scene.yaml"
        (folder / name).write_text(block.text, "utf-8")
    elif block.info[0] == "python":
        finished = run([sys.executable, "-c", block.text], folder)
        assert finished.returncode == 0, finished.stderr
    else:
        for command, shown in steps(block):
            words = shlex.split(command)
            if words[0] == "blendgen":
                words = [sys.executable, "-m", *words]
                words += ["--render", "smoke"] if words[3] in QUICK else []
            finished = run(words, folder)
            fails = shown.startswith("blendgen: ")
            assert bool(finished.returncode) is fails, finished.stderr
            assert not fails or shown in finished.stderr


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_tutorial_works(tmp_path):
    (tmp_path / "models").mkdir()
    for name, mesh in MODELS.items():
        mesh.export(tmp_path / "models" / f"{name}.glb")
    for block in blocks(TUTORIAL, "yaml", "console", "python"):
        follow(block, tmp_path)
