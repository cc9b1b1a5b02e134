"""Builders: the function that builds each kind of surface; every module of this package registers its own."""

from __future__ import annotations

from collections.abc import Callable

import bpy

from blendgen.scene.kinds.surfaces import SURFACE_KINDS

# (surface) -> objects; of kinds that show a photo: (surface, photo) -> objects
Builder = Callable[..., list[bpy.types.Object]]

BUILDERS: dict[str, Builder] = {}


def surface_builder(kind: str) -> Callable[[Builder], Builder]:
    """Register the decorated function as the builder of a kind of scene/kinds/surfaces.py.

    raises: ValueError if the kind has a builder already
    """

    def register(build: Builder) -> Builder:
        if kind in BUILDERS:
            raise ValueError(f"two functions build the surface {kind!r}: {BUILDERS[kind]} and {build}")
        BUILDERS[SURFACE_KINDS[kind].name] = build
        return build

    return register
