"""The rules of docs/architecture.md: layers, and where bpy, random numbers and the disk may be used."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "blendgen"
# each room imports only from the rooms before it
ORDER = (
    *(
        "similar",
        "errors",
        "streams",
        "files",
        "system",
        "geometry",
        "scene",
        "optics",
        "spec",
        "models",
        "draw",
    ),
    *("engine", "develop", "annotate", "pipeline", "dataset", "containers", "photos", "exporters"),
    *("reports", "learn", "detection", "starter", "matching", "refining"),
    *("workers", "experiments", "verification", "golden"),
    *("farm", "cloud"),
    *("api", "plugins", "cli", "__main__"),
)
LAYERS = {room: layer for layer, room in enumerate(ORDER)}
# runs in the Python and the Blender of BlenderProc
FOREIGN_SCRIPT = PACKAGE.parent / "benchmarks" / "blenderproc_scene.py"
MODULES = sorted(PACKAGE.rglob("*.py"))
PROJECT = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text("utf-8"))["project"]


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def name_of(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


@cache
def parsed(path: Path) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(ast.parse(path.read_text("utf-8"))))


def statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Also those inside others: a tenth of all nodes."""
    for one in body:
        yield one
        for part in ("body", "orelse", "finalbody"):
            yield from statements(getattr(one, part, []))
        for part in (*getattr(one, "handlers", []), *getattr(one, "cases", [])):
            yield from statements(part.body)


@cache
def imports(path: Path) -> frozenset[str]:
    names: set[str] = set()
    for node in statements(ast.parse(path.read_text("utf-8")).body):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(names)


def rooms_imported(path: Path) -> set[str]:
    """Other rooms of this package."""
    parts = [name.split(".") for name in imports(path)]
    return {part[1] for part in parts if part[0] == "blendgen" and len(part) > 1 and part[1] in LAYERS}


def test_modules_import_only_from_lower_layers_or_their_own_room():
    wrong = {
        (name_of(path), other)
        for path in MODULES
        if room(path) != "__init__"
        for other in rooms_imported(path) - {room(path)}
        if LAYERS[other] >= LAYERS[room(path)]
    }
    assert wrong == set()


def test_only_the_blender_engine_imports_bpy():
    importing = {
        path
        for path in MODULES
        if {name.split(".")[0] for name in imports(path)} & {"bpy", "mathutils", "bmesh"}
    }
    assert {p for p in importing if not name_of(p).startswith("engine/blender/")} == set()


def test_only_one_module_imports_the_library_of_object_stores():
    libraries = {"fsspec", "s3fs", "botocore", "aiobotocore", "gcsfs", "adlfs"}
    importing = {path for path in MODULES if {name.split(".")[0] for name in imports(path)} & libraries}
    assert {name_of(path) for path in importing} == {"cloud/objects.py"}


def test_the_script_for_another_python_does_not_import_blendgen():
    assert not any(name.split(".")[0] == "blendgen" for name in imports(FOREIGN_SCRIPT))


@pytest.mark.parametrize("source", ["np.random.Generator(", "np.random.seed", "default_rng"])
def test_only_streams_creates_random_generators(source):
    assert {name_of(path) for path in MODULES if source in path.read_text("utf-8")} <= {"streams.py"}


def test_no_module_imports_the_random_library():
    assert [name_of(path) for path in MODULES if "random" in {n.split(".")[0] for n in imports(path)}] == []


def test_only_draw_and_develop_use_random_streams():
    """And maps of marks, whose streams are fixed."""
    users = {path for path in MODULES if "blendgen.streams" in imports(path)}
    fixed = {path for path in users if name_of(path) == "engine/blender/shading/tile_patterns.py"}
    assert len(fixed) == 1
    assert {room(path) for path in users - fixed} == {"draw", "develop"}


WRITING = {"write_text", "write_bytes", "mkdir", "unlink", "rename", "rmtree", "mkdtemp", "mkstemp", "fsync"}
WRITING |= {"touch", "symlink_to", "hardlink_to", "makedirs", "copyfile", "copytree"}
WRITING_MODE = re.compile(r"(?=.*[wax+])[rwaxbt+]{1,4}")
MAY_WRITE = ("dataset", "exporters", "workers")
MAY_WRITE_FILES = {
    "cli/terminal.py",  # the null device, in place of a closed stream
    "engine/blender/shading/tile_images.py",  # maps of marks in the cache
    "files/folder.py",
    "learn/backbones.py",  # converted weights in the cache, as the next one
    "learn/feature_cache.py",
    "files/scratch.py",
    "files/whole_file.py",
    "models/measuring/cache.py",
    "models/measuring/building.py",
    "models/measuring/entry.py",
    "models/sidecar/create.py",
    "engine/blender/importing/measure.py",  # its own stdout
    "engine/blender/importing/measurer.py",
    "engine/blender/importing/plain_gltf.py",
    "engine/blender/importing/coordinates/mirror.py",
    "engine/blender/importing/obj_materials.py",
    "starter/create.py",
    "engine/blender/session/eevee.py",  # EEVEE returns its image only as a file
}


def writes(tree: tuple[ast.AST, ...]) -> bool:
    """Whether a call writes, moves or removes a file, or opens one for writing."""
    for node in tree:
        match node:
            case ast.Call(func=ast.Attribute(attr=name)) if name in WRITING:
                return True
            case ast.Call(func=ast.Attribute(attr="open" | "fdopen") | ast.Name(id="open")):
                modes = [*node.args, *(keyword.value for keyword in node.keywords if keyword.arg == "mode")]
                parts = [part for mode in modes for part in ast.walk(mode)]
                if any(
                    isinstance(part, ast.Constant)
                    and isinstance(part.value, str)
                    and WRITING_MODE.fullmatch(part.value)
                    for part in parts
                ):
                    return True
    return False


def test_only_a_few_rooms_write_files():
    writing = {path for path in MODULES if writes(parsed(path))}
    assert {name_of(path) for path in writing if room(path) not in MAY_WRITE} == MAY_WRITE_FILES
    assert {room(path) for path in writing} >= set(MAY_WRITE)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("path.open('x')", True),
        ("open(path, mode='ab')", True),
        ("path.open('r+b')", True),
        ("os.fdopen(number, 'r' if n else 'w')", True),
        ("path.touch()", True),
        ("path.open('rb')", False),
        ("Image.open(path)", False),
        ("path.open(encoding='utf-8')", False),
    ],
)
def test_a_call_that_writes_a_file_is_found(code, expected):
    assert writes(tuple(ast.walk(ast.parse(code)))) == expected


READ_ROWS = "dataset/rows.py"
# columns of a manifest's row that no other table of ours has
COLUMNS = {
    *("objects", "exposure", "shot_index", "file_name", "size_bytes", "bbox", "bbox_amodal", "category_id"),
    *("object_to_world", "object_to_camera", "visible_fraction", "world_to_camera", "intrinsics"),
}
ROW_NAMES = {"row", "rows", "head", "again", "objects"}


def literal_subscripts(tree: list[ast.AST] | tuple[ast.AST, ...]) -> set[tuple[str, str]]:
    """(name of what is read, key) of each x["key"] that is read and each x.get("key")."""
    pairs = set()
    for node in tree:
        match node:
            case ast.Subscript(value=value, slice=ast.Constant(value=str(key)), ctx=ast.Load()):
                pairs.add((ast.unparse(value), key))
            case ast.Call(
                func=ast.Attribute(value=value, attr="get"), args=[ast.Constant(value=str(key)), *_]
            ):
                pairs.add((ast.unparse(value), key))
    return pairs


def reads_a_row(name: str, key: str) -> bool:
    return key in COLUMNS or name.rpartition(".")[2] in ROW_NAMES


def test_only_one_module_reads_columns_of_a_row_by_their_names():
    others = [path for path in MODULES if name_of(path) not in (READ_ROWS, "models/recolor.py")]
    pairs = {(name_of(path), *pair) for path in others for pair in literal_subscripts(parsed(path))}
    assert {pair for pair in pairs if reads_a_row(*pair[1:])} == set()


@pytest.mark.parametrize("code", ['row["label"]', 'self.row["x"]', 'x["bbox"]', 'x.get("exposure", {})'])
def test_a_column_read_by_its_name_is_found(code):
    assert any(reads_a_row(*pair) for pair in literal_subscripts(tuple(ast.walk(ast.parse(code)))))


def test_no_file_is_longer_than_300_lines():
    assert [path for path in MODULES if len(path.read_text("utf-8").splitlines()) > 300] == []


def test_every_room_has_a_layer():
    assert {room(path) for path in MODULES} - {"__init__"} == set(LAYERS)


def test_the_command_line_does_not_load_bpy():
    code = (
        "import sys, blendgen.cli as cli, blendgen.workers.generate, blendgen.workers.self_test\n"
        "[cli.group.get_command(None, name) for name in cli._COMMANDS]\n"
        "assert not {'bpy', 'scipy', 'fsspec', 'blendgen.cloud'} & {*sys.modules}, sorted(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# name of the distribution -> what it is imported as, where that is another name
IMPORTED_AS = {
    "bpy": {"bpy", "bpy_extras", "bmesh", "mathutils", "blend_render_info", "cycles", "_cycles", "gpu",
            "io_scene_fbx", "pxr"},
    "mujoco-core": {"mujoco"}, "opencv-python-headless": {"cv2"}, "pillow": {"PIL"},
    "pillow-heif": {"pillow_heif"}, "pycollada": {"collada"},
    "pydantic": {"pydantic", "pydantic_core"}, "pyyaml": {"yaml"}, "ruamel.yaml": {"ruamel"},
}  # fmt: skip


def modules_of(requirements: list[str]) -> set[str]:
    """What these requirements of pyproject.toml can be imported as."""
    names = {re.split(r"[<>=~!;\[ ]", text)[0] for text in requirements}
    return set().union(*(IMPORTED_AS.get(name, {name}) for name in names))


def foreign(nodes: list[ast.stmt] | tuple[ast.AST, ...]) -> set[str]:
    """Packages that import statements name, without the standard library and blendgen."""
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}
    return {name.partition(".")[0] for name in names} - sys.stdlib_module_names - {"blendgen"}


# imported by a training of all layers alone, by that of a detector, and by that of a refiner
WITH_TORCH = {
    f"learn/{name}.py"
    for name in ("augmentation", "checkpoint", "full_training", "torch_network", "training_stages", "tuning")
} | {f"refining/{name}.py" for name in ("adversarial", "learned", "networks")}
WITH_TORCH |= {
    f"detection/{name}.py"
    for name in ("box_augmentation", "detector_loss", "full_training", "torch_detector", "tuning")
}


def test_only_trainings_of_networks_import_torch():
    modules = {f"blendgen.{name.removesuffix('.py').replace('/', '.')}" for name in WITH_TORCH}
    others = [path for path in MODULES if name_of(path) not in WITH_TORCH]
    importing = {
        name_of(path)
        for path in others
        for node in parsed(path)[0].body
        if isinstance(node, ast.ImportFrom) and node.module in modules
    }
    assert importing == set()
    assert {name_of(path) for path in MODULES if "torch" in imports(path)} <= WITH_TORCH


def test_modules_need_no_extra_when_they_are_imported():
    required = modules_of(PROJECT["dependencies"])
    others = [path for path in MODULES if name_of(path) not in WITH_TORCH]
    needed = {name_of(path): foreign(parsed(path)[0].body) - required for path in others}
    assert {module: names for module, names in needed.items() if names} == {}


def test_everything_that_is_imported_is_required_or_in_an_extra():
    extras = [
        text for name, texts in PROJECT["optional-dependencies"].items() if name != "dev" for text in texts
    ]
    known = modules_of([*PROJECT["dependencies"], *extras])
    needed = {name_of(path): foreign(parsed(path)) - known for path in MODULES}
    assert {module: names for module, names in needed.items() if names} == {}
