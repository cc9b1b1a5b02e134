"""The benchmark of materials: plain ones take the place of all others, and the others come back."""

from __future__ import annotations

import pytest

from benchmarks import floor

bpy = pytest.importorskip("bpy")


@pytest.fixture
def table():
    """A scene of a dusty table."""
    from blendgen.engine.blender.surfaces import build_surface
    from blendgen.scene.ground import Surface

    bpy.ops.wm.read_factory_settings(use_empty=True)
    surface = Surface(
        kind="backlit_sheet", texture_offset_m=(1.0, 2.0), yaw_deg=9.0, width_m=0.6, wear=0.5, dust=0.3,
        color_srgb=None,
    )  # fmt: skip
    (sheet,) = build_surface(surface)
    return sheet.material_slots[0]


def test_plain_materials_are_one_shader_and_are_replaced_at_the_end(table):
    own = table.material
    with floor.plain_materials():
        tree = table.material.node_tree
        output = next(node for node in tree.nodes if node.type == "OUTPUT_MATERIAL")
        shader = output.inputs["Surface"].links[0].from_node
        assert shader.type == "BSDF_PRINCIPLED"
        assert not any(socket.is_linked for socket in shader.inputs)
        assert shader.inputs["Emission Strength"].default_value == 1.0
    assert table.material == own
    assert len(bpy.data.materials) == 1


def test_the_ratio_of_a_scene_is_that_of_its_sums():
    shots = [floor.Sampled("tote", "paper", 3.0, 1.0), floor.Sampled("tote", "belt_pvc", 1.0, 1.0)]
    assert floor.total(shots) == floor.Sampled("tote", "all", 2.0, 1.0)
    assert floor.line(floor.total(shots)).split() == ["tote", "all", "2.000", "1.000", "2.00"]
