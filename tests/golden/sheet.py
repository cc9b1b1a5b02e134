"""Sheets: named pictures of one size, as one PNG file.

The names are in the PNG's text, one a line, in the order of the tiles, row by row. A picture that Blender 4.5
and 5.2 make differently is there once for each, as "phone (Blender 4.5)".
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from blendgen.system.wheel import blender_version

BUMP = "bytes changed: bump PIXELS_VERSION"
RENEW = (
    f"{BUMP} in blendgen/dataset/identity.py and run `make golden`; if only scenes/, configs/ or a "
    "dependency changed, `make golden` is enough"
)
_COLUMNS = 8
_TEXT, _BLENDER = "names", " (Blender "

# name -> (h, w, 3) uint8
Pictures = dict[str, np.ndarray]


def write_sheet(file: Path, pictures: Pictures, versioned: Collection[str] = ()) -> None:
    """Write the pictures; versioned: names of those that are of this version of Blender alone.

    The same pictures of other versions stay as they are in the file.
    """
    height, width = next(iter(pictures.values())).shape[:2]
    every = read_sheet(file, height, width) if file.exists() else {}
    tiles = {n: tile for n, tile in every.items() if _is_of_another_version(n) and _short_name(n) in pictures}
    tiles |= {_full_name(name) if name in versioned else name: tile for name, tile in pictures.items()}
    text = PngInfo()
    text.add_text(_TEXT, "\n".join(sorted(tiles)))
    Image.fromarray(_tiled([tiles[name] for name in sorted(tiles)])).save(file, pnginfo=text, optimize=True)


def read_sheet(file: Path, height: int, width: int) -> Pictures:
    """All pictures of a sheet, by their full names; its tiles have that size."""
    with Image.open(file) as image:
        names, page = image.text[_TEXT].split("\n"), np.asarray(image.convert("RGB"))
    corners = ((number // _COLUMNS * height, number % _COLUMNS * width) for number in range(len(names)))
    tiles = (page[y : y + height, x : x + width] for y, x in corners)
    return dict(zip(names, tiles, strict=True))


def of_this_version(pictures: Pictures) -> Pictures:
    """The pictures of a sheet that this version of Blender is to show, by their short names."""
    mine = {name: tile for name, tile in pictures.items() if not _is_of_another_version(name)}
    return {_short_name(name): tile for name, tile in mine.items()}


def _short_name(name: str) -> str:
    return name.partition(_BLENDER)[0]


def _full_name(name: str) -> str:
    """The name of a picture that is of this version of Blender alone."""
    return f"{name}{_BLENDER}{'.'.join(blender_version().split('.')[:2])})"


def _is_of_another_version(name: str) -> bool:
    return _BLENDER in name and name != _full_name(_short_name(name))


def _tiled(tiles: list[np.ndarray]) -> np.ndarray:
    height, width, channels = tiles[0].shape
    columns = min(_COLUMNS, len(tiles))
    page = np.zeros((-(-len(tiles) // columns) * height, columns * width, channels), np.uint8)
    for number, tile in enumerate(tiles):
        y, x = number // columns * height, number % columns * width
        page[y : y + height, x : x + width] = tile
    return page


def name_differences(golden: Pictures, now: Pictures) -> list[str]:
    """One line for each picture that is new or gone."""
    names = sorted({*golden} ^ {*now})
    return [f"{name}: is {'new' if name in now else 'gone'}" for name in names]


def psnr_db(first: np.ndarray, second: np.ndarray) -> float:
    """Peak signal-to-noise ratio of two pictures of 8 bits; infinite where they are equal."""
    error = np.mean((first.astype(float) - second.astype(float)) ** 2)
    return float("inf") if error == 0 else float(10 * np.log10(255**2 / error))
