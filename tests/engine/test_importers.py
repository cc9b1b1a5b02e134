"""Model files become products of the right size, look and frame; unusable ones are rejected with one line.

All small files are measured by one child, once for the module; tests then look at the outcomes.
"""

from __future__ import annotations

import errno
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from blendgen.engine.blender.importing.measurer import BlenderMeasurer
from blendgen.models.measuring.entry import ASSET_FILE, Measured, read_entry
from blendgen.models.scan import MODEL_SUFFIXES, scan_directory
from blendgen.models.source import Source
from tests.engine.model_files import write_models

pytest.importorskip("bpy")
from blendgen.engine.blender.importing.importers import _call

pytestmark = pytest.mark.slow  # a child process with Blender imports some thirty files
# what Blender makes of an error in an importer that is Python code
SCRIPT_ERROR = """Error: Python: Traceback (most recent call last):
  File "importer.py", line 10, in execute
    read()
{}
Location: ops.py:109
"""


class Outcomes:
    """Entry or refusal by file name, all measured in one call."""

    def __init__(self, folder: Path, entries: Path):
        sources = scan_directory(folder, "", None, None)
        box = next(source for source in sources if source.display == "box.obj")
        for name in ("box.obj", "cm_y.usda", "box.fbx", "array.blend", "box.glb"):
            source = next(source for source in sources if source.display == name)
            options = source.options | {"unit": "in"}
            sources.append(replace(source, options=options, display=f"{name} in"))
        for up in "xyz":
            sources.append(replace(box, options=box.options | {"up": up}, display=f"box.obj up {up}"))
        for shape in ("box", "sphere"):
            options = {"shape": shape, "size_m": [0.1, 0.1, 0.2], "base_color_srgb": "#ff8000"}
            sources.append(Source(shape, "", "shape", options, shape))
        self.folder = folder
        self._folders = {}
        for number, source in enumerate(sources):
            self._folders[source.display] = entries / str(number)
            self._folders[source.display].mkdir(parents=True)
        jobs = [(source, self._folders[source.display]) for source in sources]
        self.refusals = dict(zip(self._folders, BlenderMeasurer(timeout_s=240).measure(jobs), strict=True))

    def product(self, name: str) -> Measured:
        assert self.refusals[name] is None, self.refusals[name]
        return read_entry(self._folders[name])

    def asset(self, name: str) -> Path:
        return self._folders[name] / ASSET_FILE

    def reason(self, name: str) -> str:
        refusal = self.refusals[name]
        assert refusal is not None, f"{name} was taken"
        return refusal.reason


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory) -> Outcomes:
    folder = tmp_path_factory.mktemp("models")
    write_models(folder)
    return Outcomes(folder, tmp_path_factory.mktemp("entries"))


def no_space() -> OSError:
    return OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (MemoryError(), MemoryError),
        (RuntimeError(SCRIPT_ERROR.format("MemoryError")), MemoryError),
        (RuntimeError(SCRIPT_ERROR.format("numpy._ArrayMemoryError: Unable to allocate 9 GiB")), MemoryError),
        (no_space(), OSError),
    ],
)
def test_lack_of_memory_or_disk_space_is_not_a_fault_of_the_model(error, expected):
    """A fault of the model is cached: the model would be rejected on a larger machine too."""

    def importer(file, path, unit, up):
        raise error

    with pytest.raises(expected):
        _call(importer, Path("a.obj"), Path("a.obj"), None, None)


Y_UP, Z_UP = (1, 3, 2), (1, 2, 3)


@pytest.mark.parametrize(
    "name, size_m",
    [
        ("box.obj", Y_UP),
        ("loose.obj", Y_UP),
        ("utf16.obj", Y_UP),
        ("far.obj", Y_UP),
        ("ascii.stl", Z_UP),
        ("binary.stl", Z_UP),
        ("colored.ply", Z_UP),
        ("box.gltf", Y_UP),
        ("box.glb", Y_UP),
        ("turned.gltf", Y_UP),
        ("cm_y.usda", (0.01, 0.03, 0.02)),
        ("array.blend", (0.2, 0.2, 0.3)),
        ("instances.blend", (5, 2, 3)),
        ("mirrored.blend", Z_UP),
        ("box.fbx", Z_UP),
        ("box.obj in", np.multiply(Y_UP, 0.0254)),
        ("cm_y.usda in", np.multiply(Y_UP, 0.0254)),
        ("box.glb in", np.multiply(Y_UP, 0.0254)),
        ("array.blend in", np.multiply((2, 2, 3), 0.0254)),
        ("box.obj up x", (2, 3, 1)),
        ("box.obj up y", Y_UP),
        ("box.obj up z", Z_UP),
        ("box", (0.1, 0.1, 0.2)),
        ("sphere", (0.1, 0.1, 0.2)),
    ],
)
def test_size_follows_unit_and_axes_and_the_product_stands_on_the_origin(outcomes, name, size_m):
    measured = outcomes.product(name)
    size = np.array(measured.size_m)
    if name == "box.obj up x":  # the directions of the other two axes do not matter
        size, size_m = [size[2], *sorted(size[:2])], [1, 2, 3]
    np.testing.assert_allclose(size, size_m, rtol=1e-5)
    low, high = measured.hull_m.min(axis=0), measured.hull_m.max(axis=0)
    np.testing.assert_allclose(low[:2], -high[:2], atol=1e-5 * max(size))
    assert abs(low[2]) < 1e-6 * max(size)
    assert sum(pose.probability for pose in measured.stable_poses) == pytest.approx(1)


def test_a_stated_unit_overrides_the_unit_of_an_fbx_file(outcomes):
    ratio = np.divide(outcomes.product("box.fbx in").size_m, outcomes.product("box.fbx").size_m)
    assert ratio == pytest.approx(0.0254 / 0.01)  # Blender writes centimetres


@pytest.mark.parametrize(
    "name, reason",
    [
        ("empty.obj", "the file is empty"),
        ("points.obj", "a point cloud: 8 vertices, no faces"),
        ("cloud.ply", "a point cloud: 8 vertices, no faces"),
        ("edges.obj", "only edges: "),
        ("nan.obj", "coordinates that are not finite"),
        ("nan.stl", "coordinates that are not finite"),
        ("one_place.obj", "all vertices are in one place"),
        ("line.obj", "no surface: every face has zero area"),
        ("large.obj", "largest side is 96 m; state its unit, such as unit: mm"),
        ("small.obj", "largest side is 3e-05 m; products measure at least 0.2 mm"),
        ("no_facets.stl", "no geometry"),
        ("cut_ascii.stl", "truncated: facet 5 is not complete"),
        ("cut.stl", "truncated: 624 of 684 bytes"),
        ("cut.glb", "truncated: "),
        ("no_buffer.gltf", "buffer file 'absent.bin' is missing"),
        ("outside.gltf", "buffer '../../box.bin' is outside"),
        ("circle.gltf", "its nodes contain each other in a circle"),
        ("no_mesh.gltf", "no geometry"),
        ("version_1.gltf", "glTF version 1.0; only version 2 can be read; export it again"),
        ("linked.blend", "depends on another file, 'instances.blend'"),
        ("cut_box.fbx", ""),
        ("cut_mirrored.blend", ""),
        ("cut_colored.ply", ""),
        *((f"garbage_{suffix}.{suffix}", "not a") for suffix in MODEL_SUFFIXES),
    ],
)
def test_an_unusable_file_is_rejected_with_one_line(outcomes, name, reason):
    message = outcomes.reason(name)
    assert message.startswith(reason)
    assert "\n" not in message and "Traceback" not in message and 10 < len(message) < 220


def test_text_blocks_and_drivers_of_a_blend_file_do_not_run(outcomes):
    outcomes.product("array.blend")
    assert not (outcomes.folder / "ran").exists()
    assert not (outcomes.folder / "driven").exists()


def test_a_missing_texture_is_reported_and_the_plain_colour_remains(outcomes):
    measured = outcomes.product("no_texture.obj")
    assert measured.missing_textures == ("wood.png",) and measured.parts == ("paint",)


def test_text_and_curves_become_meshes(outcomes):
    assert outcomes.product("text.blend").triangles > 100


def test_a_model_without_material_gets_the_default_one(outcomes):
    assert outcomes.product("box.obj").parts == ("default",)
    assert outcomes.product("mirrored.blend").parts == ("paint",)


def test_a_mesh_has_one_colorway_without_changes(outcomes):
    (colorway,) = outcomes.product("box.glb").colorways
    assert colorway.name == "default" and colorway.materials == {}


def test_shapes_are_recognised_and_the_sphere_is_round(outcomes):
    box, sphere = outcomes.product("box"), outcomes.product("sphere")
    assert (box.shape, box.triangles, box.parts) == ("box", 12, ("body",))
    radius = np.linalg.norm((sphere.hull_m - [0, 0, 0.1]) / [0.05, 0.05, 0.1], axis=1)
    np.testing.assert_allclose(radius, 1, atol=1e-5)
    assert sphere.shape == "sphere"
    turn = np.arange(360) * np.pi / 180
    outline = np.column_stack([np.cos(turn), np.sin(turn)]) @ sphere.hull_m[:, :2].T
    assert outline.max(axis=1).min() > 0.995 * 0.05


# reads assets back: {file: [objects, outward faces in percent, colour attributes, linked images]}
READ_ASSETS = """
import sys, json, bpy
facts = {}
for path in sys.argv[1:]:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    with bpy.data.libraries.load(path, link=False) as (have, want):
        names = list(have.objects)
        want.objects = names[:]
    mesh = want.objects[0].data
    middle = sum((v.co for v in mesh.vertices), start=mesh.vertices[0].co * 0) / len(mesh.vertices)
    outward = sum((face.center - middle).dot(face.normal) > 0 for face in mesh.polygons)
    nodes = [n.type for m in mesh.materials if m.node_tree for n in m.node_tree.nodes]
    facts[path] = [names, outward / len(mesh.polygons), [a.name for a in mesh.color_attributes], nodes]
print("RESULT" + json.dumps(facts))
"""


@pytest.fixture(scope="module")
def assets(outcomes) -> dict[str, list]:
    names = ["box.obj", "turned.gltf", "mirrored.blend", "colored.ply", "instances.blend", "no_texture.obj"]
    paths = [str(outcomes.asset(name)) for name in names]
    done = subprocess.run(
        [sys.executable, "-c", READ_ASSETS, *paths], check=True, capture_output=True, text=True
    )
    line = next(line for line in done.stdout.splitlines() if line.startswith("RESULT"))
    return dict(zip(names, json.loads(line.removeprefix("RESULT")).values(), strict=True))


def test_an_asset_contains_one_object_called_product(assets):
    assert all(objects == ["product"] for objects, *_ in assets.values())


def test_faces_point_outward_even_after_mirroring(assets):
    for name in ("box.obj", "turned.gltf", "mirrored.blend", "colored.ply"):
        assert assets[name][1] == 1


def test_vertex_colours_are_rendered_where_there_is_no_material(assets):
    _, _, attributes, nodes = assets["colored.ply"]
    assert attributes and "VERTEX_COLOR" in nodes


def test_a_texture_without_file_is_not_rendered(assets):
    assert "TEX_IMAGE" not in assets["no_texture.obj"][3]


def test_variants_of_a_gltf_file_are_its_colourways(outcomes):
    """Parts that share a material, and swap it differently or not at all, are distinguished."""
    product = outcomes.product("variants.gltf")
    assert len(product.parts) == 3
    shown = {
        colorway.name: sorted(
            colorway.materials[part].material if part in colorway.materials else part.split(".")[0]
            for part in product.parts
        )
        for colorway in product.colorways
    }
    assert shown == {"warm": ["blue", "plain", "red"], "cold": ["blue", "blue", "plain"]}
