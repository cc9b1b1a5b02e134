"""Items: the function that builds each item; every module of this package registers its own.

A builder gets an empty `Solids` and fills it with solids, in millimetres, in the pose in which the item is
measured.
"""

from __future__ import annotations

from collections.abc import Callable

from blendgen.engine.blender.clutter.solids import Solids

Builder = Callable[[Solids], None]

ITEMS: dict[str, Builder] = {}


def item(name: str) -> Callable[[Builder], Builder]:
    """Register the decorated function as the builder of an item of models/families/.

    raises: ValueError if the item has a builder already
    """

    def register(build: Builder) -> Builder:
        if name in ITEMS:
            raise ValueError(f"two functions build the item {name!r}: {ITEMS[name]} and {build}")
        ITEMS[name] = build
        return build

    return register
