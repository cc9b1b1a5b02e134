"""Surfaces: a Surface goes in, linked Blender objects come out, carrying plane at z = 0.

Belts run along local +Y, turned by yaw_deg about world Z. Materials and meshes are found again by
name in bpy.data and every number in them is set on every call, so that the result depends on the
Surface alone and nothing piles up. One surface stands at a time: remove its objects before the
next call. This package neither draws by chance nor knows lights or cameras.
"""

from __future__ import annotations

from collections.abc import Callable

import bpy

from blendgen.engine.blender.surfaces.backlit import build_backlit_sheet
from blendgen.engine.blender.surfaces.cardboard import build_cardboard
from blendgen.engine.blender.surfaces.colors import surface_color_srgb
from blendgen.engine.blender.surfaces.modular import build_modular_belt
from blendgen.engine.blender.surfaces.paper import build_paper
from blendgen.engine.blender.surfaces.photo import build_photo
from blendgen.engine.blender.surfaces.sheet import build_pvc_belt, build_rubber_belt
from blendgen.engine.blender.surfaces.tables import build_steel_table, build_wood_table
from blendgen.engine.blender.surfaces.wire import build_mesh_belt
from blendgen.scene.shot import Surface
from blendgen.scene.vocabulary import PHOTO

BUILDERS: dict[str, Callable[[Surface], list[bpy.types.Object]]] = {
    "belt_rubber": build_rubber_belt,
    "belt_pvc": build_pvc_belt,
    "belt_modular": build_modular_belt,
    "belt_mesh": build_mesh_belt,
    "steel_table": build_steel_table,
    "wood_table": build_wood_table,
    "cardboard": build_cardboard,
    "paper": build_paper,
    "backlit_sheet": build_backlit_sheet,
    "none": lambda surface: [],
}


def build_surface(surface: Surface, photo: bpy.types.Image | None = None) -> list[bpy.types.Object]:
    """Build the surface into the current scene collection and return its objects.

    photo: what the kind photo shows
    raises: ValueError for a kind that vocabulary.py does not name
    """
    surface_color_srgb(surface.kind, surface.color_srgb)
    if surface.kind == PHOTO:
        return build_photo(surface, photo)
    return BUILDERS[surface.kind](surface)
