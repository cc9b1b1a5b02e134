"""Each kind is one record, which its table has under its own name."""

from __future__ import annotations

import pytest

from blendgen.geometry.color import hex_to_srgb
from blendgen.models.families import clutter_items, occluder_items
from blendgen.scene.kinds import containers, environments, lamps, stickers, surfaces
from blendgen.scene.kinds.containers import CONTAINER_KINDS
from blendgen.scene.kinds.environments import ENVIRONMENTS
from blendgen.scene.kinds.lamps import LAMP_KINDS
from blendgen.scene.kinds.stickers import STICKER_KINDS
from blendgen.scene.kinds.surfaces import SURFACE_KINDS

TABLES = {
    "surfaces": SURFACE_KINDS,
    "lamps": LAMP_KINDS,
    "containers": CONTAINER_KINDS,
    "stickers": STICKER_KINDS,
    "environments": ENVIRONMENTS,
}


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_a_kind_has_its_own_name_and_a_line_of_documentation(table):
    for name, kind in table.items():
        assert kind.name == name and name.isidentifier()
        assert kind.doc.strip() == kind.doc != "" and "\n" not in kind.doc


@pytest.mark.parametrize(
    ("records", "table"),
    [
        (surfaces._KINDS, SURFACE_KINDS),
        (lamps._KINDS, LAMP_KINDS),
        (containers._KINDS, CONTAINER_KINDS),
        (stickers._KINDS, STICKER_KINDS),
        (environments._KINDS, ENVIRONMENTS),
        (clutter_items._ITEMS, clutter_items.CLUTTER),
        (occluder_items._ITEMS, occluder_items.OCCLUDERS),
    ],
)
def test_no_two_records_of_a_table_have_the_same_name(records, table):
    assert len(records) == len(table)


def test_the_shares_of_all_stickers_sum_to_one():
    assert sum(kind.share for kind in STICKER_KINDS.values()) == pytest.approx(1)


def test_colours_are_srgb():
    colors = [kind.color_srgb for kind in SURFACE_KINDS.values()]
    colors += [color for kind in CONTAINER_KINDS.values() for color in kind.colors_srgb]
    colors += [color for kind in STICKER_KINDS.values() for color, _ in kind.finishes]
    assert all(len(hex_to_srgb(color)) == 3 for color in colors)


def test_only_sunlight_falls_through_openings():
    assert all(kind.sunlight for kind in LAMP_KINDS.values() if kind.panes)


def test_a_surface_without_substance_has_no_other_properties():
    (nothing,) = (kind for kind in SURFACE_KINDS.values() if not kind.solid)
    assert not (
        nothing.belt or nothing.has_edges or nothing.backlit or nothing.has_pitch or nothing.shows_photo
    )
