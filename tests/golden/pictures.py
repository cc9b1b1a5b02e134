"""Golden pictures: one of the flat engine, developed as each sensor preset of configs/sensors does it.

In: the presets. Out: sensors.png, compared byte by byte, and the digests of encoded files in files.json. The
picture has all that developing knows: noise at 12 dB, a lens that distorts and is not sharp everywhere, and a
belt that moves under a strobe.
"""

from __future__ import annotations

import hashlib
import io
import json
import zlib
from collections.abc import Iterator
from dataclasses import fields, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from blendgen.dataset.label_registry import encoded_files
from blendgen.develop.develop import Developer
from blendgen.develop.encode import encode_depth, encode_image
from blendgen.develop.exr import decode_exr
from blendgen.engine.flat import FlatEngine
from blendgen.models.product import Catalog
from blendgen.pipeline import Pipeline, Task
from blendgen.scene.film import Frame, Labels
from blendgen.spec.output import Output
from blendgen.system.resources import resource_folder
from tests.conftest import make_class_table, make_product, make_spec
from tests.golden.sheet import Pictures, of_this_version, read_sheet, write_sheet

# AgX is a table of Blender's, and that of 4.5 is another than that of 5.2
_VERSIONED = ("phone",)
SHEET = Path(__file__).parent / "sensors.png"
FILES = Path(__file__).parent / "files.json"
SIZE = _HEIGHT, _WIDTH = 36, 48
_EXR_MAGIC = b"v/1\x01"
# library -> the files whose bytes it decides
PACKED_BY = {
    "zlib": ("image", "mask", "parts", "black.png"),
    "pillow": ("albedo", "clean", "semantic", "depth.png", "image.jpg"),
    "openexr": ("amodal_masks", "depth", "nocs", "normals", "soft_masks"),
}
_SCENE = {
    "seed": 8,
    "resolution": [_WIDTH, _HEIGHT],
    "products_per_image": 2,
    "surface": {"kind": "belt_pvc", "speed_m_per_s": 0.6},
    "camera": {
        "frame_fill": 0.8,
        "elevation_deg": 50,
        "f_number": 2,
        "distortion": {"k1": -0.12},
    },
    "lighting": {"lamps": {"count": 2, "strobe": {"choice": [0, 1]}}},
    "exposure": {"gain_db": 12, "time_s": 0.02, "environment_ev": -2},
}


def developed() -> Pictures:
    """Preset -> picture."""
    return {name: frame_of(name).rgb_u8 for name in _presets()}


def golden() -> Pictures:
    return of_this_version(read_sheet(SHEET, *SIZE))


def write_golden() -> None:
    write_sheet(SHEET, developed(), _VERSIONED)
    FILES.write_text(json.dumps(encoded(), indent=1) + "\n", "utf-8")


def frame_of(preset: str, output: dict[str, Any] | None = None) -> Frame:
    spec = make_spec(**_SCENE, sensor=preset, output=output or {})
    box = make_product("box", "box", (0.1, 0.06, 0.03), ("#c03030", "#3060c0"))
    catalog = Catalog((box, make_product("sphere", "sphere", (0.06, 0.06, 0.06))))
    engine, developer = FlatEngine(catalog, spec.output), Developer(None, spec.exposures_per_shot)
    pipeline = Pipeline(spec, catalog, make_class_table(catalog), engine, developer)
    (frame,) = pipeline.frames(Task(1, (1,)))
    return frame


def libraries() -> dict[str, str]:
    """What decides the bytes of files, other than blendgen."""
    names = {"pillow": "pillow", "openexr": "OpenEXR"}
    return {"zlib": zlib.ZLIB_RUNTIME_VERSION} | {key: version(name) for key, name in names.items()}


def encoded() -> dict[str, dict[str, Any]]:
    """Digests of the bytes and of the pixels of every file that an image can have, and the libraries."""
    every = {name: True for name, field in Output.model_fields.items() if field.annotation is bool}
    frame = frame_of("machine_vision", {**every, "depth": "exr"})
    frame = replace(frame, labels=_rounded(frame.labels))
    contents = encoded_files(frame, Output(**every, depth="exr"))
    contents["depth.png"] = encode_depth(frame.labels.depth_m)
    contents["image.jpg"] = encode_image(frame.rgb_u8, Output(format="jpeg"))
    contents["black.png"] = encode_image(np.zeros_like(frame.rgb_u8), Output())
    digests = {
        name: {"bytes": _digest(data), "pixels": _digest(*_pixels(data))}
        for name, data in sorted(contents.items())
    }
    return {"libraries": libraries(), "files": digests}


def _pixels(data: bytes) -> Iterator[bytes]:
    """What a file decodes to: name, type, size and values of each channel."""
    if data.startswith(_EXR_MAGIC):
        channels = decode_exr(data)
    else:
        with Image.open(io.BytesIO(data)) as image:
            channels = {image.mode: np.asarray(image)}
    for name, values in sorted(channels.items()):
        yield f"{name} {values.dtype.newbyteorder('<').str} {values.shape} ".encode()
        yield values.astype(values.dtype.newbyteorder("<")).tobytes()


def _digest(*parts: bytes) -> str:
    return hashlib.sha256(b"".join(parts)).hexdigest()[:16]


def _rounded(labels: Labels) -> Labels:
    """The labels without the last bits of their numbers, in which NumPy 1 and NumPy 2 differ."""
    arrays = {field.name: getattr(labels, field.name) for field in fields(labels)}
    floats = {name: a for name, a in arrays.items() if isinstance(a, np.ndarray) and a.dtype == np.float32}
    return replace(labels, **{name: np.round(array, 4) for name, array in floats.items()})


def file_differences(before: dict[str, Any], now: dict[str, Any], what: str) -> list[str]:
    """One line for each file that is new, gone, or has other `what`, which is "bytes" or "pixels"."""
    lines = [f"{name}: is {'new' if name in now else 'gone'}" for name in before.keys() ^ now.keys()]
    lines += [
        f"{name}: other {what}"
        for name in before.keys() & now.keys()
        if before[name][what] != now[name][what]
    ]
    return sorted(lines)


def differences(before: Pictures, now: Pictures) -> list[str]:
    """One line for each picture that is not the same."""
    lines = []
    for name in before.keys() & now.keys():
        off = np.abs(before[name].astype(int) - now[name]).max(axis=2)
        if off.any():
            lines.append(f"{name}: {np.mean(off > 0):.0%} of the pixels, by {off.max()} of 255 at most")
    return sorted(lines)


def _presets() -> list[str]:
    return sorted(file.stem for file in resource_folder("configs/sensors").glob("*.yaml"))
