"""The pictures of the documentation: all that is built in is in the gallery, and every plot is shown."""

from __future__ import annotations

import re

import pytest
from PIL import Image

from blendgen.models.families.clutter_items import CLUTTER
from blendgen.models.families.occluder_items import OCCLUDERS
from blendgen.models.families.phones import load_phones
from blendgen.scene.condition import Condition
from blendgen.scene.kinds.containers import CONTAINER_KINDS
from blendgen.scene.kinds.environments import ENVIRONMENTS
from blendgen.scene.kinds.lamps import LAMP_KINDS
from blendgen.scene.kinds.stickers import STICKER_KINDS
from blendgen.scene.kinds.surfaces import SURFACE_KINDS
from tests.docs_gallery import KINDS, SIDE
from tests.docs_plots import PLOT_OF, PLOTS
from tests.markdown import DOCS

PICTURE = re.compile(r"!\[[^\]]+\]\(([^)]+)\)(?:<br>`([^`]+)`)?")
AMOUNTS = [name for name, field in Condition.model_fields.items() if field.annotation is float]
BUILT_IN = {
    "surfaces": [*SURFACE_KINDS, *CONTAINER_KINDS],
    "lamps": list(LAMP_KINDS),
    "environments": list(ENVIRONMENTS),
    "clutter": list(CLUTTER),
    "occluders": list(OCCLUDERS),
    "phones": list(load_phones()),
    "wear": [*AMOUNTS, *(f"sticker_{kind}" for kind in STICKER_KINDS), "case", "case_clear"],
}


def shown(page: str) -> dict[str, str]:
    """Picture -> the name under it."""
    return dict(PICTURE.findall((DOCS / page).read_text("utf-8")))


@pytest.mark.parametrize("family", BUILT_IN)
def test_all_that_is_built_in_is_in_the_gallery(family):
    names = {f"pictures/gallery/{family}/{name}.webp" for name in BUILT_IN[family]}
    pictures = {file for file in shown("gallery.md") if file.startswith(f"pictures/gallery/{family}/")}
    assert pictures == names, "run `make docs`"
    missing = [file for file in sorted(names) if not (DOCS / file).exists()]
    assert missing == [], f"run `python -m tests.docs_gallery docs/pictures/gallery {family}`"


def test_a_picture_stands_over_its_name():
    for file, name in shown("gallery.md").items():
        stem = file.rpartition("/")[2].removesuffix(".webp")
        assert stem.startswith(("sticker_", "case")) or name in (stem, f"condition.{stem}"), file


def test_the_gallery_has_no_other_pictures_and_all_of_one_size():
    files = [file for file in (DOCS / "pictures" / "gallery").rglob("*") if file.is_file()]
    assert {file.relative_to(DOCS).as_posix() for file in files} == set(shown("gallery.md"))
    for file in files:
        with Image.open(file) as picture:
            assert picture.size == (SIDE, SIDE), file


def test_the_generator_sweeps_every_lamp_and_environment():
    assert {"lamps": BUILT_IN["lamps"], "environments": BUILT_IN["environments"]} == KINDS


def test_every_plot_of_the_sensor_exists_and_is_shown():
    shown_plots = {file for file in shown("camera.md") if file.startswith("pictures/sensor/")}
    assert shown_plots == {f"pictures/sensor/{name}.svg" for name in PLOT_OF}
    assert {file.stem for file in PLOTS.iterdir()} == set(PLOT_OF)
