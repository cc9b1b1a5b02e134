"""Spec: all values of a first spec, in the order of its file, and the comment at its top.

In: what was measured of the models and read off a photo. Out: Guesses. Nothing is written.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from blendgen import __version__
from blendgen.errors import UsageError
from blendgen.starter.guess import Guess, one_line
from blendgen.starter.models import ModelFolder, Section
from blendgen.starter.place import Place
from blendgen.starter.ranges import (
    Sizes,
    camera_guesses,
    images_guess,
    lighting_guesses,
    pose_guess,
    surface_guesses,
)

_BUILT_IN = ("iphone_8", "iphone_13", "iphone_16_pro")
BUILT_IN_SIZES = Sizes(0.138, 0.147, 0.15)
_MOST_LISTED = 20


def header(measured: ModelFolder | None) -> str:
    """The first lines of the file, which say what it is."""
    return "\n".join(_header(measured))


def _header(measured: ModelFolder | None) -> Iterator[str]:
    yield f"# What varies in the images: a first guess by blendgen {__version__}, to be changed."
    yield "# {uniform: [a, b]} and {choice: [a, b]} are sampled for each image; plain values stay the same."
    yield "# All keys: `blendgen schema`, docs/spec.md. After a change: blendgen check scene.yaml"
    refused = () if measured is None else measured.left_out
    if refused:
        yield "# Models that are left out:"
        yield from (f"#   {one_line(str(one))}" for one in refused[:_MOST_LISTED])
        if len(refused) > _MOST_LISTED:
            yield f"#   and {len(refused) - _MOST_LISTED} more: blendgen models FOLDER"
    yield ""


def spec_guesses(
    folder: Path, models: Path | None, measured: ModelFolder | None, sizes: Sizes, place: Place | None
) -> Iterator[Guess]:
    """All values; models, measured: of built-in ones None"""
    classes = len(_BUILT_IN) if measured is None else len(measured.classes)
    yield Guess(("blendgen",), 1, "version of the format")
    yield Guess(("name",), _name(folder), "of the data set, from the folder")
    yield Guess(("seed",), 0, "another one gives other images")
    yield images_guess(classes)
    yield place.resolution if place else Guess(("resolution",), [224, 224], "what most classifiers take")
    yield from _products(folder, models, measured, sizes)
    yield Guess(("products_per_image",), 1, "more for detection: {integers: [1, 5]}")
    yield pose_guess(sizes)
    yield from surface_guesses(sizes, place.guess("surface.color") if place else None)
    yield from camera_guesses(sizes, place.guess("camera.focal_length_mm") if place else None)
    if place and (width := place.guess("camera.sensor_width_mm")):
        yield width
    yield from lighting_guesses(sizes)
    yield from _exposure(place)
    sensor = place.guess("sensor") if place else None
    yield sensor or Guess(("sensor",), "machine_vision", "or phone, webcam, cctv: blur, noise, tone curve")
    yield Guess(("render",), "draft", "smoke for a first look, final for pictures to look at")


def _exposure(place: Place | None) -> Iterator[Guess]:
    if place is not None:
        yield from place.of_section("exposure")
        return
    ev = {"truncated_normal": [0, 0.35, -0.8, 0.5]}
    yield Guess(("exposure", "camera_ev"), ev, "stops: some are a little dark or bright")
    yield Guess(("exposure", "lamp_temperature_k"), {"uniform": [2700, 6500]}, "warm to cold lamps")


def _products(
    folder: Path, models: Path | None, measured: ModelFolder | None, sizes: Sizes
) -> Iterator[Guess]:
    if measured is None or models is None:
        yield Guess(("products", 0, "catalog"), "phones", "built in; for your own models: directory: FOLDER")
        yield Guess(("products", 0, "models"), list(_BUILT_IN), "three of 32; each is a class")
        return
    directory = _relative(models, folder)
    for number, section in enumerate(measured.sections):
        reason = f"models of {sizes.text}; relative to this file"
        yield from _section(("products", number), directory, section, measured, reason)


def _section(
    path: tuple[str, int], directory: str, section: Section, measured: ModelFolder, reason: str
) -> Iterator[Guess]:
    yield Guess((*path, "directory"), directory, reason)
    if section.models is not None:
        yield Guess((*path, "models"), list(section.models), "of this folder")
    if section.unit is not None:
        yield Guess((*path, "unit"), section.unit, section.unit_reason)
    elif section.is_unitless:
        metres = "if they are: obj, stl, ply and off files do not say; read in metres here"
        yield Guess((*path, "unit"), "mm", metres, is_active=False)
    if section.is_unitless:
        reason = section.up_reason or "if models lie on their side (usual: y in obj, z in others)"
        yield Guess((*path, "up"), section.up or "z", reason, is_active=False)
    if measured.naming == "path":
        yield Guess((*path, "names"), "path", "models by folder and file, as some files have the same name")
    if measured.label is not None:
        other = {"folder": "each sub-folder is a class; model: each file", "model": "each file is a class"}
        yield Guess((*path, "label"), measured.label, other[measured.label])


def _relative(models: Path, folder: Path) -> str:
    """The path of the models from the spec; raises UsageError if YAML cannot hold it."""
    path = Path(os.path.relpath(models.resolve(), folder.resolve())).as_posix()
    if re.search(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]", path):
        raise UsageError(f"{models}: its path has characters that a spec cannot hold; rename the folder")
    return path


def _name(folder: Path) -> str:
    text = re.sub(r"[^\w-]+", "-", folder.resolve().name).strip("-_")
    return text[:60] or "my-images"
