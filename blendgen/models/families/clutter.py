"""The built-in families "clutter" and "occluders": items -> sources and colourways.

A source carries its item's colourways as options, so that they are part of the cache's key. No geometry is
built here: that is the engine's work.
"""

from __future__ import annotations

from blendgen.models.families.clutter_items import CLUTTER, ClutterItem, Finishes
from blendgen.models.families.occluder_items import OCCLUDERS
from blendgen.models.product import Colorway, MaterialOverride
from blendgen.models.source import Source


def clutter_sources() -> list[Source]:
    """A source for each item that may lie next to the products."""
    return _sources("clutter", CLUTTER)


def occluder_sources() -> list[Source]:
    """A source for each item that may reach into the picture."""
    return _sources("occluders", OCCLUDERS)


def _sources(family: str, items: dict[str, ClutterItem]) -> list[Source]:
    return [_source(family, items[name]) for name in sorted(items)]


def _source(family: str, item: ClutterItem) -> Source:
    options = {"item": item.name, "colorways": item.finishes, "limp": item.limp}
    return Source(item.name, family, "clutter", options, f"{family}/{item.name}")


def clutter_colorways(finishes: Finishes) -> tuple[Colorway, ...]:
    """The colourways of an item: the first is as it is built, the others swap materials."""
    first = next(iter(finishes.values()))
    return tuple(
        Colorway(
            name,
            {
                slot: MaterialOverride(material=material_name(slot, finish))
                for slot, finish in slots.items()
                if finish != first[slot]
            },
        )
        for name, slots in finishes.items()
    )


def material_name(slot: str, finish: str) -> str:
    """Name in the asset of the material that gives a slot a finish other than the first."""
    return f"{slot} in {finish}"
