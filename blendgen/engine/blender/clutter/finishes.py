"""Finishes: "name #rrggbb" -> a material; what clutter and occluders are made of.

Patterns take object coordinates (metres, product frame) and have no seed. Each material has one
Principled BSDF, so that a spec can recolour its slot.
"""

from __future__ import annotations

import bpy

from blendgen.engine.blender.clutter import hard_finishes as hard
from blendgen.engine.blender.clutter import soft_finishes as soft
from blendgen.engine.blender.clutter.grain import Grain
from blendgen.engine.blender.shading.nodes import KIND_MARK, RECESSED, new_material
from blendgen.geometry.color import hex_to_linear

FINISHES = {
    "plastic": hard.plastic,
    "gloss": hard.gloss,
    "satin": hard.satin,
    "broken": hard.broken,
    "nylon": hard.nylon,
    "metal": hard.metal,
    "coin": hard.coin,
    "oxide": hard.oxide,
    "foil": hard.foil,
    "lacquer": hard.lacquer,
    "print": hard.printed,
    "brushed": hard.brushed,
    "mill": hard.mill,
    "galvanised": hard.galvanised,
    "painted": hard.painted,
    "rubber": soft.rubber,
    "latex": soft.latex,
    "kraft": soft.kraft,
    "paper": soft.paper,
    "tape": soft.tape,
    "film": soft.film,
    "masking": soft.masking,
    "cloth_tape": soft.cloth_tape,
    "pvc": soft.pvc,
    "nitrile": soft.nitrile,
    "leather": soft.leather,
    "knit": soft.knit,
    "fabric": soft.fabric,
}
_RECESSED = "seam"  # a slot


def make_material(name: str, slot: str, finish: str) -> bpy.types.Material:
    """finish: name of FINISHES and an sRGB colour."""
    kind, color = finish.split()
    material, tree, principled = new_material(name)
    material[KIND_MARK] = RECESSED if slot == _RECESSED else ""
    FINISHES[kind](Grain(tree, principled), hex_to_linear(color))
    return material
