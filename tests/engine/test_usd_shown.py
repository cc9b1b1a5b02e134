"""Of a USD file only what a render shows counts."""

from __future__ import annotations

from pathlib import Path

import pytest

bpy = pytest.importorskip("bpy")

from blendgen.engine.blender.importing.asset import empty_blender  # noqa: E402
from blendgen.engine.blender.importing.findings import Findings  # noqa: E402
from blendgen.engine.blender.importing.importers import import_model  # noqa: E402
from blendgen.engine.blender.importing.left_out import Choice  # noqa: E402
from blendgen.engine.blender.importing.product_parts import product_meshes  # noqa: E402
from blendgen.models.companions import Companions  # noqa: E402

pytestmark = pytest.mark.slow
bpy.utils.expose_bundled_modules()  # pxr
HEADER = '#usda 1.0\n(\n    metersPerUnit = 1\n    upAxis = "Z"\n    defaultPrim = "root"\n)\n'


def cube(name: str, *lines: str) -> str:
    return f'def Cube "{name}"\n{{\n' + "\n".join(["double size = 0.1", *lines]) + "\n}\n"


def group(name: str, *inside: str) -> str:
    return f'def Xform "{name}"\n{{\n' + "\n".join(inside) + "\n}\n"


INVISIBLE = 'token visibility = "invisible"'


def purpose(name: str) -> str:
    return f'uniform token purpose = "{name}"'


def product(file: Path, *inside: str, **choice) -> tuple[int, list[str]]:
    """(number of cubes in the product, notes)"""
    file.write_text(HEADER + group("root", *inside))
    empty_blender()
    findings = Findings()
    options = Choice(**choice)
    import_model(Companions(file), "usda", None, None, findings, options)
    return sum(len(mesh.polygons) for mesh in product_meshes(options, findings)) // 6, findings.notes


def test_only_visible_prims_that_are_rendered_are_shown(tmp_path):
    prims = [
        cube("plain"),
        cube("final", purpose("render")),
        cube("coarse", purpose("proxy")),
        group("guides", purpose("guide"), cube("axis")),
        group("off", INVISIBLE, cube("inside")),
    ]
    notes = [f"left out: {name} ({reason})" for name, reason in
             [("coarse", "purpose proxy"), ("axis", "purpose guide"), ("inside", "invisible")]]  # fmt: skip
    assert product(tmp_path / "a.usda", *prims) == (2, notes)
    number, noted = product(tmp_path / "a.usda", *prims, show=("inside", "guides"))
    assert number == 4 and noted == notes[:1]
    everything = ["the file hides all of its objects; all are shown"]
    assert product(tmp_path / "b.usda", *prims[2:]) == (3, everything)


def test_names_of_levels_of_detail_are_kept(tmp_path):
    prims = [group("LOD0", cube("body")), group("LOD1", cube("low")), group("collisions", cube("hull"))]
    notes = ["left out: low (levels of detail)", "left out: hull (collision hulls)"]
    number, actual = product(tmp_path / "a.usda", *prims)
    assert number == 1 and sorted(actual) == sorted(notes)
    assert product(tmp_path / "a.usda", *prims, show=("collisions", "LOD1"))[0] == 3
    assert product(tmp_path / "a.usda", group("stand", cube("leg")), cube("mug"), hide=("stand",))[0] == 1
