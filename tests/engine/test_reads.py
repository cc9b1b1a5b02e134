"""Files that importers read are reported: a change of one makes its model, and no other, measured again."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from blendgen.engine.blender.importing.measurer import BlenderMeasurer
from blendgen.models.load import measured_catalog
from blendgen.models.measuring.cache import AssetCache
from blendgen.models.measuring.entry import read_states
from blendgen.models.product import Refusal
from blendgen.models.scan import scan_directory
from blendgen.models.sidecar.attach import Sidecars
from tests.engine.model_files import box_bin, obj, usda
from tests.engine.test_hostile_models import textured, usd_referring, usd_with
from tests.engine.test_other_formats import TEXTURE, dae
from tests.engine.test_ply_looks import UV, write_ply
from tests.models.measurers import FunctionMeasurer

pytest.importorskip("bpy")
pytestmark = pytest.mark.slow

# each file, and the models that are read with it
READERS = {
    "cups/cup.mtl": ["cup"],
    "textures/cup.png": ["cup"],
    "cups/cup.yaml": ["cup"],
    "mug.bin": ["lamp", "mug"],
    "textures/mug.png": ["mug"],
    "textures/blend.png": ["box", "crate"],
    "layers/layer.usda": ["can", "layer"],
    "layers/more.usda": ["can", "layer", "more"],
    "layers/can.png": ["can", "layer", "more"],
    "pot.png": ["pot"],
    "textures/paint.png": ["tin"],
}
# a file that is missing, with the models that would be read with it
MISSING = {
    "textures/gone.png": ["lamp"],
    "layers/absent.usda": ["absent", "can", "layer"],
    "cups/images/Lost.PNG": ["vase"],
}
UNUSED = ("README.md", "textures/other.png", "cups/cup2.mtl", "textures/mug.png.bak", "cups/other.obj")
WRITE = """
import sys, bpy
from pathlib import Path
folder = Path(sys.argv[1])
bpy.ops.wm.read_factory_settings(use_empty=True)
bpy.ops.mesh.primitive_cube_add(size=0.1)
material = bpy.data.materials.new("paint")
if material.node_tree is None:
    material.use_nodes = True
node = material.node_tree.nodes.new("ShaderNodeTexImage")
node.image = bpy.data.images.load(str(folder / "textures" / "blend.png"))
material.node_tree.links.new(node.outputs[0], material.node_tree.nodes["Principled BSDF"].inputs[0])
bpy.context.object.data.materials.append(material)
bpy.ops.wm.save_as_mainfile(filepath=str(folder / "box.blend"), relative_remap=True)
bpy.ops.export_scene.fbx(filepath=str(folder / "crate.fbx"), path_mode="RELATIVE")
"""


def write_image(path: Path, red: int = 200) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (4, 4), (red, 10, 10)).save(path)


def write_models(folder: Path) -> Path:
    for name in ("textures/cup.png", "textures/mug.png", "textures/blend.png", "layers/can.png", "pot.png"):
        write_image(folder / name)
    write_image(folder / "textures" / "paint.png")
    (folder / "cups").mkdir()
    (folder / "mug.bin").write_bytes(box_bin())
    layer = usda(1, "Z").replace("(\n", "(\n    subLayers = [@more.usda@, @absent.usda@]\n", 1)
    texts = {
        "cups/cup.obj": obj(header="mtllib cup.mtl\nusemtl paint"),
        "cups/cup.mtl": "newmtl paint\nmap_Kd ../textures/cup.png\n",
        "cups/cup.yaml": "blendgen_model: 1\nunit: cm\n",
        "cups/vase.obj": obj(header="mtllib vase.mtl\nusemtl paint"),
        "cups/vase.mtl": "newmtl paint\nmap_Kd C:\\max\\lost.png\n",
        "mug.gltf": textured("textures/mug.png").replace("box.bin", "mug.bin"),
        "lamp.gltf": textured("textures/gone.png").replace("box.bin", "mug.bin"),
        "tin.dae": dae(TEXTURE, uv=True),
        "can.usda": usd_referring("references = @layers/layer.usda@</Box>"),
        "layers/layer.usda": layer,
        "layers/more.usda": usd_with("can.png"),
    }
    for name, text in texts.items():
        (folder / name).write_text(text)
    write_ply(folder / "pot.ply", [("float", ["s", "t"], UV)], comments=["comment TextureFile pot.png"])
    subprocess.run([sys.executable, "-c", WRITE, str(folder)], check=True, capture_output=True)
    return folder


class Place:
    """Measured models, in a folder of their own."""

    def __init__(self, root: Path):
        self.folder, self._cache = write_models(root / "models"), AssetCache(root / "cache")
        catalog = measured_catalog(self._sources(), BlenderMeasurer(), self._cache)
        assert catalog.refusals == ()
        self.products = {product.name: product for product in catalog.products}

    def _sources(self):
        sources = scan_directory(self.folder, "models", None, None)
        return Sidecars().attached(sources, sources)

    def measured_again(self) -> list[str]:
        """The models that are not in the cache; they are not measured."""
        names = []

        def crash(jobs):
            for source, _ in jobs:
                names.append(source.name)
                yield Refusal(source.display, "crashed")

        measured_catalog(self._sources(), FunctionMeasurer(crash, BlenderMeasurer().digest), self._cache)
        return sorted(names)

    def looked_for(self, name: str) -> list[Path]:
        """The files that were looked for to measure a model."""
        product = self.products[name]
        model = next(source for source in self._sources() if source.name == name).options["path"]
        states = read_states(product.asset_path.parent)
        return [
            Path(model).parent / entry.removeprefix("file ") for entry in states if entry.startswith("file ")
        ]


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Place:
    return Place(tmp_path_factory.mktemp("reads"))


def test_nothing_is_measured_twice(place):
    assert place.measured_again() == []


@pytest.mark.parametrize("name", READERS)
def test_a_change_of_a_file_that_was_read_is_noticed(place, name):
    file = place.folder / name
    before = file.read_bytes()
    file.write_bytes(before.replace(b"unit: cm", b"unit: mm") if name.endswith("yaml") else before + b"\n")
    again = place.measured_again()
    file.write_bytes(before)
    assert again == READERS[name] and place.measured_again() == []


@pytest.mark.parametrize("name", MISSING)
def test_a_missing_file_that_appears_is_noticed(place, name):
    file = place.folder / name
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(b"x")
    again = place.measured_again()
    file.unlink()
    assert again == MISSING[name] and place.measured_again() == []


def test_other_files_do_not_matter(place):
    for name in UNUSED:
        (place.folder / name).write_text("x")
    again = place.measured_again()
    for name in UNUSED:
        (place.folder / name).unlink()
    assert again == ["other"]


def test_a_model_is_the_same_with_nothing_but_the_files_that_were_reported(place, tmp_path):
    """So nothing else was read."""
    jobs = []
    for source in place._sources():
        copy = tmp_path / source.name / "models"
        for file in [Path(source.options["path"]), *place.looked_for(source.name)]:
            if file.is_file():
                target = copy / file.resolve().relative_to(place.folder.resolve())
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(file, target)
        model = copy / Path(source.options["path"]).relative_to(place.folder)
        options = source.options | {"path": str(model), "root": str(copy)}
        (tmp_path / f"{source.name} entry").mkdir()
        jobs.append((replace(source, options=options), tmp_path / f"{source.name} entry"))
    assert list(BlenderMeasurer().measure(jobs)) == [None] * len(jobs)
    for source, entry in jobs:
        first = place.products[source.name].asset_path.parent
        again, before = (json.loads((folder / "product.json").read_text()) for folder in (entry, first))
        assert again.pop("sha256")["hull.npy"] == before.pop("sha256")["hull.npy"]
        assert again == before  # also the textures that are missing, and what was looked for


@pytest.fixture(scope="module")
def library(tmp_path_factory) -> Path:
    """models/ with models that use files next to it."""
    models = tmp_path_factory.mktemp("library") / "models"
    models.mkdir()
    write_image(models.parent / "lib" / "t.png")
    texts = {
        "models/mug.gltf": textured("../lib/t.png").replace("box.bin", "../lib/box.bin"),
        "models/cup.obj": obj(header="mtllib ../lib/cup.mtl\nusemtl paint"),
        "models/can.usda": usd_referring("references = @../lib/can.usda@</Box>"),
        "lib/cup.mtl": "newmtl paint\nmap_Kd t.png\n",
        "lib/can.usda": usd_with("t.png"),
    }
    for name, text in texts.items():
        (models.parent / name).write_text(text)
    (models.parent / "lib" / "box.bin").write_bytes(box_bin())
    return models


@pytest.mark.parametrize("folder, allow_outside", [("models", True), (".", False), ("models", False)])
def test_files_outside_are_read_only_where_that_is_allowed(library, tmp_path, folder, allow_outside):
    root = library.parent if folder == "." else library
    sources = scan_directory(root, "m", None, None, allow_outside=allow_outside)
    sources = [source for source in sources if Path(source.options["path"]).parent == library]
    catalog = measured_catalog(sources, BlenderMeasurer(), AssetCache(tmp_path))
    if allow_outside or folder == ".":
        assert catalog.refusals == () and all(not p.measured.missing_textures for p in catalog.products)
    else:
        assert len(catalog.refusals) == 3
        assert all("allow_outside: true in the spec, or" in one.reason for one in catalog.refusals)
