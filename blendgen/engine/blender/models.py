"""Models: cached assets in the session, placed as a Shot says.

In: a Catalog whose products lie in the cache as .blend files. Out: scene objects with exact pass
indices. A mesh is appended once and kept with its materials; objects, and the copies of materials
that a colourway repaints, are made for each shot and removed after it.
"""

from __future__ import annotations

import bpy
from mathutils import Matrix

from blendgen.catalog.product import Catalog, MaterialOverride, Product
from blendgen.color import hex_to_linear
from blendgen.engine.base import EngineError
from blendgen.engine.blender.nodes import set_input
from blendgen.shot import EMISSION_GROUP, PlacedProduct


class Models:
    """Meshes of a catalogue, loaded on first use, and the colourways of the shot in hand."""

    def __init__(self, catalog: Catalog):
        self._catalog = catalog
        self._meshes: dict[str, bpy.types.Mesh] = {}
        self._painted: list[bpy.types.Material] = []

    def place(self, placed: PlacedProduct) -> bpy.types.Object:
        """A scene object for one product of a shot; its pass index is the instance id."""
        product = self._catalog.product(placed.product)
        mesh = self._mesh(product)
        instance = bpy.data.objects.new(object_name(placed.instance_id), mesh)
        for slot, material in zip(
            instance.material_slots, self._colorway(product, placed.colorway), strict=True
        ):
            slot.link = "OBJECT"
            slot.material = material
        instance.matrix_world = Matrix(placed.object_to_world)
        instance.pass_index = placed.instance_id
        instance.lightgroup = EMISSION_GROUP
        bpy.context.scene.collection.objects.link(instance)
        return instance

    def _mesh(self, product: Product) -> bpy.types.Mesh:
        if product.name not in self._meshes:
            self._meshes[product.name] = _append(product)
        return self._meshes[product.name]

    def clear(self) -> None:
        """Remove the repainted materials, after their objects are gone."""
        bpy.data.batch_remove(self._painted)
        self._painted = []

    def _colorway(self, product: Product, name: str) -> list[bpy.types.Material]:
        overrides = product.colorway(name).materials
        materials = list(self._mesh(product).materials)
        for slot, part in enumerate(product.parts):
            if part in overrides:
                materials[slot] = _repainted(materials[slot], overrides[part])
                self._painted.append(materials[slot])
        return materials


def object_name(instance_id: int) -> str:
    """Names are fixed, because Cryptomatte ids and per-object noise hash them."""
    return f"product_{instance_id}"


def _append(product: Product) -> bpy.types.Mesh:
    """The mesh of a cached asset, with its materials in the order of the product's parts."""
    with bpy.data.libraries.load(str(product.asset_path), link=False) as (_, into):
        into.objects = ["product"]
    (instance,) = into.objects
    if instance is None or instance.type != "MESH":
        raise EngineError(f"{product.name}: the cached asset {product.asset_path} holds no product")
    mesh = instance.data
    bpy.data.objects.remove(instance)
    mesh.name = product.name
    mesh.use_fake_user = True
    return mesh


def _repainted(material: bpy.types.Material, override: MaterialOverride) -> bpy.types.Material:
    copy = material.copy()
    principled = next(node for node in copy.node_tree.nodes if node.type == "BSDF_PRINCIPLED")
    if override.base_color_srgb is not None:
        set_input(principled, "Base Color", hex_to_linear(override.base_color_srgb))
    if override.roughness is not None:
        set_input(principled, "Roughness", override.roughness)
    if override.metallic is not None:
        set_input(principled, "Metallic", override.metallic)
    return copy
