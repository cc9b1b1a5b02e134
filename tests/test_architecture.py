"""The rules of the design that lint can hold: layers, where bpy, chance and the disk may be."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "blendgen"
LAYERS = {
    **dict.fromkeys(["errors", "plain"], 0),
    **dict.fromkeys(
        [
            "streams",
            "color",
            "geometry",
            "vocabulary",
            "suggestion",
            "resources",
            "wheel",
            "mesh",
            "index_range",
            "ground",
            "photos",
            "condition",
            "oriented_box",
        ],
        1,
    ),
    "shot": 2,
    "film": 3,
    **dict.fromkeys(["spec", "catalog", "openings", "overscan"], 3),
    **dict.fromkeys(["draw", "engine", "develop", "annotate", "recolor", "pictures"], 4),
    "lens_distortion": 4,
    **dict.fromkeys(["sidecar", "dataset"], 5),
    "spec_sources": 6,
    **dict.fromkeys(["inventory", "inspection"], 7),
    **dict.fromkeys(["pipeline", "identity", "report", "export", "audit"], 8),
    "record": 9,
    "farm": 10,
    "bench": 11,
    "cli": 12,
    "__main__": 13,
}
# run by the Python that has BlenderProc, with the Blender that it has
FOREIGN_SCRIPT = PACKAGE / "bench" / "blenderproc_scene.py"
MODULES = sorted(PACKAGE.rglob("*.py"))


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_module_imports_only_from_lower_layers_or_its_own_room(path):
    own = room(path)
    if own == "__init__":
        return
    for name in imports(path):
        parts = name.split(".")
        if parts[0] != "blendgen" or len(parts) == 1 or parts[1] in (own, "__version__"):
            continue
        if parts[1] in LAYERS:
            assert LAYERS[parts[1]] < LAYERS[own], f"{own} imports {name}"


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_only_the_blender_engine_knows_bpy(path):
    foreign = {name.split(".")[0] for name in imports(path)} & {"bpy", "mathutils", "bmesh"}
    assert not foreign or "engine/blender" in path.as_posix() or path == FOREIGN_SCRIPT


def test_the_script_for_another_python_imports_nothing_of_this_one():
    assert not any(name.split(".")[0] == "blendgen" for name in imports(FOREIGN_SCRIPT))


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_chance_comes_from_streams_alone(path):
    text = path.read_text("utf-8")
    if path.name != "streams.py":
        assert "import random" not in text
        assert "np.random.Generator(" not in text and "default_rng" not in text
    if room(path) not in ("streams", "draw", "develop"):
        assert "blendgen.streams" not in text


WRITING = {"write_text", "write_bytes", "mkdir", "unlink", "rename", "rmtree", "mkdtemp", "mkstemp", "fsync"}
MAY_WRITE = ("dataset", "report", "export", "cli", "farm", "bench")
MAY_WRITE_FILES = (
    "catalog/cache.py",
    "catalog/entry.py",
    "engine/blender/measuring.py",
    "engine/blender/draco.py",
    "engine/blender/eevee.py",  # which hands its picture out in no other way
)


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_the_disk_is_touched_in_a_few_rooms_alone(path):
    name = path.relative_to(PACKAGE).as_posix()
    if room(path) in MAY_WRITE or name in MAY_WRITE_FILES:
        return
    called = {
        node.func.attr
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    assert not called & WRITING


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_file_is_one_noun_or_verb_and_not_longer_than_300_lines(path):
    assert len(path.read_text("utf-8").splitlines()) <= 300


def test_every_room_has_a_layer():
    assert {room(path) for path in MODULES} - {"__init__"} == set(LAYERS)


def test_the_command_line_does_not_load_bpy():
    code = (
        "import sys, blendgen.cli as cli, blendgen.farm.generate, blendgen.farm.checkup\n"
        "[cli.group.get_command(None, name) for name in cli._COMMANDS]\n"
        "assert 'bpy' not in sys.modules and 'scipy' not in sys.modules, sorted(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
