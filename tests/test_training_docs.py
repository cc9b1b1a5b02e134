"""The recipes of docs/training.md: every export, and one epoch or import with each library that is here.

BLENDGEN_TEST_TRAINERS names a Python that has the libraries; `make trainers` makes one. Nothing is
downloaded: models start without pretrained weights.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from blendgen.models.product import Catalog, Keypoint
from tests.conftest import make_product
from tests.exporters.conftest import make_dataset
from tests.markdown import DOCS, blocks, command_lines

PAGE = DOCS / "training.md"
# absolute, because the scripts run in another folder
TRAINERS = str(Path(os.environ.get("BLENDGEN_TEST_TRAINERS") or sys.executable).absolute())
# text of the page -> what starts without a download, and quickly
UNTRAINED = {
    'weights="DEFAULT"': "weights=None",
    "pretrained=True": "pretrained=False",
    'weights="imagenet"': "weights=None",
    '.from_pretrained(\n    "microsoft/resnet-18", **labels, ignore_mismatched_sizes=True\n)': (
        '.from_config(__import__("transformers").AutoConfig.for_model("resnet", **labels))'
    ),
    '.pt": "': '.yaml": "',
    "imgsz=640": "imgsz=64, plots=False, workers=0",
    "(224, 224)": "(64, 64)",
}
# library -> what its script prints
PRINTED = {
    "torchvision": [" correct"],
    "lightning": ["['val_accuracy']"],
    "timm": ["{'ball': 0, 'test+_tube': 1}"],
    "keras": ["['accuracy', 'loss', 'val_accuracy', 'val_loss']"],
    "transformers": ["'eval_loss'"],
    "ultralytics": [
        *(f"{task} {{0: 'ball', 1: 'test_tube'}}" for task in ("detect", "segment", "obb", "pose")),
        "classify {0: 'ball', 1: 'test+_tube'}",
    ],
    "supervision": ["['ball', 'test_tube'] (64, 96, 3)"],
    "fiftyone": [
        "('ball mask', 60), ('boxes', 120), ('test', 4), ('test_tube mask', 60), ('train', 48), ('val', 8)"
    ],
    "datumaro": ["coco_instances 60 ['test', 'train', 'val']", "voc_detection 60 ['test', 'train', 'val']"],
}
# library -> module that makes it usable here
PREPARED = {"torchvision": "tests.torchvision_operators", "fiftyone": "tests.fiftyone_importers"}
SCRIPTS = {block.info[1]: block for block in blocks(PAGE, "python")}


def test_every_script_compiles_and_is_run():
    for block in SCRIPTS.values():
        compile(block.text, block.name, "exec")
    assert set(SCRIPTS) == set(PRINTED)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A data set `out` and its exports, made by the commands of the page."""
    place = tmp_path_factory.mktemp("training")
    products = (
        make_product("ball", "sphere", (0.06,) * 3),
        make_product("test_tube", "box", (0.1, 0.06, 0.03)),
    )
    marked = (
        replace(
            one, keypoints=tuple(Keypoint(f"k{i}", tuple(corner)) for i, corner in enumerate(one.hull_m[:4]))
        )
        for one in products
    )
    spec = {"products_per_image": 2, "resolution": [96, 64], "output": {"keypoints": True}}
    make_dataset(place / "out", Catalog(tuple(marked)), 60, **spec)
    for line in command_lines(PAGE):
        if line.complete:
            run([sys.executable, "-m", "blendgen", *line.words], place)
    return place


def run(command: list[str], folder: Path, **options) -> str:
    environment = os.environ | {
        "HF_HUB_OFFLINE": "1",
        "HF_HOME": str(folder / "hub"),
        "YOLO_CONFIG_DIR": str(folder / "settings"),
        "YOLO_OFFLINE": "true",
        "CUDA_VISIBLE_DEVICES": "",
        "PYTHONPATH": str(DOCS.parent),
    }
    result = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=280, **options
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def has(library: str) -> bool:
    code = f"import importlib.util, sys; sys.exit(not importlib.util.find_spec({library!r}))"
    return subprocess.run([TRAINERS, "-c", code]).returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize("library", PRINTED)
def test_a_script_runs(folder, library):
    if not has(library):
        pytest.skip(f"{library} is not installed; see `make trainers`")
    text = (
        "".join(f"import {module}\n" for name, module in PREPARED.items() if has(name))
        + SCRIPTS[library].text
    )
    for pretrained, untrained in UNTRAINED.items():
        text = text.replace(pretrained, untrained)
    printed = run([TRAINERS, "-"], folder, input=text)
    assert all(expected in printed for expected in PRINTED[library]), printed


@pytest.mark.slow
def test_fastai_reads_the_data_set_itself_and_does_not_train_on_test_images(folder):
    if not has("fastai"):
        pytest.skip("fastai is not installed; see `make trainers`")
    (script,) = (block for block in blocks(DOCS / "loaders.md", "python") if block.info[1:] == ("fastai",))
    printed = run([TRAINERS, "-"], folder, input=f"import tests.torchvision_operators\n{script.text}")
    assert printed == "48 8 ['ball', 'test+_tube']\n"


@pytest.mark.slow
def test_label_studio_converts_the_polygons(folder):
    converter = Path(TRAINERS).with_name("label-studio-converter")
    if not converter.exists():
        pytest.skip("label-studio-sdk is not installed; see `make trainers`")
    (command,) = (
        block.text.replace("\\\n", " ")
        for block in blocks(PAGE, "bash")
        if block.text.startswith("label-studio-converter")
    )
    _, *words = shlex.split(command)
    run([str(converter), *words], folder)
    assert (folder / "tasks.json").read_text("utf-8").count('"image"') >= 48
