"""Surfaces: a Surface goes in, linked Blender objects come out; the products lie on the plane z = 0.

Belts run along local +Y, turned by yaw_deg about world Z. Materials and meshes are looked up by name in
bpy.data and every number in them is set on every call, so the result depends on the Surface alone and nothing
accumulates. There is one surface at a time: remove its objects before the next call. Nothing here is random,
and nothing knows lights or cameras.
"""

from __future__ import annotations

import importlib
import pkgutil

import bpy

from blendgen.engine.blender.surfaces.builders import BUILDERS
from blendgen.scene.ground import Surface
from blendgen.scene.kinds.surfaces import SURFACE_KINDS

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")


def build_surface(surface: Surface, photo: bpy.types.Image | None = None) -> list[bpy.types.Object]:
    """Build the surface into the current scene collection and return its objects.

    photo: for kinds that show one
    raises: ValueError for a kind that scene/kinds/surfaces.py does not have
    """
    kind = SURFACE_KINDS.get(surface.kind)
    if kind is None:
        raise ValueError(f"unknown surface {surface.kind!r}; there are: {', '.join(SURFACE_KINDS)}")
    if not kind.solid:
        return []
    build = BUILDERS[kind.name]
    return build(surface, photo) if kind.shows_photo else build(surface)
