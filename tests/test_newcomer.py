"""A newcomer: the wheel in a new environment, an empty folder, models, and no edit of any file.

The environment sees the libraries of this one, but not its blendgen.
"""

from __future__ import annotations

import importlib.util
import json
import os
import site
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from PIL import Image

from tests.conftest import REPOSITORY
from tests.engine.model_files import CORNERS, binary_stl, obj

pytest.importorskip("bpy")

IMAGES = 40
PIP = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "--no-input")


def run(words, folder: Path) -> str:
    """stdout of a program that must end well."""
    strange = ("PYTHONPATH", "BLENDGEN_NO_REPORT")
    environment = {name: value for name, value in os.environ.items() if name not in strange}
    finished = subprocess.run(
        [*map(str, words)],
        cwd=folder,
        env=environment,
        text=True,
        capture_output=True,
        stdin=subprocess.DEVNULL,
    )
    assert finished.returncode == 0, f"{words}\n{finished.stdout}\n{finished.stderr}"
    assert "Traceback" not in finished.stderr
    return finished.stdout


def installed(folder: Path) -> Path:
    """The command of a new environment, into which pip has installed the wheel."""
    with_hatchling = importlib.util.find_spec("hatchling") is not None
    isolation = ["--no-build-isolation"] if with_hatchling else []
    run([*PIP, "wheel", "--no-deps", *isolation, "-w", folder, REPOSITORY], folder)
    (wheel,) = folder.glob("blendgen-*.whl")
    run([sys.executable, "-m", "venv", "--without-pip", folder / "venv"], folder)
    python = folder / "venv" / "bin" / "python"
    run([*PIP, "--python", python, "install", "--no-deps", "--no-compile", wheel], folder)
    (packages,) = (folder / "venv" / "lib").glob("python*/site-packages")
    # .pth files of that folder are not read: one of them leads to this repository
    (packages / "libraries.pth").write_text("\n".join(site.getsitepackages()) + "\n")
    where = run([python, "-c", "import blendgen; print(blendgen.__file__)"], folder)
    assert Path(where.strip()).is_relative_to(packages)
    return folder / "venv" / "bin" / "blendgen"


def write_models(folder: Path) -> None:
    """Boxes of 2 to 6 cm in millimetres, which no file states, and a file that is damaged."""
    folder.mkdir()
    corners = [(20 * x, 20 * y, 20 * z) for x, y, z in CORNERS]
    (folder / "brick.obj").write_text(obj(corners))
    (folder / "plate.stl").write_bytes(binary_stl([(x, y, z / 4) for x, y, z in corners]))
    (folder / "bar.stl").write_bytes(binary_stl([(x / 2, y / 2, z) for x, y, z in corners]))
    (folder / "torn.stl").write_bytes(b"solid torn\nfacet normal 0 0")


def size_of(file: Path) -> tuple[int, int]:
    with Image.open(file) as image:
        image.load()
        return image.size


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_from_an_empty_folder_to_an_export_without_an_edit(tmp_path):
    blendgen = installed(tmp_path)
    folder = tmp_path / "empty"
    folder.mkdir()
    write_models(folder / "models")

    printed = run([blendgen, "init", ".", "--models", "models"], folder)
    assert "3 products in 3 classes: bar, brick, plate" in printed and "left out: models/torn.stl" in printed
    assert "read in mm" in printed
    assert run([blendgen, "check", "scene.yaml"], folder).endswith("\nok\n")
    run([blendgen, "preview", "scene.yaml", "-n", 3, "--render", "smoke"], folder)
    assert size_of(folder / "preview.png")[0] > 100
    run([blendgen, "generate", "scene.yaml", "-o", "out", "-n", IMAGES, "--render", "smoke"], folder)
    assert "<html" in (folder / "out" / "report.html").read_text("utf-8")
    run([blendgen, "report", "out"], folder)
    run([blendgen, "export", "out", "coco", "coco"], folder)
    annotations = [json.loads(file.read_text()) for file in (folder / "coco").rglob("instances*.json")]
    assert sum(len(one["images"]) for one in annotations) == IMAGES

    rows = [json.loads(line) for line in (folder / "out" / "manifest.jsonl").read_text().splitlines()]
    classes = Counter(row["label"] for row in rows)
    assert set(classes) == {"bar", "brick", "plate"} and sorted(classes.values()) == [13, 13, 14]
    assert {size_of(folder / "out" / row["file_name"]) for row in rows} == {(64, 64)}
    ignored = (folder / ".gitignore").read_text()
    assert "/out/" in ignored and "/preview.png" in ignored
