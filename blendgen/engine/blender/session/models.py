"""Models: cached assets in the session, placed as in a Shot.

In: a Catalog whose products are .blend files in the cache. Out: scene objects with exact pass indices. A mesh
is appended once and stays loaded with its materials; objects, and copies of materials for colourways and
wear, are created for each shot and removed after it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import bmesh
import bpy
import numpy as np
from mathutils import Matrix
from mathutils.bvhtree import BVHTree

from blendgen.engine.base import EngineError
from blendgen.engine.blender.phones.case_material import CASE_PART, case_material
from blendgen.engine.blender.session.mesh_parts import points_of_parts, smallest_parts
from blendgen.engine.blender.session.meshes import all_blocks
from blendgen.engine.blender.session.stage import link_outline, link_to_scene
from blendgen.engine.blender.shading.nodes import set_input
from blendgen.engine.blender.wear.condition import KnownMarks, with_marks
from blendgen.engine.blender.wear.stickers import laid_down, reaches, sticker_group
from blendgen.geometry.color import hex_to_linear
from blendgen.models.product import Catalog, Keypoint, MaterialOverride, Product
from blendgen.scene.condition import Condition
from blendgen.scene.shot import EMISSION_GROUP, Distractor, PlacedProduct, Shot

# after the names of all that a model brings: the session finds its own blocks by their names
_OF_A_MODEL = " (model)"
_AS_IT_IS = MaterialOverride()
_NEW = Condition()
# of small parts: marks that would be too fine to be visible on them
_CLEAN = {"scratches": 0.0, "fingerprints": 0.0, "dust": 0.0, "scuffs": 0.0}


class Models:
    """Meshes of a catalogue, loaded on first use, and the materials of the current shot."""

    def __init__(self, catalog: Catalog, number_parts: bool = False):
        self._catalog, self._number_parts = catalog, number_parts
        self._meshes: dict[str, bpy.types.Mesh] = {}
        self._bare_meshes: dict[str, bpy.types.Mesh] = {}
        self._variants: dict[str, dict[str, bpy.types.Material]] = {}
        self._surfaces: dict[str, BVHTree] = {}
        self._small: dict[str, frozenset[int]] = {}
        self._points: dict[str, list[np.ndarray]] = {}
        self._painted: list[bpy.types.Material | bpy.types.NodeTree] = []
        self._loaded: dict[str, _Loaded] = {}

    def take_catalog(self, catalog: Catalog) -> None:
        """Go on with another catalogue; models that it does not have, or has changed, are removed."""
        products = [*catalog.models, *catalog.products_in_case.values()]
        current = {product.name: _read_from(product) for product in products}
        for name, loaded in [*self._loaded.items()]:
            if current.get(name) != loaded.read_from:
                self._forget(name)
        self._catalog = catalog

    def _forget(self, name: str) -> None:
        bpy.data.batch_remove([*self._loaded[name].blocks])
        of_meshes = self._meshes, self._bare_meshes, self._surfaces, self._small, self._points
        for known in (*of_meshes, self._variants, self._loaded):
            known.pop(name, None)

    def place(self, placed: PlacedProduct) -> bpy.types.Object:
        """A scene object for one product of a shot; its pass index is the instance id."""
        return self._place(placed, object_name(placed.instance_id), placed.instance_id, placed.condition)

    def place_distractor(self, distractor: Distractor, name: str, pass_index: int = 0) -> bpy.types.Object:
        """A scene object without labels; its pass index is not an instance id."""
        return self._place(distractor, name, pass_index)

    def _place(
        self, placed: PlacedProduct | Distractor, name: str, pass_index: int, condition: Condition = _NEW
    ) -> bpy.types.Object:
        product = self._catalog.product_of(placed)
        mesh = self._bare_mesh(product)
        instance = bpy.data.objects.new(name, mesh)
        materials = self._colorway(product, placed.colorway)
        case = getattr(placed, "case", None)
        if case is not None:
            materials = self._in_case(product, materials, case)
        if not condition.is_new:
            on_surface = self._laid_down(product, condition)
            materials = self._used(product, materials, on_surface, case is not None)
        if self._number_parts and isinstance(placed, PlacedProduct):
            materials = self._numbered(materials)
        for slot, material in zip(instance.material_slots, materials, strict=True):
            slot.link = "OBJECT"
            slot.material = material
        instance.matrix_world = Matrix(placed.object_to_world)
        instance.pass_index = pass_index
        instance.lightgroup = EMISSION_GROUP
        link_to_scene(instance, product=isinstance(placed, PlacedProduct))
        if isinstance(placed, PlacedProduct):
            _add_outline(placed, mesh)
        return instance

    def keypoints(self, placed: PlacedProduct) -> tuple[Keypoint, ...]:
        return self._catalog.product_of(placed).keypoints

    def _numbered(self, materials) -> list[bpy.types.Material]:
        """Copies whose pass index is 1 + their slot: slots may share a material, but parts need their own."""
        copies = [material.copy() for material in materials]
        for slot, copy in enumerate(copies):
            copy.pass_index = slot + 1
        self._painted += copies
        return copies

    def _in_case(self, product: Product, materials, color: str) -> list[bpy.types.Material]:
        """The materials, with the case in its colour."""
        case = case_material(color)
        self._painted.append(case)
        return [case if part == CASE_PART else m for part, m in zip(product.parts, materials, strict=True)]

    def _laid_down(self, product: Product, condition: Condition) -> Condition:
        """The condition with its stickers on the surface."""
        if not condition.stickers:
            return condition
        if product.name not in self._surfaces:
            self._surfaces[product.name] = _surface(self._mesh(product))
        surface = self._surfaces[product.name]
        laid = tuple(laid_down(sticker, surface) for sticker in condition.stickers)
        return condition.model_copy(update={"stickers": laid})

    def _details(self, product: Product) -> frozenset[int]:
        """Slots of parts that are too small to show wear."""
        if product.name not in self._small:
            self._small[product.name] = smallest_parts(self._mesh(product), len(product.parts))
        return self._small[product.name]

    def _used(
        self, product: Product, materials, condition: Condition, in_case: bool
    ) -> list[bpy.types.Material]:
        """The materials with marks of use; slots that share a material and a kind share a copy."""
        looks = [(material, product.part_kind(slot)) for slot, material in enumerate(materials)]
        large = {look for slot, look in enumerate(looks) if slot not in self._details(product)}
        groups = {
            sticker: sticker_group(sticker, condition.pattern_offset_m) for sticker in condition.stickers
        }
        within = _within_case(condition) if in_case else condition
        used, known = {}, KnownMarks()
        for look in dict.fromkeys(looks):
            state = condition if look[0].name.startswith(CASE_PART) else within
            if state.stickers:
                slots = [slot for slot, one in enumerate(looks) if one == look]
                state = self._with_near_stickers(product, slots, state)
            state = state if look in large else state.model_copy(update=_CLEAN)
            used[look] = with_marks(*look, state, groups, known)
        copies = [material for (before, _), material in used.items() if material != before]
        self._painted += [*copies, *groups.values(), *(marks.tree for marks in known.values())]
        return [used[look] for look in looks]

    def _with_near_stickers(self, product: Product, slots: list[int], condition: Condition) -> Condition:
        """The condition with only the stickers that reach the parts in some slots."""
        if product.name not in self._points:
            self._points[product.name] = points_of_parts(self._mesh(product), len(product.parts))
        points = np.concatenate([self._points[product.name][slot] for slot in slots])
        near = tuple(sticker for sticker in condition.stickers if reaches(sticker, points))
        return condition.model_copy(update={"stickers": near})

    def _mesh(self, product: Product) -> bpy.types.Mesh:
        if product.name not in self._meshes:
            mesh, self._variants[product.name], blocks = _append(product)
            self._meshes[product.name] = mesh
            self._loaded[product.name] = _Loaded(_read_from(product), blocks)
        return self._meshes[product.name]

    def _bare_mesh(self, product: Product) -> bpy.types.Mesh:
        """Its mesh with empty slots: a view layer computes all materials that it sees, also those of a mesh
        whose objects have others, and where it overrides them."""
        if product.name not in self._bare_meshes:
            self._bare_meshes[product.name] = bare = self._mesh(product).copy()
            for slot in range(len(bare.materials)):
                bare.materials[slot] = None
            bare.use_fake_user = True
            self._loaded[product.name].blocks.add(bare)
        return self._bare_meshes[product.name]

    def taken_paint(self) -> list[bpy.types.Material | bpy.types.NodeTree]:
        """The materials of the shot and their node groups, which are the caller's to remove."""
        taken, self._painted = self._painted, []
        return taken

    def _colorway(self, product: Product, name: str) -> list[bpy.types.Material]:
        overrides = product.colorway(name).materials
        materials = list(self._mesh(product).materials)
        for slot, part in enumerate(product.parts):
            override = overrides.get(part)
            if override is not None and override.material is not None:
                materials[slot] = self._variants[product.name][override.material]
            if override is not None and replace(override, material=None) != _AS_IT_IS:
                materials[slot] = _repainted(materials[slot], override)
                self._painted.append(materials[slot])
        return materials


def object_name(instance_id: int) -> str:
    """A fixed name: Cryptomatte ids and per-object noise are hashes of it."""
    return f"product_{instance_id}"


def outline_names(shot: Shot) -> dict[int, str]:
    """instance id -> the name of its outline, of all products."""
    return {placed.instance_id: outline_name(placed.instance_id) for placed in shot.products}


def outline_name(instance_id: int) -> str:
    """Of its outline, as a fixed name likewise."""
    return f"{object_name(instance_id)}_outline"


def _add_outline(placed: PlacedProduct, mesh: bpy.types.Mesh) -> None:
    outline = bpy.data.objects.new(outline_name(placed.instance_id), mesh)
    outline.matrix_world = Matrix(placed.object_to_world)
    link_outline(outline)


def _within_case(condition: Condition) -> Condition:
    """The condition of a product in a case: stickers only reach it at the open front (-Z)."""
    return condition.model_copy(update={"stickers": tuple(s for s in condition.stickers if s.normal[2] < 0)})


def _surface(mesh: bpy.types.Mesh) -> BVHTree:
    """The surface for ray casts, in the product frame."""
    editable = bmesh.new()
    editable.from_mesh(mesh)
    tree = BVHTree.FromBMesh(editable)
    editable.free()
    return tree


@dataclass(frozen=True)
class _Loaded:
    """blocks: everything that came with a model"""

    read_from: tuple
    blocks: set[bpy.types.ID]


def _read_from(product: Product) -> tuple[Path, list[str]]:
    """The cached asset, whose path follows from its content, and the materials that are used of it."""
    overrides = [one for colorway in product.colorways for one in colorway.materials.values()]
    return product.asset_path, sorted({one.material for one in overrides if one.material is not None})


def _append(product: Product) -> tuple[bpy.types.Mesh, dict[str, bpy.types.Material], set[bpy.types.ID]]:
    """The mesh of a cached asset, with its materials in the order of the product's parts; the materials that
    its colourways swap in, by their names in the asset; and all blocks that came with them."""
    _, names = _read_from(product)
    before = all_blocks()
    try:
        with bpy.data.libraries.load(str(product.asset_path), link=False) as (_, into):
            into.objects = ["product"]
            into.materials = list(names)
    except OSError:
        raise EngineError(
            f"{product.name}: {product.asset_path}: cannot be read; the same command measures the model again"
        ) from None
    (instance,) = into.objects
    if instance is None or instance.type != "MESH":
        raise EngineError(f"{product.name}: the cached asset {product.asset_path} holds no product")
    mesh = instance.data
    bpy.data.objects.remove(instance)
    mesh.name = product.name
    blocks = all_blocks() - before
    for block in blocks:
        block.name += _OF_A_MODEL
    mesh.use_fake_user = True
    for material in into.materials:
        material.use_fake_user = True
    return mesh, dict(zip(names, into.materials, strict=True)), blocks


def _repainted(material: bpy.types.Material, override: MaterialOverride) -> bpy.types.Material:
    copy = material.copy()
    principled = next(node for node in copy.node_tree.nodes if node.type == "BSDF_PRINCIPLED")
    color = override.base_color_srgb
    values = {
        "Base Color": None if color is None else hex_to_linear(color),
        "Roughness": override.roughness,
        "Metallic": override.metallic,
        "Transmission Weight": override.transmission,
    }
    for name, value in values.items():
        if value is not None:
            for link in list(principled.inputs[name].links):  # the new value replaces a texture
                copy.node_tree.links.remove(link)
            set_input(principled, name, value)
    return copy
