"""A folder of files becomes sources with usable names in an order that is always the same."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

import pytest

from blendgen.errors import CatalogError
from blendgen.models.scan import MODEL_SUFFIXES, scan_directory


def touch(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def scan(root: Path, unit=None, up=None):
    return scan_directory(root, "models", unit, up)


def names(root: Path) -> list[str]:
    return [source.name for source in scan(root)]


def test_every_model_suffix_is_found_in_any_letter_case_and_nothing_else(tmp_path):
    touch(tmp_path, *(f"m{i}.{suffix}" for i, suffix in enumerate(MODEL_SUFFIXES)))
    touch(tmp_path, "upper.STL", "a.mtl", "a.bin", "a.png", "readme.md", "noext", "x.blend1", "y.abc")
    assert len(names(tmp_path)) == len(MODEL_SUFFIXES) + 1


def test_the_order_ignores_letter_case_and_the_order_of_creation(tmp_path):
    files = ["b/x.obj", "A/y.obj", "a2.obj", "B3.obj", "c.obj"]
    first = names(touch(tmp_path / "1", *files))
    assert first == names(touch(tmp_path / "2", *reversed(files))) == ["y", "a2", "x", "B3", "c"]


def test_hidden_files_and_folders_are_skipped(tmp_path):
    touch(tmp_path, ".a.obj", ".git/b.obj", "__MACOSX/c.obj", "d.obj", "sub/._d.obj")
    assert names(tmp_path) == ["d"]


def test_a_link_back_to_a_folder_above_ends(tmp_path):
    touch(tmp_path, "sub/a.obj")
    (tmp_path / "sub" / "loop").symlink_to(tmp_path)
    (tmp_path / "broken.obj").symlink_to(tmp_path / "nowhere")
    assert names(tmp_path) == ["a"]


def test_the_first_folder_below_the_root_is_the_folder_of_a_source(tmp_path):
    touch(tmp_path, "top.obj", "mugs/red.obj", "mugs/old/blue.obj")
    assert {source.name: source.folder for source in scan(tmp_path)} == {
        "top": "",
        "red": "mugs",
        "blue": "mugs",
    }


def test_a_source_carries_its_options_an_absolute_path_and_the_path_as_written(tmp_path, monkeypatch):
    touch(tmp_path, "models/sub/a.obj")
    monkeypatch.chdir(tmp_path)
    (source,) = scan_directory(Path("models"), "models", "mm", "y")
    assert source.kind == "mesh"
    assert source.options == {
        "path": str(tmp_path / "models/sub/a.obj"),
        "root": str(tmp_path / "models"),
        "unit": "mm",
        "up": "y",
    }
    assert source.display == str(Path("models/sub/a.obj"))


@pytest.mark.parametrize(
    ("folder", "message"),
    [
        (".", "models: no model in this folder; expected files ({})"),
        ("absent", "models: the folder does not exist; expected a folder with models ({})"),
    ],
)
def test_a_folder_without_models_says_which_files_are_expected(tmp_path, folder, message):
    touch(tmp_path, "only.txt")
    with pytest.raises(CatalogError) as raised:
        scan(tmp_path / folder)
    assert str(raised.value) == message.format(
        ".glb .gltf .obj .stl .ply .fbx .usd .usda .usdc .usdz .blend .off .step .stp .iges .igs .dae .3mf"
    )


def test_a_file_in_place_of_the_folder_is_reported(tmp_path):
    touch(tmp_path, "a.obj")
    with pytest.raises(CatalogError, match="is a file; expected the folder"):
        scan(tmp_path / "a.obj")


def test_an_unknown_unit_or_axis_is_reported_with_the_known_ones(tmp_path):
    touch(tmp_path, "a.obj")
    with pytest.raises(CatalogError, match="unit must be one of m, cm, mm, in, ft; got 'inch'"):
        scan(tmp_path, unit="inch")
    with pytest.raises(CatalogError, match="up must be one of x, y, z; got 'Y'"):
        scan(tmp_path, up="Y")


def test_folders_that_link_to_one_another_are_visited_once(tmp_path):
    folders = [tmp_path / "m" / f"f{i}" for i in range(12)]
    for folder in folders:
        touch(folder, f"{folder.name}.obj")
    for folder in folders:
        for other in folders:
            (folder / f"to_{other.name}").symlink_to(other)
    assert names(tmp_path / "m") == sorted(folder.name for folder in folders)


def test_links_that_lead_out_are_left_out_and_reported_unless_they_are_to_be_followed(tmp_path, caplog):
    touch(tmp_path, "m/a.obj", "other/b.obj", "other/c.obj")
    (tmp_path / "m" / "far").symlink_to(tmp_path / "other")
    (tmp_path / "m" / "c.obj").symlink_to(tmp_path / "other" / "c.obj")
    assert names(tmp_path / "m") == ["a"]
    assert "left out 2 links that lead out of this folder: c.obj, far; follow_links: true" in caplog.text
    assert "or `blendgen models --follow-links`, includes them" in caplog.text
    followed = scan_directory(tmp_path / "m", "m", None, None, follow_links=True)
    assert [source.name for source in followed] == ["a", "c", "b", "c"]


def test_a_link_to_the_root_of_the_disk_is_not_walked(tmp_path):
    touch(tmp_path, "a.obj")
    (tmp_path / "all").symlink_to("/")
    assert names(tmp_path) == ["a"]


def test_a_pipe_or_a_device_is_left_out_and_that_is_reported(tmp_path, caplog):
    touch(tmp_path, "a.obj")
    os.mkfifo(tmp_path / "pipe.glb")
    (tmp_path / "zero.glb").symlink_to("/dev/zero")
    assert names(tmp_path) == ["a"]
    assert "not a regular file, left out: pipe.glb, zero.glb" in caplog.text


def test_the_order_and_the_class_do_not_depend_on_the_normal_form_of_a_name(tmp_path):
    files = ["été/a.obj", "z/ü.obj", "z/v.obj"]
    composed, split = (
        scan(touch(tmp_path / form, *(unicodedata.normalize(form, file) for file in files)))
        for form in ("NFC", "NFD")
    )
    assert [(one.name, one.folder, one.file) for one in composed] == [
        (one.name, one.folder, one.file) for one in split
    ]
    assert split[-1].folder == "été"


def test_formats_that_are_not_read_are_counted_in_one_line(tmp_path, caplog):
    touch(tmp_path, "a.obj", "b.MAX", "sub/c.skp", "sub/d.max", "textures/a.png", "a.blend1")
    assert names(tmp_path) == ["a"]
    assert [record.getMessage() for record in caplog.records] == [
        "models: not read: 3 files of formats .max, .skp; export them as glb, or as step from a CAD program"
    ]
