"""Materials of OBJ files: libraries and statements as writers make them, vertex colours, and what is lost."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("bpy")

from tests.engine.looks import look, write_png
from tests.engine.model_files import CORNERS, obj

pytestmark = pytest.mark.slow  # fifty imports
RED = "newmtl m\nKd 0.9 0.1 0.1\n"
GREY = (0.8, 0.8, 0.8)  # what Blender gives a material that is not defined
IN_RED = {"m": (0.9, 0.1, 0.1)}


def write(folder, header: str, **libraries: str | bytes):
    """box.obj with a header, and libraries by their names without .mtl."""
    for name, text in libraries.items():
        data = text if isinstance(text, bytes) else text.encode()
        (folder / f"{name}.mtl").write_bytes(data)
    (folder / "box.obj").write_text(obj(header=header))
    return folder / "box.obj"


@pytest.mark.parametrize(
    "line",
    [
        "mtllib m.mtl",
        "mtllib other.mtl m.mtl",
        "mtllib other.mtl   absent.mtl m.mtl",
        "mtllib M.MTL",
        'mtllib "m.mtl"',
        "mtllib 'm.mtl'",
        r"mtllib .\m.mtl",
        r"mtllib C:\Users\max\proj\m.mtl",
        "mtllib /home/max/m.mtl",
    ],
)
def test_a_library_is_found_however_it_is_named(tmp_path, line):
    model = write(tmp_path, f"{line}\nusemtl m", m=RED, other="newmtl other\nKd 0 1 0\n")
    assert look(model).base == IN_RED and look(model).lost == []


def test_names_of_libraries_may_have_spaces(tmp_path):
    libraries = {"my lib": RED, "your lib": "newmtl n\nKd 0 1 0\n"}
    for line in ("MY LIB.mtl", "my lib.mtl your lib.mtl", '"my lib.mtl" "your lib.mtl"'):
        assert look(write(tmp_path, f"mtllib {line}\nusemtl m", **libraries)).base == IN_RED, line


@pytest.mark.parametrize(
    "text",
    [
        b"\xef\xbb\xbf" + RED.encode(),
        RED.encode("utf-16"),
        RED.replace("\n", "\r").encode(),
        b"newmtl M\nKd 0.9 0.1 0.1\n",
        b"NEWMTL m\nkd 0.9 0.1 0.1\n",
        b"newmtl\tm\nKd\t0.9 0.1 0.1\n",
    ],
)
def test_a_library_is_read_in_other_encodings_and_letter_case(tmp_path, text):
    assert look(write(tmp_path, "mtllib m.mtl\nusemtl m", m=text)).base == IN_RED


@pytest.mark.parametrize(
    "statement",
    [
        "map_Kd wood.png",
        "map_kd wood.png",
        'map_Kd "wood.png"',
        "map_Kd -s 2 2 2 -clamp on wood.png",
        "map_Kd -bm 0.5 -o 0 0 sub\\wood.png",
        "map_Ka wood.png",
    ],
)
def test_a_texture_is_used_however_it_is_stated(tmp_path, statement):
    write_png(tmp_path / "sub/wood.png")
    shown = look(write(tmp_path, "mtllib m.mtl\nusemtl m", m=f"newmtl m\n{statement}\n"))
    assert shown.base == {"m": ("TEX_IMAGE", "wood.png")} and shown.missing == []
    assert shown.lost == ["material 'm': mesh 'box' has no texture coordinates for it"]


def test_the_only_material_is_used_where_no_face_names_one(tmp_path):
    assert look(write(tmp_path, "mtllib m.mtl", m=RED)).base == IN_RED
    shown = look(write(tmp_path, "mtllib m.mtl", m=RED + "newmtl n\n"))
    assert shown.lost == ["material m, n: no face uses it (usemtl is missing); plain grey is shown"]


def test_a_missing_library_and_an_undefined_material_are_reported(tmp_path):
    shown = look(write(tmp_path, "mtllib absent.mtl\nusemtl m"))
    assert shown.lost == ["the material library of m is missing: absent.mtl; put it next to the model"]
    assert shown.base == {"m": GREY}
    assert look(write(tmp_path, "mtllib absent.mtl")).lost == [
        "the material library is missing: absent.mtl; put it next to the model"
    ]
    assert look(write(tmp_path, "mtllib n.mtl\nusemtl m", n="newmtl n\n")).lost == [
        "material m: no library defines it; plain grey is shown"
    ]
    assert look(write(tmp_path, "usemtl (null)")).lost == []


def test_textures_that_blender_does_not_know_are_used_or_reported(tmp_path):
    write_png(tmp_path / "n.png")
    text = RED + "norm n.png\ndisp height.png\ndecal logo.png\n"
    shown = look(write(tmp_path, "mtllib m.mtl\nusemtl m", m=text))
    assert shown.lost == [
        "material 'm': 'disp height.png' is not used",
        "material 'm': 'decal logo.png' is not used",
        "material 'm': mesh 'box' has no texture coordinates for it",
    ]
    assert "NORMAL_MAP" in [node.type for node in shown.mesh.materials["m"].node_tree.nodes]


@pytest.mark.parametrize(
    "statements, alpha",
    [("Tr 0.25", 0.75), ("tr 1.0", 0.0), ("Tr 0", 1.0), ("d 1\nTr 1", 1.0), ("Tr 1\nd 0.5", 0.5)],
)
def test_transparency_counts_where_opacity_is_not_stated(tmp_path, statements, alpha):
    shown = look(write(tmp_path, "mtllib m.mtl\nusemtl m", m=f"{RED}{statements}\n"))
    nodes = shown.mesh.materials["m"].node_tree.nodes
    assert nodes["Principled BSDF"].inputs["Alpha"].default_value == pytest.approx(alpha)


def test_materials_are_matched_by_their_place_where_names_are_too_long_or_not_text(tmp_path):
    names = ["n" * 300 + "1", "n" * 300 + "2", "größe"]
    text = "".join(f"newmtl {name}\nkd {i / 10} 0 0\n" for i, name in enumerate(names))
    (tmp_path / "m.mtl").write_bytes(text.encode("cp1252"))
    faces = "".join(f"usemtl {name}\nf 1 2 3\n" for name in names)
    vertices = "v 0 0 0\nv 1 0 0\nv 0 1 0\n"
    (tmp_path / "box.obj").write_bytes(f"mtllib m.mtl\n{vertices}{faces}".encode("cp1252"))
    assert list(look(tmp_path / "box.obj").base.values()) == [(0.0, 0, 0), (0.1, 0, 0), (0.2, 0, 0)]


def colored(scale: float) -> list[tuple]:
    return [(*corner, *(scale * c / m for c, m in zip(corner, (1, 2, 3), strict=True))) for corner in CORNERS]


@pytest.mark.parametrize("scale", [1.0, 255.0, 65_535.0])
def test_vertex_colors_of_any_range_are_shown(tmp_path, scale):
    (tmp_path / "box.obj").write_text(obj(colored(scale)))
    shown = look(tmp_path / "box.obj")
    assert shown.base == {"default": ("VERTEX_COLOR", "Color")}
    np.testing.assert_allclose(shown.colors(), [row[3:] for row in colored(1)], atol=1e-4)


def test_vertex_colors_are_shown_by_a_material_without_a_texture(tmp_path):
    write_png(tmp_path / "wood.png")
    header = "mtllib m.mtl\nusemtl m"
    path = write(tmp_path, "", m=RED)
    for corners, text, base in [
        (colored(1), RED, ("VERTEX_COLOR", "Color")),
        (colored(1), RED + "map_Kd wood.png\n", ("TEX_IMAGE", "wood.png")),
        ([(*corner, 1, 1, 1) for corner in CORNERS], RED, IN_RED["m"]),
    ]:
        (tmp_path / "m.mtl").write_text(text)
        path.write_text(obj(corners, header=header))
        assert look(path).base == {"m": base}


@pytest.mark.parametrize(
    "statements, alpha_mode",
    [("", "CHANNEL_PACKED"), ("map_d wood.png\n", "STRAIGHT")],
)
def test_a_texture_with_alpha_is_opaque_without_map_d(tmp_path, statements, alpha_mode):
    write_png(tmp_path / "wood.png", (200, 30, 30, 0))
    shown = look(write(tmp_path, "mtllib m.mtl\nusemtl m", m=f"newmtl m\nmap_Kd wood.png\n{statements}"))
    assert shown.image("m").alpha_mode == alpha_mode


@pytest.mark.parametrize(
    "mode, statements, socket",
    [
        ("L", "map_Kd wood.png\nmap_d mask.png\n", "Color"),
        ("RGBA", "map_Kd wood.png\nmap_d mask.png\n", "Alpha"),
        ("L", "map_Kd mask.png\nmap_d mask.png\n", "Alpha"),
    ],
)
def test_opacity_is_the_grey_of_a_map_without_alpha(tmp_path, mode, statements, socket):
    write_png(tmp_path / "wood.png")
    Image.new(mode, (4, 4)).save(tmp_path / "mask.png")
    shown = look(write(tmp_path, "mtllib m.mtl\nusemtl m", m=f"newmtl m\n{statements}"))
    nodes = shown.mesh.materials["m"].node_tree.nodes
    (alpha,) = next(node for node in nodes if node.type == "BSDF_PRINCIPLED").inputs["Alpha"].links
    assert (alpha.from_node.image.name, alpha.from_socket.name) == ("mask.png", socket)
    assert (alpha.from_node.image.colorspace_settings.name == "Non-Color") == (socket == "Color")
