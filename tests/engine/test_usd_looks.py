"""Materials, textures, colours and subdivision of USD files, and what is lost of them."""

from __future__ import annotations

import pytest

pytest.importorskip("bpy")

from blendgen.engine.blender.importing.preflight import ImportRefused
from tests.engine.looks import look, write_png
from tests.engine.model_files import CORNERS, QUADS

pytestmark = pytest.mark.slow  # twenty imports
BOUND = "rel material:binding = </root/M>"
UV = f'texCoord2f[] primvars:st = {[(0, 0)] * 8} (interpolation = "vertex")'
POLYGONS = 'uniform token subdivisionScheme = "none"'
CAGE = 'uniform token subdivisionScheme = "catmullClark"'
PREVIEW = """
token outputs:surface.connect = </root/M/S.outputs:surface>
def Shader "S"
{
    uniform token info:id = "UsdPreviewSurface"
    color3f inputs:diffuseColor = (0.9, 0.1, 0.1)
    token outputs:surface
}
"""
MDL = """
token outputs:mdl:surface.connect = </root/M/S.outputs:out>
def Shader "S"
{
    uniform asset info:mdl:sourceAsset = @OmniPBR.mdl@
    color3f inputs:diffuse_color_constant = (0.9, 0.1, 0.1)
    asset inputs:diffuse_texture = @tex/wood.png@
    token outputs:out
}
"""
MATERIALX = """
token outputs:mtlx:surface.connect = </root/M/S.outputs:out>
def Shader "S"
{
    uniform token info:id = "ND_standard_surface_surfaceshader"
    color3f inputs:base_color = (0.9, 0.1, 0.1)
    token outputs:out
}
"""
TEXTURED = """
token outputs:surface.connect = </root/M/S.outputs:surface>
def Shader "S"
{
    uniform token info:id = "UsdPreviewSurface"
    color3f inputs:diffuseColor.connect = </root/M/T.outputs:rgb>
    float inputs:occlusion.connect = </root/M/O.outputs:r>
    token outputs:surface
}
def Shader "T"
{
    uniform token info:id = "UsdUVTexture"
    asset inputs:file = @NAME@
    float3 outputs:rgb
}
def Shader "O"
{
    uniform token info:id = "UsdUVTexture"
    asset inputs:file = @occlusion.png@
    float outputs:r
}
"""


def mesh(*lines: str, name: str = "box") -> str:
    counts, indices = [len(quad) for quad in QUADS], [i for quad in QUADS for i in quad]
    body = "\n".join([f"int[] faceVertexCounts = {counts}", f"int[] faceVertexIndices = {indices}",
                      f"point3f[] points = {CORNERS}", *lines])  # fmt: skip
    return f'def Mesh "{name}" (prepend apiSchemas = ["MaterialBindingAPI"])\n{{\n{body}\n}}\n'


def material(body: str, name: str = "M") -> str:
    return f'def Material "{name}"\n{{\n{body}\n}}\n'


def write(folder, *parts: str):
    body = "\n".join(parts)
    header = '#usda 1.0\n(\n    defaultPrim = "root"\n    metersPerUnit = 1\n    upAxis = "Z"\n)\n'
    (folder / "box.usda").write_text(f'{header}def Xform "root"\n{{\n{body}\n}}\n')
    return folder / "box.usda"


@pytest.mark.parametrize("language, body", [("MDL", MDL), ("MaterialX", MATERIALX)])
def test_a_material_in_another_language_is_plain_and_reported(tmp_path, language, body):
    shown = look(write(tmp_path, mesh(BOUND, POLYGONS), material(body)))
    without = " without wood.png" if body is MDL else ""
    assert shown.base == {"M": (0.9, 0.1, 0.1)}
    assert shown.lost == [
        f"material 'M': its shading is {language}, which is not read; "
        f"a plain colour is shown{without}; export UsdPreviewSurface"
    ]
    both = look(write(tmp_path, mesh(BOUND, POLYGONS), material(PREVIEW + body.replace("S", "other"))))
    assert both.base == {"M": (0.9, 0.1, 0.1)} and both.lost == []


def test_a_base_color_that_is_a_number_is_not_shown(tmp_path):
    number = MDL.replace("color3f", "float").replace("(0.9, 0.1, 0.1)", "0.5")
    assert look(write(tmp_path, mesh(BOUND, POLYGONS), material(number))).base == {"M": (0.6, 0.6, 0.6)}


@pytest.mark.parametrize("metres", ["0", "-1", "nan", "inf"])
def test_a_unit_that_is_not_a_length_is_refused_unless_the_unit_is_stated(tmp_path, metres):
    path = write(tmp_path, mesh(POLYGONS))
    path.write_text(path.read_text().replace("metersPerUnit = 1", f"metersPerUnit = {metres}"))
    with pytest.raises(ImportRefused, match=f"its metersPerUnit is {metres}, which is not a length; correct"):
        look(path)
    assert max(vertex.co.z for vertex in look(path, unit="mm").mesh.vertices) == pytest.approx(0.003)


def test_a_unit_that_is_stored_as_a_float_is_a_unit(tmp_path):
    from pxr import Sdf, Vt

    path = write(tmp_path, mesh(POLYGONS)).with_suffix(".usdc")
    layer = Sdf.Layer.FindOrOpen(str(path.with_suffix(".usda")))
    layer.pseudoRoot.SetInfo("metersPerUnit", Vt.Float(1.0))
    layer.Export(str(path))
    assert len(look(path).mesh.vertices) == len(CORNERS)


@pytest.mark.parametrize(
    "points", ["int points = 7", "point3f points = (1, 2, 3)", "int[] points = [0, 1, 2, 3]"]
)
def test_points_of_other_types_are_not_read(tmp_path, points):
    path = write(tmp_path, mesh(POLYGONS) + f'def Mesh "other"\n{{\n    {points}\n}}\n')
    assert len(look(path).mesh.vertices) == len(CORNERS)


def test_display_color_is_shown_without_a_surface(tmp_path):
    color = "color3f[] primvars:displayColor = [(0.9, 0.1, 0.1)]"
    assert look(write(tmp_path, mesh(POLYGONS, color))).base == {"default": ("VERTEX_COLOR", "displayColor")}
    shown = look(write(tmp_path, mesh(BOUND, POLYGONS, color), material("")))
    assert shown.base == {"M": ("VERTEX_COLOR", "displayColor")} and shown.lost == []


@pytest.mark.parametrize("binding", [BOUND, ""])
def test_faces_outside_of_all_subsets_have_the_material_of_the_mesh(tmp_path, binding):
    subset = """
    def GeomSubset "some" (prepend apiSchemas = ["MaterialBindingAPI"])
    {
        uniform token elementType = "face"
        uniform token familyName = "materialBind"
        int[] indices = [4, 1]
        rel material:binding = </root/N>
    }"""
    green = PREVIEW.replace("/M/", "/N/").replace("(0.9, 0.1, 0.1)", "(0.1, 0.9, 0.1)")
    shown = look(write(tmp_path, mesh(binding, POLYGONS, subset), material(PREVIEW), material(green, "N")))
    others = (0.9, 0.1, 0.1) if binding else (0.6, 0.6, 0.6)
    assert sorted(shown.base.values()) == sorted([(0.1, 0.9, 0.1), others])
    colors = list(shown.base.values())
    green_faces = [i for i, face in enumerate(shown.mesh.polygons) if colors[face.material_index][1] == 0.9]
    assert green_faces == [1, 4]


def test_faces_and_textures_of_instances_are_completed_too(tmp_path):
    """Also of instances in instances."""
    write_png(tmp_path / "Wood.PNG")
    part = 'def Xform "part"\n{\n' + mesh(BOUND, POLYGONS, UV) + "\n}"
    one = 'def Xform "one"\n{\ndef "a" (\ninstanceable = true\nreferences = </root/part>\n)\n{\n}\n}'
    two = 'def "two" (\ninstanceable = true\nreferences = </root/one>\n)\n{\n}'
    textured = material(TEXTURED.replace("NAME", "/home/max/wood.png"))
    subset = 'def GeomSubset "some"\n{\nuniform token familyName = "materialBind"\nint[] indices = [0]\n}'
    shown = look(write(tmp_path, part.replace(UV, UV + "\n" + subset), one, two, textured))
    assert shown.base["M"] == ("TEX_IMAGE", "Wood.PNG") and shown.missing == []
    slot = shown.mesh.materials.find("M")
    assert [face.material_index == slot for face in shown.mesh.polygons].count(True) >= 15


@pytest.mark.parametrize("file", ["tex/wood.png", "../textures/Wood.PNG", "wood.png"])
def test_a_texture_is_found_near_the_file(tmp_path, file):
    (tmp_path / "a").mkdir()
    write_png(tmp_path / "a" / file)
    path = write(
        tmp_path / "a", mesh(BOUND, POLYGONS, UV), material(TEXTURED.replace("NAME", "/home/max/wood.png"))
    )
    shown = look(path, tmp_path)
    assert [str(name).lower() for name in shown.base["M"]] == ["tex_image", "wood.png"]
    assert shown.missing == shown.lost == []


def test_a_missing_texture_is_named_and_its_plain_color_is_shown(tmp_path):
    (tmp_path / "a").mkdir()
    write_png(tmp_path / "secret.png")
    for name, message in [("tex/wood.png", "wood.png"), ("../secret.png", "secret.png: it is outside of")]:
        path = write(tmp_path / "a", mesh(BOUND, POLYGONS, UV), material(TEXTURED.replace("NAME", name)))
        shown = look(path)
        assert [name.startswith(message) for name in shown.missing] == [True]
        assert len(shown.base["M"]) == 3 and shown.lost == []


def test_a_texture_in_an_archive_is_shown(tmp_path):
    from pxr import UsdUtils

    for name in ("wood.png", "occlusion.png"):
        write_png(tmp_path / name)
    path = write(tmp_path, mesh(BOUND, POLYGONS, UV), material(TEXTURED.replace("NAME", "wood.png")))
    assert UsdUtils.CreateNewUsdzPackage(str(path), str(tmp_path / "packed.usdz"))
    shown = look(tmp_path / "packed.usdz")
    assert shown.base["M"][0] == "TEX_IMAGE" and shown.missing == shown.lost == []


def test_a_missing_reference_is_named(tmp_path):
    shown = look(write(tmp_path, mesh(POLYGONS), 'def "other" (references = @parts/gone.usda@)\n{\n}'))
    assert shown.lost == ["reference 'gone.usda' cannot be read; put the file next to the model"]


def test_only_meshes_that_ask_for_it_are_subdivided(tmp_path):
    shown = look(write(tmp_path, mesh(CAGE), mesh(name="second"), mesh(POLYGONS, name="third")))
    assert len(shown.mesh.polygons) == 6 * 4**3 + 6 + 6 and shown.lost == []
    assert len(look(write(tmp_path, mesh())).mesh.polygons) == 6
    loop = look(write(tmp_path, mesh(CAGE.replace("catmullClark", "loop"))))
    assert loop.lost == ["subdivision of box: Blender does not read the scheme loop"]


def test_subdivision_stops_where_there_are_too_many_triangles(tmp_path, monkeypatch):
    from blendgen.engine.blender.importing import usd_looks

    path = write(tmp_path, mesh(CAGE))
    for most, faces in [(191, 6 * 4), (192, 6 * 16), (47, 6)]:
        monkeypatch.setattr(usd_looks, "_MOST_TRIANGLES", most)
        shown = look(path)
        assert len(shown.mesh.polygons) == faces
        assert shown.lost == ([] if faces > 6 else ["subdivision of box: there are too many faces"])
