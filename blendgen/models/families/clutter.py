"""The built-in families "clutter" and "occluders": names and finishes -> sources and colourways.

Each item has colourways; a colourway gives every material slot of the item a finish and an sRGB
colour, written "finish #rrggbb". A source carries them as options, so that they are part of what
the cache is keyed by. Builds no geometry: that is the engine's work.
"""

from __future__ import annotations

from blendgen.models.families.clutter_finishes import CLUTTER, LIMP, OCCLUDERS
from blendgen.models.product import Colorway, MaterialOverride
from blendgen.models.source import Source

# colourway -> slot -> "finish #rrggbb"
Finishes = dict[str, dict[str, str]]


def clutter_sources() -> list[Source]:
    """A source for each thing that may lie about."""
    return _sources("clutter", CLUTTER)


def occluder_sources() -> list[Source]:
    """A source for each thing that may reach into the picture."""
    return _sources("occluders", OCCLUDERS)


def _sources(family: str, items: dict[str, Finishes]) -> list[Source]:
    return [
        Source(
            name,
            family,
            "clutter",
            {"item": name, "colorways": finishes, "limp": name in LIMP},
            f"{family}/{name}",
        )
        for name, finishes in sorted(items.items())
    ]


def clutter_colorways(finishes: Finishes) -> tuple[Colorway, ...]:
    """The colourways of an item; the first is the item as it is built, the others swap materials."""
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
