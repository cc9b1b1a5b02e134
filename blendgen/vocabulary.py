"""Names that a spec may use, each with one line of meaning; nothing here knows how they are made.

The schema checks names against these tables, the engines implement them, the docs list them.
"""

from __future__ import annotations

# The CC0 environments by Poly Haven that every Blender carries (datafiles/studiolights/world).
ENVIRONMENTS = {
    "studio": "photo studio with soft boxes",
    "interior": "living room with windows",
    "city": "street between buildings, overcast",
    "courtyard": "open courtyard, daylight",
    "forest": "under trees, green light",
    "night": "street at night, lamps",
    "sunrise": "low sun",
    "sunset": "low warm sun",
}

SURFACE_KINDS = {
    "belt_rubber": "black rubber conveyor belt",
    "belt_pvc": "smooth PVC conveyor belt",
    "belt_modular": "modular plastic conveyor belt",
    "steel_table": "brushed stainless steel",
    "wood_table": "wooden table top",
    "paper": "seamless matte backdrop",
}

LAMP_KINDS = {
    "area": "square soft box",
    "disk": "round soft lamp",
    "strip": "fluorescent tube or LED bar, 1 to 8",
}

MODEL_SUFFIXES = (".glb", ".gltf", ".obj", ".stl", ".ply", ".fbx", ".usd", ".usda", ".usdc", ".usdz", ".blend")
FAMILIES = {
    "phones": "procedural phones by published dimensions and colours",
    "shapes": "a box and a sphere, for tests and first steps",
}
LENGTH_UNITS_M = {"m": 1.0, "cm": 0.01, "mm": 0.001, "in": 0.0254, "ft": 0.3048}
