"""A cache's key depends on all code that may decide its entries, and on no more than that."""

from __future__ import annotations

import ast
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from blendgen.engine.blender.importing.measurer import BlenderMeasurer
from blendgen.errors import SetupError
from blendgen.system import code_digest as module
from blendgen.system.code_digest import code_digest, import_closure

PARENT = Path(module.__file__).resolve().parents[2]
MEASURE = "blendgen.engine.blender.importing.measure"
# One source of each kind, through the code that answers a request.
MEASURE_EACH_KIND = '''
import json, sys
from pathlib import Path
from blendgen.engine.blender.importing import measure
fill_entry = measure._loaded()
from blendgen.models.families.clutter import clutter_sources
from blendgen.models.families.phones import phone_sources
from blendgen.models.source import Source
folder = Path(sys.argv[1])
(folder / "x.obj").write_text("v 0 0 0\\nv 1 0 0\\nv 0 1 0\\nv 0 0 1\\nf 1 2 3\\nf 1 2 4\\nf 3 4 1\\n")
shape = {"shape": "box", "size_m": [0.1, 0.1, 0.1], "base_color_srgb": "#808080"}
import bpy
bpy.ops.wm.read_factory_settings(use_empty=True)
bpy.ops.mesh.primitive_cube_add(location=(1e7, 0, 0))  # what moves far models is imported where it is needed
bpy.ops.export_scene.fbx(filepath=str(folder / "far.fbx"))
(folder / "far.usda").write_text("""#usda 1.0
def Mesh "m" {
    point3f[] points = [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)]
    int[] faceVertexCounts = [3, 3, 3]
    int[] faceVertexIndices = [0, 1, 2, 0, 1, 3, 2, 3, 0]
    double3 xformOp:translate = (1e7, 0, 0)
    uniform token[] xformOpOrder = ["xformOp:translate"]
}
""")
sources = [phone_sources()[0], clutter_sources()[0], Source("box", "", "shape", shape, "box")]
for name in ("x.obj", "far.fbx", "far.usda"):
    options = {"path": str(folder / name), "unit": "mm" if name == "x.obj" else None, "up": None}
    sources.append(Source(f"of {name}", "", "mesh", options, name))
for source in sources:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    entry = folder / source.name
    entry.mkdir()
    answer = measure._answer(fill_entry, source, entry, None)
    assert answer == {"refusal": None}, answer
print(json.dumps([name for name in sys.modules if name.startswith("blendgen.")]))
'''


@pytest.fixture
def fresh():
    """Forget what was read of source files."""
    caches = (module.import_closure, module._files, module._source)
    for cache in caches:
        cache.cache_clear()
    yield
    for cache in caches:
        cache.cache_clear()


def source_file(name: str) -> Path | None:
    path = PARENT.joinpath(*name.split("."))
    return next((f for f in (path.with_suffix(".py"), path / "__init__.py") if f.is_file()), None)


def parsed_imports(name: str) -> set[str]:
    """The modules of blendgen that a module imports anywhere, from its syntax tree."""
    names = set()
    tree = ast.parse(source_file(name).read_text("utf-8"))
    if any(isinstance(node, ast.For) and "iter_modules" in ast.unparse(node.iter) for node in tree.body):
        names = {other for other in MODULES if other.startswith(f"{name}.")}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}: a relative import"
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return {one for one in names if one.startswith("blendgen.") and source_file(one)}


def parsed_closure(name: str, closure: set[str]) -> set[str]:
    if name not in closure:
        closure.add(name)
        parents = {name.rpartition(".")[0]} - {"blendgen"}
        for other in parents | parsed_imports(name):
            parsed_closure(other, closure)
    return closure


MODULES = sorted(
    ".".join(path.relative_to(PARENT).with_suffix("").parts).removesuffix(".__init__")
    for path in (PARENT / "blendgen").rglob("*.py")
    if "_resources" not in path.parts
)


def test_imports_are_those_of_the_syntax_tree():
    wrong = {
        name: module._source(name)[1] ^ parsed_imports(name)
        for name in MODULES
        if name != "blendgen" and module._source(name)[1] != parsed_imports(name)
    }
    assert wrong == {}


@pytest.mark.parametrize("start", [MEASURE, "blendgen.engine.blender.surfaces.belt_mesh", "blendgen.errors"])
def test_the_closure_is_that_of_the_syntax_trees(start):
    assert import_closure(start) == parsed_closure(start, set())


@pytest.mark.slow
def test_measurer_loads_only_what_its_digest_covers(tmp_path):
    pytest.importorskip("bpy")
    done = subprocess.run(
        [sys.executable, "-c", MEASURE_EACH_KIND, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    assert loaded - import_closure(MEASURE) == set()
    assert import_closure(MEASURE) - loaded == set(), "imported by no kind of source"


def test_the_measurers_digest_is_quick(fresh):
    """Every command computes it; the best of three, as other processes slow this one down."""
    times = []
    for _ in range(3):
        for cache in (module.import_closure, module._files, module._source):
            cache.cache_clear()
        started = time.process_time()
        assert len(BlenderMeasurer().digest) == 64
        times.append(time.process_time() - started)
    assert min(times) < 0.03


@pytest.mark.parametrize(
    ("changed", "differs"),
    [
        ("engine/blender/clutter/cables.py", True),  # imported inside a function
        ("engine/blender/shading/nodes.py", True),
        ("engine/blender/__init__.py", True),
        ("develop/sensor.py", False),
        ("system/wheel.py", False),
        ("__init__.py", False),  # a release changes its version
    ],
)
def test_a_digest_follows_the_code_that_may_run(tmp_path, monkeypatch, fresh, changed, differs):
    before = code_digest(MEASURE)
    copy = tmp_path / "blendgen"
    shutil.copytree(PARENT / "blendgen", copy, ignore=shutil.ignore_patterns("__pycache__", "_resources"))
    monkeypatch.setattr(module, "_PACKAGE", copy)
    for cache in (module.import_closure, module._files, module._source):
        cache.cache_clear()
    assert code_digest(MEASURE) == before
    with (copy / changed).open("a") as file:
        file.write("# changed\n")
    for cache in (module.import_closure, module._files, module._source):
        cache.cache_clear()
    assert (code_digest(MEASURE) != before) is differs


def test_an_installation_without_sources_is_a_setup_error():
    with pytest.raises(SetupError, match=r"blendgen.engine.missing has no source file; reinstall"):
        code_digest("blendgen.engine.missing")
