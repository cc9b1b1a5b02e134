"""Stock: the input of all cases, made once: a rendered data set, its spec and model, and a warm cache."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from PIL import Image

from tests.attack.case import Place
from tests.attack.watch import blendgen, environment
from tests.engine.model_files import obj, ply
from tests.exporters.fake import FakeImage, grid_boxes, make_fake

# images that are made quickly, with depth and normals; formatted with the number of shots and the size
SMALL_SPEC = """\
blendgen: 1
name: small
seed: 3
images: {shots}
resolution: [{size}, {size}]
products:
  - {{directory: models, label: model, unit: cm}}
splits: {{train: 0.8, val: 0.2}}
camera: {{frame_fill: 0.5}}
sensor: machine_vision
render: {{samples_per_pixel: 1, max_bounces: 1, denoise: false}}
output: {{depth: exr, normals: true}}
"""

CLASSES = ("cup", "mug")
SPEC = """\
blendgen: 1
name: tiny
seed: 1
images: 4
resolution: [32, 32]
products:
  - {directory: models, label: model, unit: cm}
camera: {frame_fill: 0.5}
sensor: ideal
render: {samples_per_pixel: 1, max_bounces: 1, denoise: false}
"""


def make_stock(folder: Path) -> Path:
    """Render four images, which takes seconds."""
    place = Place(folder, "", folder)
    for name in ("cache", "tmp", "home", "given"):
        (folder / name).mkdir(parents=True)
    write_spec(place)
    command = [
        *blendgen(),
        "generate",
        str(place.given / "spec.yaml"),
        "-o",
        str(folder / "set"),
        "--workers",
        "1",
    ]
    done = subprocess.run(command, env=environment(place), capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"the data set of the stock cannot be made:\n{done.stderr}")
    _make_blends(folder, environment(place))
    fake = folder / "fake"
    images = [
        FakeImage(("train", "val")[i // 3], i % 2, [(i % 2, box) for box in grid_boxes(2)]) for i in range(4)
    ]
    make_fake(fake, CLASSES, images)
    return folder


def _make_blends(folder: Path, env: dict[str, str]) -> None:
    """Write .blend files; their absolute paths lead to the folder `absolute`, which no command may read."""
    for name in ("blends", "absolute"):
        (folder / name).mkdir()
    for kind, text in {"obj": obj(), "ply": ply(), "csv": "x,y\n1,2\n", "txt": "secret"}.items():
        (folder / "absolute" / f"secret.{kind}").write_text(text)
    Image.new("RGB", (8, 8)).save(folder / "absolute" / "secret.png")
    script = Path(__file__).with_name("make_blends.py")
    command = [sys.executable, str(script), str(folder / "blends"), str(folder / "absolute")]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"the .blend files cannot be made:\n{done.stderr}")


def write_spec(place: Place) -> Path:
    """Write the spec and its model, a box, to `given`."""
    models = place.given / "models"
    models.mkdir(exist_ok=True)
    (models / "box.obj").write_text(obj())
    return write_yaml(place, SPEC)


def write_yaml(place: Place, text: str, name: str = "spec.yaml") -> Path:
    path = place.given / name
    path.write_text(text, "utf-8")
    return path


def fake_set(place: Place) -> Path:
    """A data set of four images, two classes and two splits, like one that `generate` wrote."""
    shutil.copytree(place.stock / "fake", place.given / "set")
    return place.given / "set"


def real_set(place: Place) -> Path:
    """The rendered data set in `out`, where commands may resume it; its spec is in `given`."""
    write_spec(place)
    shutil.copytree(place.stock / "set", place.out / "set")
    return place.out / "set"


def photos(place: Place) -> Path:
    """An image folder of real photos."""
    for number, label in enumerate(CLASSES * 3):
        path = place.given / "photos" / label / f"{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (32, 32), (40 * number, 90, 10)).save(path)
    return place.given / "photos"


def read_rows(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "manifest.jsonl").read_text("utf-8").splitlines()]


def write_rows(folder: Path, rows: list[dict]) -> None:
    text = "".join(f"{json.dumps(row)}\n" for row in rows)
    (folder / "manifest.jsonl").write_text(text, "utf-8")


def change_row(folder: Path, **columns) -> None:
    """Change columns of the first row."""
    first, *others = read_rows(folder)
    write_rows(folder, [first | columns, *others])


def fifo(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    return path


def link(path: Path, target: str | Path) -> Path:
    """A symbolic link; replaces a file or folder at its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)
    path.symlink_to(target)
    return path
