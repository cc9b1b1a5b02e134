"""`make docs-gallery`: a picture of everything that is built in, for docs/gallery.md.

In: the golden renders, larger, and the strips of lamps and environments. Out:
docs/pictures/gallery/FAMILY/NAME.webp. `make docs` writes the page.
`python -m tests.docs_gallery OUT FAMILY ...` writes only these families.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from PIL import Image

from blendgen.scene.kinds.environments import ENVIRONMENTS
from blendgen.scene.kinds.lamps import LAMP_KINDS
from tests.docs_pages import GALLERY
from tests.docs_strips import strip_of, tiles_of
from tests.golden.renders import render_all
from tests.strip_recipes import Recipe, recipes

SIDE, SAMPLES, WEBP_QUALITY = 160, 64, 82
# family -> the parameter whose values it shows
SWEPT = {"lamps": "lighting.lamps.kind", "environments": "lighting.environment.image"}
KINDS = {"lamps": list(LAMP_KINDS), "environments": list(ENVIRONMENTS)}


def main(out: Path, families: list[str]) -> None:
    for family, key in SWEPT.items():
        if family in families or not families:
            recipe = Recipe({"choice": KINDS[family]}, recipes()[key].scene)
            strip = strip_of(key, recipe, {"resolution": [SIDE, SIDE]})
            for name, (picture, _) in zip(KINDS[family], tiles_of(strip), strict=True):
                write(out / family / name, picture)
    if families and set(families) <= set(SWEPT):
        return
    with tempfile.TemporaryDirectory() as folder:
        for family, pictures in render_all(Path(folder), SIDE, SAMPLES).items():
            for name, rgb_u8 in pictures.items() if family in families or not families else ():
                write(out / family / name.replace(" ", "_"), Image.fromarray(rgb_u8))


def write(name: Path, picture: Image.Image) -> None:
    name.parent.mkdir(parents=True, exist_ok=True)
    picture.save(name.with_name(f"{name.name}.webp"), quality=WEBP_QUALITY, method=6)
    print(name, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else GALLERY, sys.argv[2:])
