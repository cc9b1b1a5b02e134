"""Images of .blend files: found near the file, taken in another format with a note, or reported."""

from __future__ import annotations

import pytest
from PIL import Image

bpy = pytest.importorskip("bpy")

from blendgen.engine.blender.shading.nodes import add_node, new_material  # noqa: E402
from tests.engine.looks import look, write_png  # noqa: E402

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def empty_file():
    """Leave no scene of a .blend file behind."""
    yield
    bpy.ops.wm.read_factory_settings(use_empty=True)


@pytest.fixture
def write(tmp_path, empty_file):
    """(path of the image in the file; None: a node without an image) -> a .blend file with a textured box."""

    def write_blend(filepath: str | None, source: str = "FILE"):
        bpy.ops.wm.read_factory_settings(use_empty=True)
        bpy.ops.mesh.primitive_cube_add(size=0.1)
        material, tree, principled = new_material("paint")
        bpy.context.object.data.materials.append(material)
        image = None if filepath is None else bpy.data.images.new("wood", 1, 1, tiled=source == "TILED")
        if image is not None:
            image.source, image.filepath = source, filepath
        texture = add_node(tree, "ShaderNodeTexImage", image=image)
        tree.links.new(texture.outputs["Color"], principled.inputs["Base Color"])
        (tmp_path / "models").mkdir(exist_ok=True)
        bpy.data.libraries.write(str(tmp_path / "models/box.blend"), {bpy.context.scene})
        return tmp_path / "models/box.blend"

    return write_blend


@pytest.mark.parametrize("filepath", ["//../textures/wood.png", r"C:\proj\wood.png", "/home/max/WOOD.png"])
def test_an_image_is_found_near_the_file(tmp_path, write, filepath):
    write_png(tmp_path / "textures/wood.png")
    shown = look(write(filepath), tmp_path)
    assert shown.base == {"paint": ("TEX_IMAGE", "wood.png")} and shown.missing == shown.lost == []


def test_an_image_with_another_extension_is_used_with_a_note(tmp_path, write):
    (tmp_path / "models").mkdir()
    Image.new("RGB", (4, 4), "red").save(tmp_path / "models/wood.jpg")
    shown = look(write("//wood.psd"), tmp_path)
    assert shown.base == {"paint": ("TEX_IMAGE", "wood.jpg")} and shown.missing == []
    assert shown.notes == ["texture 'wood.psd' is missing; 'wood.jpg' is used"]


def test_tiles_are_found_near_the_file(tmp_path, write):
    write_png(tmp_path / "textures/wood.1001.png")
    shown = look(write("/home/max/wood.<UDIM>.png", "TILED"), tmp_path)
    assert shown.base == {"paint": ("TEX_IMAGE", "wood.<UDIM>.png")} and shown.missing == []


def test_a_node_without_an_image_is_reported_and_not_rendered(tmp_path, write):
    shown = look(write(None), tmp_path)
    assert shown.lost == ["material 'paint': a texture without an image; the plain colour is shown"]
    assert len(shown.base["paint"]) == 3


def test_the_alpha_of_a_blend_file_is_as_in_blender(tmp_path, write):
    write_png(tmp_path / "models/wood.png", (200, 30, 30, 0))
    assert look(write("//wood.png"), tmp_path).image("paint").alpha_mode == "STRAIGHT"
