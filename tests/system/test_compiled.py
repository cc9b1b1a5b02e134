"""Whether the modules of packages are stored in compiled form, and the command that does it."""

import importlib
import subprocess

import pytest

from blendgen.cli.doctor import _lines
from blendgen.system.compiled import compile_line, not_compiled


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package, and one like bpy, whose own module is a library."""
    for name, file in (("plain_package", "__init__.py"), ("like_bpy", "5.2/scripts/modules/addon_utils.py")):
        path = tmp_path / "a b" / name / file
        path.parent.mkdir(parents=True)
        path.write_text("x = 1\n")
    (tmp_path / "a b" / "like_bpy" / "__init__.so").touch()
    monkeypatch.syspath_prepend(tmp_path / "a b")
    monkeypatch.setattr("sys.pycache_prefix", None)
    monkeypatch.delenv("PYTHONPYCACHEPREFIX", raising=False)
    importlib.invalidate_caches()
    return tmp_path / "a b"


def test_packages_without_compiled_modules_are_found_and_the_command_compiles_them(package):
    names = ("plain_package", "like_bpy", "is_not_installed")
    folders = not_compiled(names)
    assert folders == {name: package / name for name in names[:2]}
    subprocess.run(["bash", "-c", compile_line(folders.values())], check=True)
    assert not_compiled(names) == {}


def test_doctor_prints_the_command_only_if_something_is_not_compiled():
    report = dict.fromkeys(
        ("blendgen", "python", "blender", "kernel", "cores", "cache", "smoke_render", "system"), "x"
    )
    report |= {"gpus": [], "missing_libraries": [], "not_compiled": [], "compile": "", "system_notes": []}
    assert "modules       compiled" in _lines(report)
    lines = "\n".join(_lines(report | {"not_compiled": ["bpy", "numpy"], "compile": "python -m compileall"}))
    assert "modules       not compiled: bpy, numpy\n" in lines and lines.endswith("\n  python -m compileall")
