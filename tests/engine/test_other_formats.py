"""COLLADA, 3MF and OFF files: sizes, names, colours, textures, and one line for those that cannot be used."""

from __future__ import annotations

import struct
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from blendgen.models.scan import scan_directory
from tests.engine.model_files import CORNERS, QUADS, TRIANGLES

pytest.importorskip("bpy")
from blendgen.engine.blender.importing.converted import converted, own_frame
from blendgen.engine.blender.importing.coordinates.mirror import Mirror
from blendgen.engine.blender.importing.coordinates.prepare import prepare
from blendgen.engine.blender.importing.glb_scene import GlbScene
from blendgen.engine.blender.importing.measurer import BlenderMeasurer
from blendgen.engine.blender.importing.off import ply_of_off
from blendgen.engine.blender.importing.ply_faces import read_faces
from blendgen.engine.blender.importing.ply_header import read_header
from blendgen.engine.blender.importing.preflight import ImportRefused
from blendgen.engine.blender.importing.three_mf import three_mf_metres_per_unit
from blendgen.models.companions import Companions
from blendgen.models.measuring.entry import read_entry

POINTS = " ".join(str(x) for corner in CORNERS for x in corner)
TWICE = "1 0 0 0 0 1 0 0 0 0 1 5 0 0 0 1"  # 5 units up


def dae(diffuse: str, unit="0.01", up="Z_UP", effects="", uv=False, body="") -> str:
    """A box of 1 x 2 x 3 units, twice, with one material."""
    corners = " ".join(f"{i} 0" if uv else f"{i}" for t in TRIANGLES for i in t)
    sources = f'<source id="p"><float_array id="pa" count="24">{POINTS}</float_array><technique_common>'
    sources += '<accessor source="#pa" count="8" stride="3"><param name="X" type="float"/><param name="Y" '
    sources += 'type="float"/><param name="Z" type="float"/></accessor></technique_common></source>'
    inputs = '<input semantic="VERTEX" source="#v" offset="0"/>'
    if uv:
        sources += (
            '<source id="t"><float_array id="ta" count="2">0 0</float_array><technique_common><accessor '
        )
        sources += (
            'source="#ta" count="1" stride="2"><param name="S" type="float"/><param name="T" type="float"/>'
        )
        sources += "</accessor></technique_common></source>"
        inputs += '<input semantic="TEXCOORD" source="#t" offset="1" set="0"/>'
    instance = '<instance_geometry url="#g"><bind_material><technique_common><instance_material symbol="s" '
    instance += 'target="#m"/></technique_common></bind_material></instance_geometry>'
    return f"""<?xml version="1.0"?>{body}
<COLLADA xmlns="http://www.collada.org/2005/11/COLLADASchema" version="1.4.1">
<asset><unit name="u" meter="{unit}"/><up_axis>{up}</up_axis></asset>
<library_images><image id="i" name="i"><init_from>C:\\work\\paint.png</init_from></image></library_images>
<library_effects><effect id="e"><profile_COMMON>
<newparam sid="f"><surface type="2D"><init_from>i</init_from></surface></newparam>
<newparam sid="a"><sampler2D><source>f</source></sampler2D></newparam>
<technique sid="c"><phong>
{effects}<diffuse>{diffuse}</diffuse><shininess><float>18</float></shininess></phong>
</technique></profile_COMMON></effect></library_effects>
<library_materials><material id="m" name="Lack"><instance_effect url="#e"/></material></library_materials>
<library_geometries><geometry id="g" name="body"><mesh>{sources}
<vertices id="v"><input semantic="POSITION" source="#p"/></vertices>
<triangles count="12" material="s">{inputs}<p>{corners}</p></triangles></mesh></geometry></library_geometries>
<library_visual_scenes><visual_scene id="sc"><node>{instance}</node>
<node><matrix>{TWICE}</matrix>{instance}</node>
</visual_scene></library_visual_scenes><scene><instance_visual_scene url="#sc"/></scene></COLLADA>"""


TEXTURE = '<texture texture="a" texcoord="UV"/>'
RED = "<color>0.8 0.1 0.1 1</color>"
CORE = 'xmlns="http://schemas.microsoft.com/3dmanufacturing/core/2015/02"'
MATERIALS = 'xmlns:m="http://schemas.microsoft.com/3dmanufacturing/material/2015/02"'
VERTICES = "".join(f'<vertex x="{x}" y="{y}" z="{z}"/>' for x, y, z in CORNERS)


def three_mf(triangles: str, resources="", unit="millimeter", items="", more="") -> str:
    """A box called body, and what `items` says is built of it."""
    return f"""<?xml version="1.0"?>{more}<model unit="{unit}" {CORE} {MATERIALS}><resources>{resources}
<object id="1" name="body" pid="7" pindex="0"><mesh><vertices>{VERTICES}</vertices>
<triangles>{triangles}</triangles>
</mesh></object><object id="2" name="pair"><components><component objectid="1"/>
<component objectid="1" transform="1 0 0 0 1 0 0 0 1 0 0 5"/></components></object>
<object id="3" type="support"><mesh/></object></resources><build>{items or '<item objectid="2"/>'}
<item objectid="3"/></build></model>"""


BASE = '<basematerials id="7"><base name="PLA" displaycolor="#FF0000"/>'
BASE += '<base name="TPU" displaycolor="#00FF0080"/></basematerials>'


def faces(first: str = "") -> str:
    rows = [f'<triangle v1="{a}" v2="{b}" v3="{c}"' for a, b, c in TRIANGLES]
    return rows[0] + f" {first}/>" + "".join(f"{row}/>" for row in rows[1:])


def write_3mf(path: Path, text: str) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("3D/3dmodel.model", text)
    return path


def nested_3mf(levels: int, times: int) -> str:
    """Objects, each of which contains the one before it several times."""
    objects = [
        f'<object id="{10 + i}"><components>{f"""<component objectid="{9 + i if i else 1}"/>""" * times}'
        "</components></object>"
        for i in range(levels)
    ]
    text = three_mf(faces(), BASE, items=f'<item objectid="{9 + levels}"/>')
    return text.replace("</resources>", f"{''.join(objects)}</resources>")


def off(header="OFF\n", colors="") -> str:
    rows = [f"{x} {y} {z}{colors}" for x, y, z in CORNERS]
    return (
        f"{header}8 6 0\n# corners\n"
        + "\n".join([*rows, *(f"4 {a} {b} {c} {d}" for a, b, c, d in QUADS)])
        + "\n"
    )


def looks(companions: Companions, suffix: str) -> dict:
    content = converted(companions, suffix).glb.content
    return {one["name"]: one["pbrMetallicRoughness"] for one in content["materials"]}


def refusal(path: Path) -> str:
    with pytest.raises(ImportRefused) as refused:
        prepare(Companions(path), Mirror(path.parent / "mirror"))
    return str(refused.value)


def test_a_collada_material_keeps_its_name_and_colour(tmp_path):
    pytest.importorskip("collada")
    (tmp_path / "a.dae").write_text(dae(RED))
    (look,) = looks(Companions(tmp_path / "a.dae"), "dae").items()
    assert look[0] == "Lack" and look[1]["baseColorFactor"] == pytest.approx([0.8, 0.1, 0.1, 1])
    assert look[1]["metallicFactor"] == 0 and look[1]["roughnessFactor"] == pytest.approx(0.316, abs=1e-3)
    assert len(converted(Companions(tmp_path / "a.dae"), "dae").glb.content["meshes"]) == 1


def test_lines_of_a_collada_mesh_are_not_faces(tmp_path):
    pytest.importorskip("collada")
    lines = '<lines count="2"><input semantic="VERTEX" source="#v" offset="0"/><p>0 1 1 2</p></lines></mesh>'
    (tmp_path / "a.dae").write_text(dae(RED).replace("</mesh>", lines))
    (mesh,) = converted(Companions(tmp_path / "a.dae"), "dae").glb.content["meshes"]
    assert len(mesh["primitives"]) == 1


def test_the_unit_of_a_3mf_file_is_read_in_any_encoding(tmp_path):
    for encoding in ("utf-8", "utf-16"):
        with zipfile.ZipFile(tmp_path / "a.3mf", "w") as archive:
            archive.writestr("3D/3dmodel.model", three_mf(faces(), unit="inch").encode(encoding))
        assert three_mf_metres_per_unit(tmp_path / "a.3mf") == 0.0254


def test_the_unit_of_a_3mf_file_may_have_spaces_around_it(tmp_path):
    comment = '<!-- <model unit="foot"> -->'
    path = write_3mf(tmp_path / "a.3mf", three_mf(faces(), BASE, unit=" Inch ", more=comment))
    assert three_mf_metres_per_unit(path) == 0.0254
    assert not [note for note in converted(Companions(path), "3mf").notes if "unit" in note]


def test_an_unknown_unit_of_a_3mf_file_is_a_millimetre_and_noted(tmp_path):
    path = write_3mf(
        tmp_path / "a.3mf", three_mf(faces(), BASE, unit="furlong", items='<item objectid="1"/>')
    )
    assert three_mf_metres_per_unit(path) == 0.001
    note = "its unit 'furlong' is not known: taken as millimetres"
    assert note in converted(Companions(path), "3mf").notes


def test_a_collada_node_keeps_its_name(tmp_path):
    """Names of nodes say which are levels of detail; they may share a geometry."""
    pytest.importorskip("collada")
    text = dae(RED)
    assert text.count("<node") == 2
    first, second, third = text.split("<node")
    (tmp_path / "a.dae").write_text(f'{first}<node name="mug_LOD0"{second}<node name="mug_LOD1"{third}')
    nodes = converted(Companions(tmp_path / "a.dae"), "dae").glb.content["nodes"]
    assert [node["name"] for node in nodes] == ["mug_LOD0", "mug_LOD1"]


@pytest.mark.parametrize(
    ("effects", "alpha"),
    [
        ("<transparency><float>0.3</float></transparency>", 0.3),
        ('<transparent opaque="RGB_ZERO"><color>1 1 1 1</color></transparent><transparency><float>0.3</float>'
         "</transparency>", 0.7),
        ("<transparent><color>1 1 1 0</color></transparent>", 1),
    ],
)  # fmt: skip
def test_opacity_is_read_as_the_file_states_it_but_nothing_is_invisible(tmp_path, effects, alpha):
    pytest.importorskip("collada")
    (tmp_path / "a.dae").write_text(dae(RED, effects=effects))
    assert looks(Companions(tmp_path / "a.dae"), "dae")["Lack"]["baseColorFactor"][3] == pytest.approx(alpha)


def test_the_frame_of_a_collada_file_is_read_in_any_encoding(tmp_path):
    (tmp_path / "a.dae").write_bytes(dae(RED, "0.0254", "X_UP").encode("utf-16"))
    assert own_frame(tmp_path / "a.dae", "dae") == ("x", 0.0254)


def test_colours_of_3mf_files_are_those_of_their_triangles(tmp_path):
    content = converted(
        Companions(write_3mf(tmp_path / "a.3mf", three_mf(faces('p1="1" pid="7"'), BASE))), "3mf"
    ).glb.content
    colors = {one["name"]: one["pbrMetallicRoughness"]["baseColorFactor"] for one in content["materials"]}
    assert colors == {"PLA": [1, 0, 0, 1], "TPU": [0, 1, 0, pytest.approx(128 / 255)]}
    assert len(content["nodes"]) == 2 and len(content["meshes"]) == 1


def test_what_3mf_files_lose_and_leave_out_is_reported(tmp_path):
    path = write_3mf(tmp_path / "a.3mf", three_mf(faces('paint_color="8"'), unit="inch"))
    mesh = converted(Companions(path), "3mf")
    assert set(mesh.lost) == {
        "object 'body': textures or mixed materials, which are not read from 3MF",
        "object 'body': colours painted in a slicer, which are not read",
    }
    assert mesh.notes == ("left out: 1 supports of a print",)
    assert own_frame(path, "3mf") == ("z", 0.0254)


@pytest.mark.parametrize(
    ("group", "lost"),
    [
        ('<m:colorgroup id="8"><m:color color="#FF0000"/><m:color color="#00FF00"/></m:colorgroup>',
         "colours that change within a triangle"),
        ('<m:colorgroup id="8"><m:color color="#FF0000"/><m:color color="#FF0000"/></m:colorgroup>', ""),
        ('<m:texture2dgroup id="8" texid="9"/>', "textures or mixed materials, which are not read from 3MF"),
    ],
    ids=["gradient", "one colour", "texture"],
)  # fmt: skip
def test_only_colours_that_change_within_a_triangle_are_lost(tmp_path, group, lost):
    """The corners of a textured triangle have different places in its texture."""
    path = write_3mf(tmp_path / "a.3mf", three_mf(faces('pid="8" p1="0" p2="1" p3="1"'), BASE + group))
    assert converted(Companions(path), "3mf").lost == ((f"object 'body': {lost}",) if lost else ())


@pytest.mark.parametrize(
    ("meter", "metres"),
    [("0,01", 0.01), (" 2.54E-2 ", 0.0254), ("0", None), ("-1", None), ("1.2.3", None), ("x", None),
     ("1e5.5", None), ("1_0", None), ("١", None), ("0.01 m", None), ("nan", None)],
)  # fmt: skip
def test_a_collada_unit_that_is_not_a_length_is_a_metre_and_noted(tmp_path, meter, metres):
    pytest.importorskip("collada")
    (tmp_path / "a.dae").write_text(dae(RED, unit=meter))
    assert own_frame(tmp_path / "a.dae", "dae") == ("z", metres or 1.0)
    note = f"its unit is {meter!r} metres, which is not a length: taken as metres"
    assert converted(Companions(tmp_path / "a.dae"), "dae").notes == (() if metres else (note,))


def test_the_pixel_limit_of_pillow_is_not_that_of_textures(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1)
    Image.new("RGB", (4, 4), (200, 30, 30)).save(tmp_path / "paint.tga")
    scene = GlbScene()
    scene.texture("paint.tga", tmp_path / "paint.tga")
    assert bytes(scene.glb.body).startswith(b"\x89PNG")


def test_a_file_that_cannot_be_used_is_refused_with_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr("blendgen.engine.blender.importing.three_mf._MAX_PLACED", 1000)
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>'
    loop = '<item objectid="4"/>'
    circle = three_mf(faces(), BASE, items=loop).replace(
        "</resources>",
        '<object id="4"><components><component objectid="4"/></components></object></resources>',
    )
    texts = {"cut.dae": dae(RED)[:-300], "bomb.dae": dae(RED, body=bomb), "other.dae": "<xml/>"}
    texts |= {
        "cut.off": off()[:-20],
        "index.off": off().replace("4 0 1 3 2", "4 0 1 3 9"),
        "other.off": "ply\n",
    }
    texts |= {"nan.off": off().replace("0 0 3", "0 nan 3"), "vertex.off": off().replace("0 0 3", "0 0")}
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    write_3mf(tmp_path / "circle.3mf", circle)
    write_3mf(tmp_path / "deep.3mf", nested_3mf(levels=66, times=1))
    write_3mf(tmp_path / "many.3mf", nested_3mf(levels=10, times=2))
    write_3mf(tmp_path / "bomb.3mf", three_mf(faces(), BASE, more=bomb))
    write_3mf(tmp_path / "index.3mf", three_mf(faces('pid="7" p1="9"'), BASE))
    write_3mf(tmp_path / "below.3mf", three_mf(faces('pid="7" p1="-1"'), BASE))
    write_3mf(tmp_path / "number.3mf", three_mf(faces(), BASE).replace('x="1"', 'x="1_0"', 1))
    (tmp_path / "cut.3mf").write_bytes(
        write_3mf(tmp_path / "whole.3mf", three_mf(faces(), BASE)).read_bytes()[:200]
    )
    expected = {
        "other.dae": "not a COLLADA file (its header is missing)",
        "cut.off": "truncated: 12 of 14 rows",
        "index.off": "its faces are damaged: 4 0 1 3 9",
        "vertex.off": "its vertices are damaged: 0 0",
        "other.off": "not an OFF file (its header is missing)",
        "nan.off": "coordinates that are not finite numbers (NaN or infinity)",
        "circle.3mf": "its object '4' contains itself",
        "deep.3mf": "its components are nested more than 64 levels deep; join them and export it again",
        "many.3mf": "it has more than 1,000 components; join them and export it again",
        "bomb.3mf": "it declares XML entities, which are not read",
        "below.3mf": "its 3MF structure is damaged; export it again",
        "number.3mf": "its 3MF structure is damaged; export it again",
        "index.3mf": "its 3MF structure is damaged; export it again",
        "cut.3mf": "its ZIP archive is damaged (File is not a zip file)",
    }
    assert {name: refusal(tmp_path / name) for name in expected} == expected


def test_a_face_with_more_corners_than_blender_reads_becomes_triangles(tmp_path):
    """A disk of 300 corners, with a notch."""
    angles = np.arange(300) * 2 * np.pi / 300
    corners = np.stack([np.cos(angles), np.sin(angles), 0 * angles], axis=1)
    corners[7] *= 0.1
    rows = [f"{x} {y} {z}" for x, y, z in corners.tolist()]
    face = " ".join(map(str, [300, *range(300)]))
    (tmp_path / "a.off").write_text("\n".join(["OFF", "300 2 0", *rows, face, "3 0 1 2"]))
    data, _ = ply_of_off(tmp_path / "a.off")
    (tmp_path / "a.ply").write_bytes(data)
    faces = read_faces(tmp_path / "a.ply", read_header(data))
    assert faces.lengths["vertex_indices"].tolist() == [3] * 299
    a, b, c = corners[faces.values["vertex_indices"].astype(int).reshape(-1, 3)[:298]].transpose(1, 0, 2)
    normals = np.cross(b - a, c - a)[:, 2]
    x, y, _ = corners.T
    assert (normals >= 0).all() and normals.sum() == pytest.approx(x @ np.roll(y, -1) - y @ np.roll(x, -1))


@pytest.mark.slow
def test_a_face_with_more_corners_is_read_in_a_process_that_has_not_loaded_blender(tmp_path):
    rows = ["OFF", "256 1 0", *(f"{i} {i * i} 0" for i in range(256)), " ".join(map(str, [256, *range(256)]))]
    (tmp_path / "a.off").write_text("\n".join(rows))
    code = "import sys, pathlib; from blendgen.engine.blender.importing.off import ply_of_off; "
    code += "print(ply_of_off(pathlib.Path(sys.argv[1]))[1])"
    command = [sys.executable, "-c", code, str(tmp_path / "a.off")]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.endswith("False\n")


def test_a_damaged_collada_file_is_refused_with_one_line(tmp_path, monkeypatch):
    pytest.importorskip("collada")
    (tmp_path / "cut.dae").write_text(dae(RED)[:-300])
    (tmp_path / "bomb.dae").write_text(dae(RED, body='<!DOCTYPE x [<!ENTITY a "aaaa">]>'))
    assert refusal(tmp_path / "cut.dae").startswith("not a COLLADA file that can be read: ")
    assert refusal(tmp_path / "bomb.dae") == "it declares XML entities, which are not read"
    monkeypatch.setitem(sys.modules, "collada", None)
    assert refusal(tmp_path / "cut.dae") == "COLLADA files need the extra: pip install 'blendgen[cad]'"


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """File -> what was measured."""
    pytest.importorskip("collada")
    folder = tmp_path_factory.mktemp("models")
    (folder / "textures").mkdir()
    Image.new("RGB", (4, 4), (200, 30, 30)).save(folder / "textures" / "paint.png")
    header = struct.pack(">4sIIBBBBB", b"IHDR", 60_000, 60_000, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + header + struct.pack(">II4s", zlib.crc32(header), 0, b"IDAT")
    (folder / "textures" / "bomb.png").write_bytes(b"\x89PNG\r\n\x1a\n" + chunk)
    (folder / "textures" / "torn.tga").write_bytes(b"\0" * 40)
    texts = {
        "bomb.dae": dae(TEXTURE, uv=True).replace("paint.png", "bomb.png"),
        "torn.dae": dae(TEXTURE, uv=True).replace("paint.png", "torn.tga"),
        "z.dae": dae(RED),
        "y.DAE": dae(RED, up="Y_UP"),
        "textured.dae": dae(TEXTURE, uv=True),
        "glued.off": off("OFF"),
        "colored.off": off("COFF\n", " 1.0 0.0 0.0 1.0"),
    }
    for name, text in texts.items():
        (folder / name).write_text(text)
    write_3mf(folder / "pair.3mf", three_mf(faces(), BASE))
    write_3mf(folder / "inch.3mf", three_mf(faces(), BASE, "inch", '<item objectid="1"/>'))
    sources = scan_directory(folder, "", None, None)
    entries = [tmp_path_factory.mktemp("entry") for _ in sources]
    assert not any(BlenderMeasurer().measure(list(zip(sources, entries, strict=True))))
    return {source.file: read_entry(entry) for source, entry in zip(sources, entries, strict=True)}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "size_mm", "parts"),
    [
        ("z.dae", [10, 20, 80], ("Lack",)),
        ("y.DAE", [10, 80, 20], ("Lack",)),
        ("textured.dae", [10, 20, 80], ("Lack",)),
        ("glued.off", [1000, 2000, 3000], ("default",)),
        ("colored.off", [1000, 2000, 3000], ("default",)),
        ("pair.3mf", [1, 2, 8], ("PLA",)),
        ("inch.3mf", [25.4, 50.8, 76.2], ("PLA",)),
    ],
)
def test_models_have_their_true_size_and_their_parts(measured, file, size_mm, parts):
    np.testing.assert_allclose(1000 * np.array(measured[file].size_m), size_mm, rtol=1e-4)
    assert measured[file].parts == parts
    assert measured[file].missing_textures == () and measured[file].lost == ()


@pytest.mark.slow
def test_textures_that_cannot_be_used_are_reported(measured):
    (bomb,), (torn,) = (measured[name].missing_textures for name in ("bomb.dae", "torn.dae"))
    assert bomb.startswith("bomb.png: ") and "pixels are too many" in bomb
    assert torn.startswith("torn.tga")
