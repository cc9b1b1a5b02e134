"""A product that no pixel would show is refused when it is measured; whatever a label can show is not."""

from __future__ import annotations

import base64
import json

import pytest
from PIL import Image

from blendgen.engine.blender.importing.measurer import BlenderMeasurer
from blendgen.models.measuring.entry import read_entry
from blendgen.models.scan import scan_directory
from tests.engine.model_files import CORNERS, QUADS, box_bin, gltf, obj

pytest.importorskip("bpy")
pytestmark = pytest.mark.slow  # a child process with Blender

_UV = "vt 0.1 0.1\nvt 0.9 0.1\nvt 0.9 0.9\nvt 0.1 0.9\n"


def box_gltf(alpha, mode, extensions=None):
    uri = "data:application/octet-stream;base64," + base64.b64encode(box_bin()).decode()
    content = gltf([{"mesh": 0}], uri)
    content["materials"] = [
        {
            "name": "shell",
            "alphaMode": mode,
            "pbrMetallicRoughness": {"baseColorFactor": [0.8, 0.8, 0.8, alpha]},
            "extensions": extensions or {},
        }
    ]
    content["extensionsUsed"] = list(extensions or {})
    content["meshes"][0]["primitives"][0]["material"] = 0
    return json.dumps(content)


def box_obj(materials, scale=(0.03, 0.03, 0.03), first="m", rest="m"):
    """A box in metres whose first face may have another material than the rest; and its library."""
    lines = [
        "mtllib {}.mtl",
        *("v " + " ".join(map(str, (x * s for x, s in zip(c, scale, strict=True)))) for c in CORNERS),
    ]
    faces = ["f " + " ".join(f"{i + 1}/{k}" for k, i in enumerate(face, start=1)) for face in QUADS]
    return "\n".join([*lines, _UV, f"usemtl {first}", faces[0], f"usemtl {rest}", *faces[1:]]), materials


_CLEAR, _SOLID = "newmtl m\nd 0\n", "newmtl solid\nd 1\n"
OBJS = {
    "dissolved": box_obj(_CLEAR),
    "dissolved_but_a_face": box_obj(_CLEAR + _SOLID, first="solid"),
    "cut_out": box_obj("newmtl m\nmap_d empty.png\n"),
    "half_cut_out": box_obj("newmtl m\nmap_d half.png\n"),
    "needle": box_obj(_SOLID.replace("solid", "m"), (0.2, 0.000005, 0.000003)),
    "wire": box_obj(_SOLID.replace("solid", "m"), (0.2, 0.0002, 0.0002)),
}
GLTFS = {
    "clear": box_gltf(0, "BLEND"),
    "almost_clear": box_gltf(0.002, "BLEND"),
    "smoked": box_gltf(0.7, "BLEND"),
    "faint": box_gltf(0.3, "BLEND"),
    "masked": box_gltf(0.3, "MASK"),
    "alpha_that_does_not_count": box_gltf(0, "OPAQUE"),
    "glass": box_gltf(1, "OPAQUE", {"KHR_materials_transmission": {"transmissionFactor": 1.0}}),
}
INVISIBLE = {"dissolved", "cut_out", "clear", "almost_clear", "masked"}
VISIBLE = {
    "dissolved_but_a_face",
    "half_cut_out",
    "wire",
    "smoked",
    "faint",
    "alpha_that_does_not_count",
    "glass",
}


@pytest.fixture(scope="module")
def entries(tmp_path_factory):
    """The folder of the entries, one for each model."""
    return tmp_path_factory.mktemp("entries")


@pytest.fixture
def notes(reasons, entries):
    return lambda name: read_entry(entries / name).notes


@pytest.fixture(scope="module")
def reasons(tmp_path_factory, entries):
    """Model -> why it is refused, or None; all measured by one child."""
    folder = tmp_path_factory.mktemp("models")
    for name, (geometry, materials) in OBJS.items():
        (folder / f"{name}.obj").write_text(geometry.format(name))
        (folder / f"{name}.mtl").write_text(materials)
    for name, text in GLTFS.items():
        (folder / f"{name}.gltf").write_text(text)
    mask = Image.new("RGBA", (64, 64))
    mask.save(folder / "empty.png")
    mask.paste("white", (0, 0, 64, 32))
    mask.save(folder / "half.png")
    (folder / "plain.obj").write_text(obj([tuple(0.03 * x for x in corner) for corner in CORNERS]))
    jobs = []
    for source in scan_directory(folder, "", None, None):
        (entries / source.name).mkdir()
        jobs.append((source, entries / source.name))
    refusals = BlenderMeasurer().measure(jobs)
    return {job[0].name: refusal and refusal.reason for job, refusal in zip(jobs, refusals, strict=True)}


@pytest.mark.parametrize("name", sorted(INVISIBLE))
def test_a_product_without_a_half_opaque_surface_is_refused(reasons, name):
    assert reasons[name] is not None and reasons[name].startswith("cannot be seen: less than 1% of it is")


@pytest.mark.parametrize("name", sorted({*VISIBLE, "plain"}))
def test_a_product_with_a_surface_that_has_labels_is_not_refused(reasons, name):
    assert reasons[name] is None


def test_the_reason_names_the_materials(reasons):
    assert (
        "at least half opaque (materials shell); raise the opacity, or use transmission" in reasons["clear"]
    )


def test_a_faint_product_has_a_note_about_its_masks_and_others_have_none(notes):
    (note,) = notes("faint")
    assert note.startswith(
        "less than half opaque, so its masks are dotted (materials shell); raise the opacity"
    )
    assert all(notes(name) == () for name in ("smoked", "half_cut_out", "glass"))


def test_a_needle_is_refused(reasons):
    assert reasons["needle"].startswith("too thin to be seen: where it is 128 px long")
