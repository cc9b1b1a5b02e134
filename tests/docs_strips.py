"""`make docs-strips`: a strip of pictures for each parameter of a spec, like `preview --vary`.

In: the recipes. Out: docs/strips/KEY.jpg and docs/strips/index.md, which git ignores. One Blender
renders all strips; a strip of an exposure parameter is developed from one path-traced shot.
`python -m tests.docs_strips OUT KEY ...` renders only these keys.
"""

from __future__ import annotations

import copy
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from PIL import Image

from blendgen.develop.denoise import Denoiser
from blendgen.develop.develop import Developer
from blendgen.engine.blender.importing.measurer import BlenderMeasurer
from blendgen.models.inventory import Inventory, load_inventory
from blendgen.pipeline import Pipeline, Task, tasks_for
from blendgen.reports.contact_sheet import contact_sheet
from blendgen.spec.load import check_spec
from blendgen.spec.model import Spec
from blendgen.spec.yaml_source import Document
from blendgen.workers.preview import PreviewOptions, sweep_captions, sweep_of
from tests.docs_pages import DOCS, default_of
from tests.strip_recipes import SCENE, Recipe, Values, parameters, recipes

OUT = DOCS / "strips"
TILES, MAX_TILES, JPEG_QUALITY = 6, 9, 82
MAX_LAMPS, THREADS = 4, 2
EXPOSURE_SECTIONS = ("exposure.", "sensor.")
UNITS = {"_m_per_s": "m/s", "_e_per_s": "electrons/s", "_mm": "mm",
         "_m": "m", "_deg": "degrees", "_px": "pixels",
         "_k": "kelvin", "_ev": "stops", "_e": "electrons", "_db": "dB", "_s": "s", "_percent": "%",
         "_ppm": "per million", "_dn": "digital numbers"}  # fmt: skip


@dataclass(frozen=True)
class Strip:
    """A parameter that varies, in a scene where everything else is constant."""

    key: str
    spec: Spec
    tiles: int


def strip_of(key: str, recipe: Recipe, changes: Values | None = None) -> Strip:
    """The strip of a recipe; changes: more keys of the scene.

    raises: SpecError if the recipe is not valid
    """
    values = copy.deepcopy(SCENE)
    tiles = TILES
    if "choice" in recipe.distribution:
        tiles = min(len(recipe.distribution["choice"]), MAX_TILES)
    elif "integers" in recipe.distribution:
        tiles = recipe.distribution["integers"][1] - recipe.distribution["integers"][0] + 1
    for path, value in {**recipe.scene, key: recipe.distribution, **(changes or {})}.items():
        _set(values, path.split("."), value)
    values["exposures_per_shot"] = tiles if key.startswith(EXPOSURE_SECTIONS) else 1
    return Strip(key, check_spec(Document("strip", values, {}), Path()).spec, tiles)


def _set(values: Values, path: list[str], value) -> None:
    *sections, name = path
    for section in sections:
        values = values.setdefault(section, {})
    if value is None:
        values.pop(name, None)
    else:
        values[name] = value


def picture(strip: Strip) -> Image.Image:
    """The tiles of a strip in a row, each with its value; renders in this process."""
    return contact_sheet(tiles_of(strip), strip.tiles, max(strip.spec.resolution))


def tiles_of(strip: Strip) -> list[tuple[Image.Image, str]]:
    """(picture, value) of each tile."""
    inventory = _inventory()
    sweep = sweep_of(strip.spec, inventory, PreviewOptions(vary=strip.key, images=strip.tiles))
    captions = sweep_captions(strip.spec, inventory, sweep)
    developer = Developer(Denoiser(THREADS), strip.spec.exposures_per_shot)
    stock = inventory.catalog, inventory.class_table
    pipeline = Pipeline(strip.spec, *stock, _engine(strip.spec.render), developer, sweep)
    frames = [frame for task in _tasks(strip) for frame in pipeline.frames(task)]
    return [(Image.fromarray(frame.rgb_u8), captions[frame.index]) for frame in frames]


def _tasks(strip: Strip) -> list[Task]:
    return list(tasks_for(strip.spec, range(strip.tiles)))


@cache
def _inventory() -> Inventory:
    return load_inventory(check_spec(Document("strips", SCENE, {}), Path()), BlenderMeasurer())


_ENGINES: dict = {}


def _engine(settings):
    """The only Blender of this process, started again for other render settings."""
    from blendgen.engine.blender.session.engine import BlenderEngine

    if settings not in _ENGINES:
        _ENGINES.clear()
        _ENGINES[settings] = BlenderEngine(_inventory().catalog, settings, MAX_LAMPS, THREADS)
    return _ENGINES[settings]


def index_page(keys: list[str]) -> str:
    """Markdown: unit, default, range and strip of each parameter."""
    rows = [
        f"| `{key}` | {_unit(key)} | {default_of(info)} | {checks.span()} | ![]({key}.jpg) |"
        for key, checks, info in parameters()
        if key in keys
    ]
    head = ["| key | unit | default | range | effect |", "| --- | --- | --- | --- | --- |"]
    title = "# The effect of each parameter\n\n[spec.md](../spec.md) explains the keys.\n"
    return "\n".join([title, *head, *rows, ""])


def _unit(key: str) -> str:
    return next((unit for suffix, unit in UNITS.items() if key.endswith(suffix)), "")


def main(out: Path, keys: list[str]) -> None:
    known = recipes()
    out.mkdir(parents=True, exist_ok=True)
    for key in keys or known:
        picture(strip_of(key, known[key])).save(out / f"{key}.jpg", quality=JPEG_QUALITY)
        print(key, flush=True)
    rendered = [key for key in known if (out / f"{key}.jpg").exists()]
    (out / "index.md").write_text(index_page(rendered), "utf-8")
    print(out / "index.md")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else OUT, sys.argv[2:])
