"""The built-in clutter and occluders, as the catalogue describes them."""

from __future__ import annotations

import json

import pytest

from blendgen.geometry.color import hex_to_srgb
from blendgen.models.families.clutter import (
    clutter_colorways,
    clutter_sources,
    material_name,
    occluder_sources,
)
from blendgen.models.families.clutter_items import CLUTTER
from blendgen.models.families.occluder_items import OCCLUDERS

ITEMS = {**CLUTTER, **OCCLUDERS}
each_item = pytest.mark.parametrize("name", ITEMS)


def test_the_families_are_large_and_share_no_name():
    assert len(CLUTTER) >= 20 and len(OCCLUDERS) == 7
    assert len(ITEMS) == len(CLUTTER) + len(OCCLUDERS)


@each_item
def test_an_item_has_a_few_colourways_that_fill_the_same_slots(name):
    colorways = ITEMS[name].finishes
    assert 2 <= len(colorways) <= 5
    assert len({tuple(sorted(slots)) for slots in colorways.values()}) == 1
    assert len({json.dumps(slots, sort_keys=True) for slots in colorways.values()}) == len(colorways)


@each_item
def test_a_finish_is_a_name_and_a_colour(name):
    for slots in ITEMS[name].finishes.values():
        for finish in slots.values():
            kind, color = finish.split()
            assert kind.isidentifier() and len(hex_to_srgb(color)) == 3


@pytest.mark.parametrize("sources", [clutter_sources, occluder_sources])
def test_a_source_carries_all_that_its_cache_entry_depends_on(sources):
    for source in sources():
        assert source.kind == "clutter" and source.options["item"] == source.name
        assert json.loads(json.dumps(source.options))["colorways"] == ITEMS[source.name].finishes
        assert source.display == f"{source.folder}/{source.name}"


@each_item
def test_the_first_colourway_is_the_item_as_built_and_the_others_swap_what_differs(name):
    first, *others = clutter_colorways(ITEMS[name].finishes)
    assert first.materials == {}
    built = ITEMS[name].finishes[first.name]
    for colorway in others:
        wanted = {s: f for s, f in ITEMS[name].finishes[colorway.name].items() if f != built[s]}
        assert {s: one.material for s, one in colorway.materials.items()} == {
            slot: material_name(slot, finish) for slot, finish in wanted.items()
        }
        assert wanted
