"""Of an FBX file, invisible objects and the lower levels of LOD groups are not shown."""

from __future__ import annotations

import struct

import pytest

bpy = pytest.importorskip("bpy")

from blendgen.engine.blender.importing.asset import empty_blender  # noqa: E402
from blendgen.engine.blender.importing.fbx_shown import lod_groups  # noqa: E402
from blendgen.engine.blender.importing.findings import Findings  # noqa: E402
from blendgen.engine.blender.importing.importers import import_model  # noqa: E402
from blendgen.engine.blender.importing.left_out import Choice  # noqa: E402
from blendgen.engine.blender.importing.product_parts import product_meshes  # noqa: E402
from blendgen.models.companions import Companions  # noqa: E402
from tests.engine.model_files import CORNERS, QUADS  # noqa: E402

HEADER = "; FBX 7.4.0 project file\nFBXHeaderExtension:  {\n\tFBXVersion: 7400\n}\n"
INVISIBLE = 'P: "Visibility", "Visibility", "", "A",0'


def mesh(number: int) -> str:
    vertices = ",".join(str(x) for corner in CORNERS for x in corner)
    indices = ",".join(f"{a},{b},{c},{-d - 1}" for a, b, c, d in QUADS)
    return (
        f'Geometry: {number}, "Geometry::", "Mesh" {{\n'
        f"Vertices: *24 {{\na: {vertices}\n}}\nPolygonVertexIndex: *24 {{\na: {indices}\n}}\n}}\n"
    )


def model(number: int, name: str, kind: str = "Mesh", properties: str = "") -> str:
    inside = f"Version: 232\nProperties70:  {{\n{properties}\n}}\n"
    shape = mesh(100 + number) if kind == "Mesh" else ""
    return f'{shape}Model: {number}, "Model::{name}", "{kind}" {{\n{inside}}}\n'


def fbx(models: list[str], parents: dict[int, int], meshes: list[int]) -> str:
    links = [*parents.items(), *((100 + number, number) for number in meshes)]
    connections = "".join(f'C: "OO",{child},{parent}\n' for child, parent in links)
    return f"{HEADER}Objects:  {{\n{''.join(models)}}}\nConnections:  {{\n{connections}}}\n"


LOD_GROUP = fbx(
    [model(1, "group", "LodGroup"), model(2, "near"), model(3, "far"), model(4, "distant")],
    {1: 0, 2: 1, 4: 1, 3: 1},
    [2, 3, 4],
)
HIDDEN = fbx(
    [model(1, "plain"), model(2, "off", properties=INVISIBLE), model(3, "parent", "Null", INVISIBLE),
     model(4, "in it")],
    {1: 0, 2: 0, 3: 0, 4: 3},
    [1, 2, 4],
)  # fmt: skip


def product(tmp_path, text: str, **choice) -> tuple[int, list[str]]:
    """(number of boxes in the product, notes)"""
    file, findings, options = tmp_path / "model.fbx", Findings(), Choice(**choice)
    file.write_text(text)
    empty_blender()
    import_model(Companions(file), "fbx", None, None, findings, options)
    return sum(len(mesh.polygons) for mesh in product_meshes(options, findings)) // 6, findings.notes


@pytest.mark.slow
def test_the_first_child_of_a_lod_group_is_shown(tmp_path):
    assert product(tmp_path, LOD_GROUP) == (1, ["left out: distant, far (levels of detail)"])
    assert product(tmp_path, LOD_GROUP, show=("distant",)) == (2, ["left out: far (levels of detail)"])


@pytest.mark.slow
def test_invisible_objects_hide_what_is_in_them(tmp_path):
    assert product(tmp_path, HIDDEN) == (1, ["left out: in it, off (hidden in the file)"])
    assert product(tmp_path, HIDDEN, show=("parent",))[0] == 2


def text_of(value: bytes) -> bytes:
    return b"S" + struct.pack("<I", len(value)) + value


def test_lod_groups_of_binary_files_are_those_of_their_attributes_too():
    objects = [(7, "group", "Model", "Null"), (8, "", "NodeAttribute", "LodGroup"), (5, "a", "Model", "Mesh"),
               (6, "b", "Model", "Mesh"), (9, "c", "Model", "Mesh")]  # fmt: skip
    data = b"Kaydara FBX Binary"
    for number, name, element, kind in objects:
        full = name.encode() + b"\0\x01" + element.encode()
        data += b"....L" + struct.pack("<q", number) + text_of(full) + text_of(kind.encode())
    for child, parent in ((7, 0), (8, 7), (6, 7), (5, 7), (9, 0)):
        data += b"....C" + text_of(b"OO") + b"L" + struct.pack("<q", child) + b"L" + struct.pack("<q", parent)
    assert lod_groups(data) == [["b", "a"]]
    assert lod_groups(data.replace(b"LodGroup", b"Whatever")) == []
