"""Objects and groups of an OBJ file that are not part of the product are left out; others stay one mesh."""

from __future__ import annotations

import pytest

bpy = pytest.importorskip("bpy")

from blendgen.engine.blender.importing.asset import empty_blender  # noqa: E402
from blendgen.engine.blender.importing.findings import Findings  # noqa: E402
from blendgen.engine.blender.importing.left_out import SHOWN, Choice  # noqa: E402
from blendgen.engine.blender.importing.obj_objects import import_obj  # noqa: E402
from blendgen.engine.blender.importing.product_parts import product_meshes  # noqa: E402

FACES = {"low": "f 1 2 3 4", "high": "f 5 6 7 8", "far": "f 9 10 11 12"}
SIZES = {"low": (1, 0), "high": (1, 2), "far": (90, -1)}


def quad(size: float, height: float) -> str:
    return "".join(f"v {x} {y} {height}\n" for x, y in ((0, 0), (size, 0), (size, size), (0, size)))


@pytest.fixture
def imported(tmp_path):
    """(lines before each of the faces, choice) -> (sizes of the meshes that are the product, notes)"""

    def run(headers: dict[str, str], choice: Choice = SHOWN):
        file = tmp_path / "model.obj"
        vertices = "".join(quad(*SIZES[face]) for face in FACES)
        file.write_text(vertices + "".join(f"{header}\n{FACES[face]}\n" for face, header in headers.items()))
        empty_blender()
        import_obj(file, choice)
        findings = Findings()
        return [len(mesh.polygons) for mesh in product_meshes(choice, findings)], findings.notes

    return run


@pytest.mark.parametrize("key", ["o", "g"])
def test_objects_and_groups_have_levels_of_detail(imported, key):
    headers = {"low": f"{key} mug_LOD1", "high": f"{key} mug_lod0"}
    assert imported(headers) == ([1], ["left out: mug_LOD1 (levels of detail)"])
    assert imported(headers, Choice(show=("*",))) == ([2], [])


def test_an_object_stays_whole_if_nothing_is_left_out(imported):
    assert imported({"low": "o floor", "high": "o LOD3"}) == ([2], [])
    assert imported({"low": "o bottom", "high": "o top"}) == ([2], [])
    assert imported({"low": "o bottom", "high": "o top", "far": "o Floor"})[1] == ["left out: Floor (floor)"]
    assert imported({"low": "o bottom", "high": "g top"}, Choice(hide=("TOP",)))[0] == [1]
