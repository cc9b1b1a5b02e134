"""The Python of README.md and docs/python.md, run as its reader does: all blocks of a page in one session."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

import blendgen
from blendgen import api, errors
from tests.markdown import DOCS, REPOSITORY, Block, blocks

pytest.importorskip("bpy")

README, PYTHON = REPOSITORY / "README.md", DOCS / "python.md"
SCENE = """\
blendgen: 1
name: shapes
products: [{catalog: shapes}]
images: 12
resolution: [64, 64]
render: smoke
"""
needs_torch = pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed")


def session(page_blocks: list[Block], folder: Path, timeout_s: float) -> str:
    """What the blocks print, run one after the other by a Python that gets them through stdin."""
    (folder / "scene.yaml").write_text(SCENE)
    program = "\n".join(block.text for block in page_blocks)
    result = subprocess.run(
        [sys.executable, "-"], input=program, cwd=folder, capture_output=True, text=True, timeout=timeout_s
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_the_readme_has_one_example_of_eight_lines():
    (block,) = blocks(README, "python")
    assert len(block.text.splitlines()) == 8


@pytest.mark.parametrize("name", sorted({*blendgen.__all__, *api.__all__}))
def test_the_page_about_python_names_all_that_is_public(name):
    text = PYTHON.read_text("utf-8")
    assert f"`{name}`" in text or f"blendgen.{name}(" in text or f"blendgen.{name}\n" in text


def test_all_errors_that_a_caller_may_get_are_public():
    defined = {name for name, value in vars(errors).items() if isinstance(value, type) and
               issubclass(value, (errors.BlendgenError, errors.Interrupted))}  # fmt: skip
    assert defined - {*blendgen.__all__} == {"InfeasibleDraw", "InfeasibleShot"}  # raised as GeometryError


@pytest.mark.parametrize("block", blocks(PYTHON, "python"), ids=lambda block: block.name)
def test_every_block_compiles(block):
    compile(block.text, block.name, "exec")


@pytest.mark.slow
def test_the_example_of_the_readme_works(tmp_path):
    (block,) = blocks(README, "python")
    few = Block(block.page, block.line, block.info, block.text.replace("images=1000", "images=12"))
    assert few.text != block.text
    printed = session([few], tmp_path, 120).splitlines()
    assert printed[-1].endswith("(64, 64, 3)") and ("box" in printed[-1] or "sphere" in printed[-1])


def photos(folder: Path) -> None:
    """Two photos of each class."""
    for label, color in (("box", "red"), ("sphere", "blue")):
        (folder / label).mkdir(parents=True)
        for number in range(2):
            Image.new("RGB", (60 + number, 40), color).save(folder / label / f"{number}.png")


@pytest.mark.slow
def test_the_page_about_python_works(tmp_path):
    photos(tmp_path / "photos")
    page_blocks = [block for block in blocks(PYTHON, "python") if "torch" not in block.info]
    printed = session(page_blocks, tmp_path, 280)
    assert "4 of 4" in printed and "no faults" in printed and "did you mean roll_deg?" in printed


@needs_torch
@pytest.mark.slow
def test_pytorch_makes_batches_of_a_data_set_in_worker_processes(tmp_path):
    wanted = ("open_dataset(", "data.filter(", "DataLoader(")
    page_blocks = [b for b in blocks(PYTHON, "python") if any(word in b.text for word in wanted)]
    generate = Block(PYTHON, 0, ("python",), 'import blendgen\nblendgen.generate("scene.yaml", "dataset")\n')
    printed = session([generate, *page_blocks], tmp_path, 280)
    assert "torch.Size([4, 3, 64, 64]) torch.Size([4, 64, 64]) tensor(" in printed
