"""No name in a cached model is that of a block which the session finds by its name."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

bpy = pytest.importorskip("bpy")

from blendgen.engine.blender.importing.asset import empty_blender  # noqa: E402
from blendgen.engine.blender.session.meshes import all_blocks  # noqa: E402
from blendgen.engine.blender.session.models import _append  # noqa: E402
from blendgen.engine.blender.session.stage import exclude_outlines, link_to_scene  # noqa: E402
from blendgen.engine.blender.shading.nodes import add_node, new_material  # noqa: E402
from blendgen.models.product import Colorway, MaterialOverride  # noqa: E402

LONG = "a" * 65  # cut to 63 bytes by Blender 4.5


def write_asset(file) -> None:
    """A product whose material depends on an object in a collection, all with names of the session."""
    reference = bpy.data.objects.new("product_1", None)
    reference.instance_type, reference.instance_collection = "COLLECTION", bpy.data.collections.new("set")
    mesh = bpy.data.meshes.new("product")
    mesh.from_pydata([(0, 0, 0), (1, 0, 0), (0, 1, 0)], [], [(0, 1, 2)])
    for name in ("backdrop", "surface.belt", LONG):
        material, tree, _ = new_material(name)
        add_node(tree, "ShaderNodeTexCoord", object=reference)
        mesh.materials.append(material)
    other, tree, _ = new_material("lamp_1.glow")
    add_node(tree, "ShaderNodeTexImage", image=bpy.data.images.new("studio", 1, 1))
    blocks = {bpy.data.objects.new("product", mesh), other}
    bpy.data.libraries.write(str(file), blocks, fake_user=True)


def test_the_names_of_a_model_are_not_those_of_the_session(tmp_path):
    empty_blender()
    write_asset(tmp_path / "asset.blend")
    empty_blender()
    swap = Colorway("red", {"backdrop": MaterialOverride(material="lamp_1.glow")})
    product = SimpleNamespace(name="surface.belt", asset_path=tmp_path / "asset.blend", colorways=(swap,))
    before = all_blocks()
    mesh, swapped_in, blocks = _append(product)
    taken = {"product_1", "surface.belt", "set", "products", "backdrop", "lamp_1.glow", "studio", "product"}
    assert blocks == all_blocks() - before and not {block.name for block in blocks} & taken
    assert swapped_in["lamp_1.glow"].name.startswith("lamp_1.glow")
    placed = bpy.data.objects.new("product_1", mesh)
    link_to_scene(placed, product=True)
    exclude_outlines(bpy.context.view_layer)
    assert placed.name == "product_1" and placed.name in bpy.context.scene.objects
