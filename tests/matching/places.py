"""Folders of pictures of a place used as photos, developed with known sensors; a spec of boxes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from PIL import Image

from blendgen.draw.exposure import draw_sensor
from blendgen.draw.sampler import Sampler
from blendgen.geometry.arrays import ImageHW3U8
from blendgen.spec.model import Spec
from tests.photos.developed import HEIGHT, WIDTH, developed, disks
from tests.starter.sized_models import write_models

BASE = f"""\
# boxes in a box
blendgen: 1
name: boxes
images: 8
resolution: [{WIDTH}, {HEIGHT}]  # small
products:
  - directory: models  # each file a class
surface: {{kind: paper}}
sensor: machine_vision
render: draft
"""


def write_base(folder: Path, text: str = BASE) -> Path:
    write_models(folder / "models", cup__glb="0.1 0.1 0.1", box__glb="0.2 0.1 0.05")
    (folder / "base.yaml").write_text(text)
    return folder / "base.yaml"


def write_photos(folder: Path, images: Iterable[ImageHW3U8]) -> Path:
    folder.mkdir()
    for number, image in enumerate(images):
        Image.fromarray(image).save(folder / f"{number:02d}.png")
    return folder


def photos_of(seeds: Iterable[int], preset: str = "machine_vision", **changes) -> list[ImageHW3U8]:
    """Pictures of different things; changes: of the sensor, or of the exposure as exposure_KEY."""
    return [developed(disks(seed, 25), preset, seed, **changes) for seed in seeds]


def sampled_with(spec: Spec, seeds: Iterable[int]) -> list[ImageHW3U8]:
    """Pictures of different things, with sensors and gains that a spec samples."""
    return [_sampled(spec, seed) for seed in seeds]


def _sampled(spec: Spec, seed: int) -> ImageHW3U8:
    sampler = Sampler(spec.seed, seed, 0)
    gain_db = sampler.value(spec.exposure.gain_db, "exposure.gain_db")
    sensor = draw_sensor(spec.sensor, sampler).model_dump(exclude={"pattern_seed"})
    return developed(disks(seed, 25), "ideal", seed, exposure_gain_db=gain_db, **sensor)
