"""What may be wrong with a mesh, as Blender has it."""

from __future__ import annotations

import numpy as np
import pytest

from tests.hollow_models import box, triangles

bpy = pytest.importorskip("bpy")

from blendgen.engine.blender.importing.soundness import soundness  # noqa: E402
from blendgen.engine.blender.shading.nodes import add_node, new_material  # noqa: E402
from blendgen.models.product import Soundness  # noqa: E402

VERTICES, TRIANGLES = box()[0], triangles(box())
TOP = (VERTICES[TRIANGLES][:, :, 2] == VERTICES[:, 2].max()).all(axis=1)


def sound(faces=TRIANGLES, vertices=VERTICES, material=None):
    mesh = bpy.data.meshes.new("product")
    mesh.materials.append(material or new_material("body")[0])
    return soundness(bpy.data.objects.new("product", mesh), np.asarray(vertices, float), faces)


def test_a_closed_box_is_sound_whichever_way_its_faces_point():
    mixed = TRIANGLES.copy()
    mixed[::2] = mixed[::2, ::-1]
    for faces in (TRIANGLES, TRIANGLES[:, ::-1], mixed):
        assert sound(faces) == Soundness(has_colors=False)


def test_the_inside_is_visible_through_a_hole():
    assert 0.05 < sound(TRIANGLES[~TOP]).inside_share < 0.35


def test_cracks_show_nothing():
    """As the T-junctions of many CAD exports: no triangle shares its vertices with another one."""
    apart = VERTICES[TRIANGLES].reshape(-1, 3)
    apart += 1e-7 * np.arange(len(apart))[:, None]
    assert sound(np.arange(len(apart)).reshape(-1, 3), apart).inside_share < 0.01


def test_a_crumb_far_away_is_not_its_size():
    crumb = 0.01 * VERTICES + [50 * np.ptp(VERTICES), 0, 0]
    both = sound(np.concatenate([TRIANGLES, TRIANGLES + len(VERTICES)]), np.concatenate([VERTICES, crumb]))
    assert both.bulk_m == pytest.approx(np.ptp(VERTICES, axis=0).max())


def test_colours_are_those_of_materials_and_of_what_they_show():
    assert sound(material=new_material("red", Base_Color=(0.8, 0.1, 0.1))[0]).has_colors
    textured, tree, principled = new_material("textured")
    picture = add_node(tree, "ShaderNodeTexImage")
    tree.links.new(picture.outputs["Color"], principled.inputs["Base Color"])
    assert sound(material=textured).has_colors
    assert not sound(material=new_material("grey", Base_Color=(0.2, 0.2, 0.2))[0]).has_colors
