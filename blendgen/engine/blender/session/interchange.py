"""Interchange: writes a cached product as a glTF file for other programs.

Procedural textures are lost; each part keeps its colour, roughness and metalness.
"""

from __future__ import annotations

from pathlib import Path

import bpy

from blendgen.engine.base import EngineError
from blendgen.models.product import Product


def write_glb(product: Product, path: Path) -> None:
    """One mesh, in the product's frame; raises EngineError."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    with bpy.data.libraries.load(str(product.asset_path), link=False) as (_, into):
        into.objects = ["product"]
    bpy.context.scene.collection.objects.link(into.objects[0])
    into.objects[0].name = product.name
    try:
        bpy.ops.export_scene.gltf(filepath=str(path), export_format="GLB", export_yup=True)
    except RuntimeError as error:
        raise EngineError(f"{product.name}: cannot be written as glTF: {error}") from None
