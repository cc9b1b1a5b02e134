"""Another package adds an export format and a family of models by its entry points; a broken one is named."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from blendgen.errors import CatalogError, SetupError, SpecError, UsageError
from blendgen.exporters.exporter import Options
from blendgen.exporters.formats import export, find_exporter, format_names, format_summaries
from blendgen.models.families.installed import installed_sources
from blendgen.spec.load import load_spec
from tests.conftest import REPOSITORY
from tests.exporters.fake import FakeImage, make_fake
from tests.markdown import DOCS, blocks

CODE = """
import json
from dataclasses import replace
from pathlib import Path
from blendgen.plugins import Exporter, models_in

def write(source, destination, options, advance):
    labels = []
    for row in source.rows():
        labels.append(row.label)
        advance(1)
    destination.write_text("labels.json", json.dumps(labels))
    return {"images": len(labels)}

LABELS = Exporter(name="labels", summary="every label in one file", write=write, options=("crops",))

def tiles():
    return models_in(Path(__file__).parent / "tiles", unit="mm")

def failing(*arguments):
    raise RuntimeError("no luck")

FAILS = Exporter(name="fails", summary="fails when it writes", write=failing)
MISNAMED = Exporter(name="other", summary="has another name", write=write)
NUMBER = 7

def numbers():
    return [1, 2]

def stalling():
    yield from tiles()
    raise RuntimeError("no more tiles")

def bare():
    return [replace(tile, options={"path": tile.options["path"]}) for tile in tiles()]

def unplaced():
    return [replace(tile, options=tile.options | {"path": Path("tiles")}) for tile in tiles()]

def unnamed():
    return [replace(tile, name=None) for tile in tiles()]

def optionless():
    return [replace(tile, options=None) for tile in tiles()]

def twins():
    return [*tiles(), *tiles()]

def inches():
    return [replace(tile, options=tile.options | {"unit": "inch"}) for tile in tiles()]
"""
ENTRY_POINTS = """
[blendgen.exporters]
labels = acme_tools:LABELS
fails = acme_tools:FAILS
misnamed = acme_tools:MISNAMED
number = acme_tools:NUMBER
gone = acme_tools.gone:EXPORTER
coco = acme_tools:FAILS

[blendgen.families]
tiles = acme_tools:tiles
luckless = acme_tools:failing
numbers = acme_tools:numbers
absent = acme_tools:ABSENT
stalling = acme_tools:stalling
bare = acme_tools:bare
unplaced = acme_tools:unplaced
unnamed = acme_tools:unnamed
optionless = acme_tools:optionless
inches = acme_tools:inches
twins = acme_tools:twins
"""
TILE = """
v 0 0 0
v 60 0 0
v 60 0 40
v 0 0 40
v 0 9 0
v 60 9 0
v 60 9 40
v 0 9 40
f 1 2 3 4
f 5 8 7 6
f 1 5 6 2
f 2 6 7 3
f 3 7 8 4
f 4 8 5 1
"""
SIDECAR = """
blendgen_model: 1
class: {name} tile
colorways: {{plain: {{"*": "{color}"}}}}
"""
SPEC = """
blendgen: 1
name: tiles
images: 4
products:
  - catalog: {family}
    label: class
"""


def install(site: Path, name: str, code: str, declared: str) -> None:
    """What pip leaves of a package: its code and its dist-info."""
    package, info = site / name.replace("-", "_"), site / f"{name.replace('-', '_')}-1.2.dist-info"
    package.mkdir(parents=True)
    info.mkdir()
    (package / "__init__.py").write_text(code, "utf-8")
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2\n", "utf-8")
    (info / "entry_points.txt").write_text(declared, "utf-8")


@pytest.fixture
def site(tmp_path):
    site = tmp_path / "site"
    install(site, "acme-tools", CODE, ENTRY_POINTS)
    tiles = site / "acme_tools" / "tiles"
    tiles.mkdir()
    for name, color in (("blue", "#2040c0"), ("red", "#c02020")):
        (tiles / f"{name}.obj").write_text(TILE, "utf-8")
        (tiles / f"{name}.yaml").write_text(SIDECAR.format(name=name, color=color), "utf-8")
    return site


@pytest.fixture
def installed(site, monkeypatch):
    """The package in this process."""
    monkeypatch.syspath_prepend(str(site))
    yield site
    sys.modules.pop("acme_tools", None)


@pytest.fixture
def dataset(tmp_path):
    images = [FakeImage("train", 0, [(0, (4, 4, 8, 8))]), FakeImage("val", 1, [(1, (4, 4, 8, 8))])]
    return make_fake(tmp_path / "set", ["a", "b"], images)


def blendgen(site: Path, *arguments) -> subprocess.CompletedProcess:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(REPOSITORY), str(site)])}
    environment["BLENDGEN_CACHE_DIR"] = str(site.parent / "cache")
    command = [sys.executable, "-m", "blendgen", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=environment)


@pytest.mark.slow
def test_the_command_exports_in_the_format_of_a_package(site, dataset, tmp_path):
    done = blendgen(site, "export", dataset.root, "labels", tmp_path / "out", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["images"] == 2
    assert json.loads((tmp_path / "out/labels.json").read_text()) == ["a", "b"]
    refused = blendgen(site, "export", dataset.root, "labels", tmp_path / "b", "--task", "pose")
    assert refused.returncode == 2 and "task: an option of yolo, not of labels" in refused.stderr


@pytest.mark.slow
def test_a_family_of_a_package_is_measured_with_its_sidecars(site, tmp_path):
    pytest.importorskip("bpy")
    (tmp_path / "tiles.yaml").write_text(SPEC.format(family="tiles"))
    done = blendgen(site, "check", tmp_path / "tiles.yaml", "--json")
    assert done.returncode == 0, done.stderr
    assert {"blue tile", "red tile"} <= set(json.dumps(json.loads(done.stdout)).split('"'))


def test_formats_of_packages_are_listed_with_their_packages(installed):
    assert {"labels", "gone", "coco"} <= set(format_names())
    summaries = format_summaries()
    assert summaries["labels"] == "every label in one file (acme-tools 1.2)"
    assert "acme-tools 1.2" in summaries["gone"] and "does not work" in summaries["gone"]


def test_the_package_of_the_documentation_works(tmp_path, dataset, monkeypatch):
    page = DOCS / "plugins.md"
    (declared,) = (tomllib.loads(block.text) for block in blocks(page, "toml"))
    groups = declared["project"]["entry-points"]
    lines = [
        f"[{group}]\n" + "".join(f"{k} = {v}\n" for k, v in named.items()) for group, named in groups.items()
    ]
    code = "\n".join(block.text for block in blocks(page, "python"))
    install(tmp_path / "site", declared["project"]["name"], code, "\n".join(lines))
    (tmp_path / "site/acme_blendgen/tiles").mkdir()
    (tmp_path / "site/acme_blendgen/tiles/blue.obj").write_text(TILE, "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    assert export(dataset.root, "filelist", tmp_path / "out", Options()) == {"images": 2}
    assert (tmp_path / "out/labels.txt").read_text() == "train/000000.png 0\nval/000001.png 1\n"
    assert (tmp_path / "out/val/000001.png").is_file()
    assert [(source.name, source.options["unit"]) for source in installed_sources("tiles")] == [
        ("blue", "mm")
    ]


def test_a_package_does_not_replace_a_built_in_format(installed):
    assert find_exporter("coco").write.__module__ == "blendgen.exporters.coco"


BROKEN = "package acme-tools 1.2, which adds '{}' to blendgen.{}, does not work: .*{}.*; update or uninstall"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("gone", "ModuleNotFoundError: No module named 'acme_tools.gone'"),
        ("misnamed", r"expected an Exporter with the name 'misnamed', got Exporter\(name='other'"),
        ("number", "expected an Exporter with the name 'number', got 7"),
        ("fails", r"RuntimeError: no luck \(.*acme_tools.__init__.py:\d+\)"),
    ],
)
def test_a_broken_format_is_reported_with_its_package(installed, dataset, tmp_path, name, reason):
    with pytest.raises(SetupError, match=BROKEN.format(name, "exporters", reason)):
        export(dataset.root, name, tmp_path / "out", Options())


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("luckless", "RuntimeError: no luck"),
        ("numbers", "expected sources of model files, as models_in returns them, got 1"),
        ("absent", "AttributeError"),
        ("stalling", r"RuntimeError: no more tiles \(.*acme_tools.__init__.py:\d+\)"),
        ("bare", r"expected sources of model files, .* got Source\(name='blue'"),
        ("unplaced", r"expected sources of model files, .* got Source\(name='blue'"),
        ("unnamed", r"expected sources of model files, .* got Source\(name=None"),
        ("optionless", "AttributeError"),
        ("twins", "several models have the name 'blue'"),
        ("inches", "blue.obj: unit must be one of m, cm, mm, in, ft; got 'inch'"),
    ],
)
def test_a_broken_family_is_reported_with_its_package(installed, name, reason):
    with pytest.raises(SetupError, match=BROKEN.format(name, "families", reason)):
        installed_sources(name)


def test_a_family_without_its_files_is_reported(installed):
    (source, *_) = installed_sources("tiles")
    Path(source.options["path"]).rename(Path(source.options["path"]).with_suffix(".bak"))
    assert [source.name for source in installed_sources("tiles")] == ["red"]
    for file in (installed / "acme_tools" / "tiles").glob("*.obj"):
        file.unlink()
    with pytest.raises(CatalogError, match="no model in this folder"):
        installed_sources("tiles")


def test_two_packages_with_one_name_are_both_named(installed, dataset, tmp_path):
    install(installed, "other-tools", "", "[blendgen.exporters]\nlabels = other_tools:X\n")
    with pytest.raises(
        SetupError, match=r"add 'labels' to .*: acme-tools 1.2, other-tools 1.2; uninstall all but one"
    ):
        export(dataset.root, "labels", tmp_path / "out", Options())


def test_a_spec_knows_installed_families_and_no_others(installed, tmp_path):
    (tmp_path / "spec.yaml").write_text(SPEC.format(family="tiles"))
    assert load_spec(tmp_path / "spec.yaml").spec.products[0].catalog == "tiles"
    (tmp_path / "spec.yaml").write_text(SPEC.format(family="tile"))
    with pytest.raises(SpecError, match="'tile' is not a family of models; did you mean tiles"):
        load_spec(tmp_path / "spec.yaml")


def test_a_name_that_no_package_adds_is_unknown(tmp_path):
    with pytest.raises(UsageError, match="'labels' is not an export format"):
        find_exporter("labels")
    with pytest.raises(CatalogError, match="the family 'tiles' is not installed"):
        installed_sources("tiles")
