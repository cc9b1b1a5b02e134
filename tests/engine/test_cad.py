"""STEP and IGES files become models at true size, with the names and colours of their parts.

The files in cad/ were written by build123d, with parts of bd_warehouse.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from blendgen.models.scan import scan_directory

pytest.importorskip("cascadio")
pytest.importorskip("bpy")
from blendgen.engine.blender.importing.cad import (
    _largest_side,
    _name_materials,
    cad_mesh,
    cad_metres_per_unit,
)
from blendgen.engine.blender.importing.coordinates.mirror import Mirror
from blendgen.engine.blender.importing.coordinates.prepare import prepare
from blendgen.engine.blender.importing.measurer import BlenderMeasurer
from blendgen.engine.blender.importing.preflight import ImportRefused
from blendgen.models.companions import Companions
from blendgen.models.measuring.entry import read_entry

FILES = Path(__file__).parent / "cad"
# file -> (size in mm, parts)
PARTS = {
    "washer.step": ([16, 16, 1.8], ("washer",)),
    "screw.step": ([10.22, 10.22, 26], ("screw",)),
    "bolt.step": ([18.48, 16, 36.69], ("bolt",)),
    "bracket.step": ([60, 40, 5.8], ("plate", "washer")),
    "housing.stp": ([30, 20, 10], ("Gehäuse", "Gehäuse.001")),
    "cup.stp": ([20, 20, 36], ("base", "杯子")),
    "block_inch.stp": ([30, 20, 10], ("default",)),
    "block.igs": ([30, 20, 10], ("default",)),
    "sheet.stp": ([30, 20, 0], ("sheet",)),
}


def mesh(name: str):
    return cad_mesh(FILES / name, name.rpartition(".")[2])


def looks(name: str) -> dict[str, tuple]:
    """Part -> colour, metallic."""
    return {
        material["name"]: (
            [round(value, 3) for value in material["pbrMetallicRoughness"]["baseColorFactor"]],
            material["pbrMetallicRoughness"]["metallicFactor"],
        )
        for material in mesh(name).glb.content["materials"]
    }


def refusal(tmp_path, name: str, data: bytes) -> str:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(ImportRefused) as refused:
        prepare(Companions(tmp_path / name), Mirror(tmp_path / "mirror"))
    return str(refused.value)


def test_a_part_has_the_name_of_its_solid_and_its_colour_is_matte():
    assert looks("bracket.step") == {
        "plate": ([0.033, 0.073, 0.604, 1.0], 0.0),
        "washer": ([0.604, 0.01, 0.01, 1.0], 0.0),
    }
    assert looks("cup.stp")["杯子"] == ([0.01, 0.319, 0.033, 0.4], 0.0)


def test_faces_keep_their_own_colours():
    content = mesh("housing.stp").glb.content
    assert [m["name"] for m in content["materials"]] == ["Gehäuse", "Gehäuse"]
    assert len(content["meshes"][0]["primitives"]) == 2


def test_the_mesh_of_a_small_part_is_as_fine_as_that_of_a_large_one(tmp_path):
    """Triangles depend on the shape, not on the unit."""
    text = (FILES / "washer.step").read_text().replace(".MILLI.,.METRE.", "$,.METRE.")
    (tmp_path / "large.step").write_text(text)
    count = [
        sum(
            content["accessors"][p["indices"]]["count"] // 3
            for m in content["meshes"]
            for p in m["primitives"]
        )
        for content in (
            mesh("washer.step").glb.content,
            cad_mesh(tmp_path / "large.step", "step").glb.content,
        )
    ]
    assert count[0] == pytest.approx(count[1], rel=0.1) and 400 < count[0] < 4000


def test_the_unit_is_that_of_the_file(tmp_path):
    assert cad_metres_per_unit(FILES / "washer.step", "step") == 0.001
    assert cad_metres_per_unit(FILES / "block_inch.stp", "stp") == 0.0254
    assert cad_metres_per_unit(FILES / "block.igs", "igs") == 0.001
    text = (FILES / "block.igs").read_text().replace(",2,2HMM,", ",1,2HIN,")
    (tmp_path / "inch.igs").write_text(text)
    assert cad_metres_per_unit(tmp_path / "inch.igs", "igs") == 0.0254


@pytest.mark.parametrize(
    ("flag", "name", "metres_per_unit"),
    [
        ("3", "INCH", 0.0254),
        ("3", "MM", 0.001),
        ("3", "cm", 0.01),
        ("3", "", 0.0254),
        ("", "", 0.0254),
        ("10", "CM", 0.01),
        ("3", "FOO", 0.001),
        ("3", "INCH ", 0.0254),
        ("+3", "CM", 0.01),
        ("3.", "CM", 0.01),
        ("01", "MM", 0.0254),
        ("1.0", "MM", 0.001),
    ],
)
def test_the_unit_of_an_iges_file_is_that_of_its_flag_or_its_name(tmp_path, flag, name, metres_per_unit):
    """Inches are the default; a flag that is not an integer counts as none."""
    text = (FILES / "block.igs").read_text()
    length = f"{len(name)}H" if name else ""
    line = next(line for line in text.splitlines() if ",2,2HMM," in line)
    new = line[:72].replace(",2,2HMM,", f",{flag},{length}{name},").rstrip()
    assert len(new) <= 72
    (tmp_path / "a.igs").write_text(text.replace(line[:72], new.ljust(72)))
    assert cad_metres_per_unit(tmp_path / "a.igs", "igs") == metres_per_unit
    converted = cad_mesh(tmp_path / "a.igs", "igs")
    (scale,) = [node["scale"][0] for node in converted.glb.content["nodes"] if "scale" in node] or [1.0]
    assert scale * _largest_side(converted.glb.content) == pytest.approx(30)  # in the unit of the file
    unknown = "its unit 'FOO' is not known: taken as millimetres"
    assert converted.notes == ((unknown,) if name == "FOO" else ())


def test_what_iges_files_lose_is_reported():
    assert mesh("block.igs").lost == ("colours, which are not read from IGES files; export a STEP file",)
    assert mesh("block_inch.stp").lost == ()


def test_text_is_read_in_the_encodings_that_programs_write(tmp_path):
    """Names outside of ASCII are escaped in the standard, but not by every program."""
    data = (FILES / "washer.step").read_bytes()
    (tmp_path / "mark.step").write_bytes(b"\xef\xbb\xbf" + data)
    (tmp_path / "windows.step").write_bytes(data.replace(b"'washer'", "'Größe'".encode("cp1252")))
    assert cad_mesh(tmp_path / "mark.step", "step").glb.content["materials"][0]["name"] == "washer"
    assert cad_mesh(tmp_path / "windows.step", "step").glb.content["materials"][0]["name"] == "Größe"


def test_parts_in_other_files_are_lost(tmp_path):
    other = "#9999 = DOCUMENT_FILE('bolt.stp','','',$,'','');\nENDSEC;\nEND-ISO"
    text = (FILES / "washer.step").read_text()
    (tmp_path / "a.step").write_text(other.join(text.rsplit("ENDSEC;\nEND-ISO", 1)))
    assert cad_mesh(tmp_path / "a.step", "step").lost == (
        "parts in other files, which are not read (bolt.stp); save the assembly as one file",
    )


def test_a_file_that_cannot_be_used_is_refused_with_one_line(tmp_path):
    step, iges = (FILES / "washer.step").read_bytes(), (FILES / "block.igs").read_bytes()
    wire = (FILES / "wire.stp").read_bytes()
    assert refusal(tmp_path, "wire.stp", wire) == "no geometry: neither solids nor surfaces"
    assert refusal(tmp_path, "cut.step", step[:5000]) == "truncated: its last line is missing"
    assert refusal(tmp_path, "cut.igs", iges[:5000]) == "truncated: its last line is missing"
    assert refusal(tmp_path, "garbage.STP", b"\0\xff" * 999).startswith("not a STEP file")
    assert refusal(tmp_path, "garbage.iges", b"\0\xff" * 999).startswith("not an IGES file")
    hollow = b"ISO-10303-21;\nHEADER;\nENDSEC;\nDATA;\nENDSEC;\nEND-ISO-10303-21;\n"
    assert refusal(tmp_path, "hollow.step", hollow) == "not a STEP file that Open CASCADE can read"
    assert refusal(tmp_path, "empty.step", b"") == "the file is empty"


def test_an_error_of_the_library_is_one_line(tmp_path, monkeypatch):
    def fail(*_, **__):
        raise RuntimeError("A null Label has no attribute.")

    monkeypatch.setattr("cascadio.load", fail)
    message = refusal(tmp_path, "washer.step", (FILES / "washer.step").read_bytes())
    assert message == "Open CASCADE cannot convert it (A null Label has no attribute.)"


def test_without_the_extra_the_command_that_installs_it_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "cascadio", None)
    message = refusal(tmp_path, "washer.step", (FILES / "washer.step").read_bytes())
    assert message == "STEP files need the extra: pip install 'blendgen[cad]'"


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """File -> what was measured; and the screw with other options."""
    sources = {source.file: source for source in scan_directory(FILES, "cad", None, None)}
    screw, block = sources["screw.step"], sources["block_inch.stp"]
    sources["up"] = replace(screw, options=screw.options | {"up": "y"})
    sources["unit"] = replace(block, options=block.options | {"unit": "mm"})
    sources["points"] = replace(block, options=block.options | {"points": [[0.5905, 0.3937, 0.1968]]})
    entries = {name: tmp_path_factory.mktemp("entry") for name in sources}
    refusals = BlenderMeasurer().measure([(source, entries[name]) for name, source in sources.items()])
    failed = {name: r.reason for name, r in zip(sources, refusals, strict=True) if r is not None}
    assert failed == {"wire.stp": "no geometry: neither solids nor surfaces"}
    return {name: read_entry(folder) for name, folder in entries.items() if name not in failed}


@pytest.mark.slow
@pytest.mark.parametrize("file", PARTS)
def test_parts_have_their_true_size_and_their_names(measured, file):
    size_mm, parts = PARTS[file]
    np.testing.assert_allclose(1000 * np.array(measured[file].size_m), size_mm, atol=0.05)
    assert measured[file].parts == parts


@pytest.mark.slow
def test_unit_up_and_points_are_those_of_the_file(measured):
    np.testing.assert_allclose(1000 * np.array(measured["up"].size_m), [10.22, 26, 10.22], atol=0.05)
    np.testing.assert_allclose(
        1000 * np.array(measured["unit"].size_m), [30 / 25.4, 20 / 25.4, 10 / 25.4], atol=0.01
    )
    (point,) = measured["points"].keypoints
    np.testing.assert_allclose(1000 * np.array(point.position_m), [15, 10, 10], atol=0.05)


def test_a_mesh_that_is_placed_twice_is_named_once():
    red = {"pbrMetallicRoughness": {"baseColorFactor": [1, 0, 0, 1]}}
    mesh = {"primitives": [{"material": 1}]}
    nodes = [{"name": "pair", "children": [1, 2]}, *({"name": name, "mesh": 0} for name in ("left", "right"))]
    content = {
        "materials": [{}, red],
        "meshes": [mesh],
        "nodes": nodes,
        "scenes": [{"nodes": [0]}],
        "scene": 0,
    }
    _name_materials(content)
    (material,) = content["materials"]
    assert material["name"] == "right" and mesh["primitives"] == [{"material": 0}]
