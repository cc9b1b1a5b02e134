"""The file that a name in a model means, for the folder layouts of data sets and the habits of writers."""

from __future__ import annotations

import os
import unicodedata

import pytest

from blendgen.models.companions import Companions
from blendgen.models.lookup import Found, Lookup


@pytest.fixture
def find_in(tmp_path):
    """(the model's path, other files, the name in the model) -> the path that is find_in, below the root."""

    def find(model: str, files: list[str], name: str, textures: str = "") -> str | None:
        for file in [model, *files]:
            (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / file).touch()
        companions = Companions(tmp_path / model, tmp_path, textures=textures)
        file = Lookup(companions).texture(name).file
        return None if file is None else str(file.relative_to(tmp_path))

    return find


@pytest.mark.parametrize(
    "model, file, name",
    [
        ("mug.obj", "wood.png", "wood.png"),
        ("mug.obj", "wood.png", r"C:\Users\max\Desktop\proj\wood.png"),
        ("mug.obj", "wood.png", "/home/max/proj/wood.png"),
        ("mug.obj", "wood.png", "file:///home/max/wood.png"),
        ("mug.obj", "wood.png", "Wood.PNG"),
        ("mug.obj", "Textures/Wood.png", r"textures\wood.png"),
        ("mug.obj", "my wood.png", "my%20wood.png"),
        ("mug.obj", "textures/wood.png", "wood.png"),
        ("mug.obj", "Texturen/wood.png", "wood.png"),
        ("mug.fbx", "mug.fbm/wood.png", r"D:\wood.png"),
        ("mug.obj", "mug_files/wood.png", "wood.png"),
        ("mug.obj", "extra/wood.png", "wood.png"),
        ("mug.obj", "maps/oak/wood.png", r"C:\proj\maps\oak\wood.png"),
        ("mug/meshes/mug.obj", "mug/materials/textures/wood.png", "wood.png"),
        ("mug/source/mug.fbx", "mug/textures/wood.png", "wood.png"),
        ("mug/mug.dae.obj", "images/wood.png", "wood.png"),
        ("mug/meshes/visual/mug.obj", "mug/Textures/wood.png", "wood.png"),
        ("mug/source/mug.obj", "mug/wood.png", "wood.png"),
        ("mug.obj", "größe.png", unicodedata.normalize("NFD", "größe.png")),
        ("mug.obj", "größe.png", os.fsdecode("größe.png".encode("cp1252"))),
        ("mug.obj", "木.png", os.fsdecode("木.png".encode("shift_jis"))),
    ],
)  # fmt: skip
def test_a_texture_is_found_where_data_sets_have_it(find_in, model, file, name):
    assert find_in(model, [file], name) == file


@pytest.mark.parametrize(
    "files, nearest",
    [
        (["wood.png", "textures/wood.png"], "a/wood.png"),
        (["Wood.png", "textures/wood.png"], "a/textures/wood.png"),  # the exact name
        (["b_maps/wood.png", "a_maps/wood.png"], "a/a_maps/wood.png"),
        (["../textures/wood.png", "sub/wood.png"], "a/sub/wood.png"),
        (["WOOD.png", "Wood.PNG"], "a/WOOD.png"),
        (["wood.jpg", "../textures/wood.png"], "textures/wood.png"),  # the same extension
    ],
)
def test_of_several_files_the_nearest_is_used(find_in, files, nearest):
    assert find_in("a/mug.obj", [f"a/{file}" for file in files], "wood.png") == nearest


def test_the_end_of_the_path_comes_before_the_folder_of_the_model(find_in):
    files = ["wood.png", "textures/wood.png", "oak/wood.png", "maps/oak/wood.png"]
    assert find_in("mug.obj", files, r"C:\proj\maps\oak\wood.png") == "maps/oak/wood.png"
    assert find_in("mug.obj", [], r"C:\other\oak\wood.png") == "oak/wood.png"
    assert find_in("mug.obj", ["Pine/Wood.png"], r"C:\pine\wood.png") == "wood.png"  # the exact name


def test_the_folder_of_a_sidecar_comes_first(find_in):
    files = ["wood.png", "large/Wood.png"]
    assert find_in("mug.obj", files, "wood.png", textures="large") == "large/Wood.png"
    assert find_in("mug.obj", files, "wood.png", textures="absent") == "wood.png"


def test_textures_of_other_models_are_not_used(find_in):
    assert find_in("mug.obj", ["chair/wood.png", "chair/chair.obj"], "wood.png") is None
    assert find_in("a/b/c/mug.obj", ["wood.png", "textures/wood.png"], "wood.png") is None


def test_another_extension_is_used_last_and_said(tmp_path):
    for name in ("wood.tga", "wood.jpg", "wood.txt"):
        (tmp_path / name).touch()
    lookup = Lookup(Companions(tmp_path / "mug.obj", tmp_path))
    assert lookup.texture("wood.psd") == Found(tmp_path / "wood.jpg", renamed=True)
    assert lookup.texture("wood.tga") == Found(tmp_path / "wood.tga")
    assert lookup.texture("wo\0od.png") == lookup.texture("x" * 5000) == Found(None)


def test_a_file_outside_is_named_and_not_used(tmp_path):
    (tmp_path / "models/textures").mkdir(parents=True)
    (tmp_path / "secret.png").touch()
    (tmp_path / "models/link.png").symlink_to(tmp_path / "secret.png")
    (tmp_path / "models/textures/wood.png").symlink_to(tmp_path / "secret.png")
    (tmp_path / "models/elsewhere").symlink_to(tmp_path, target_is_directory=True)
    lookup = Lookup(Companions(tmp_path / "models/mug.obj", tmp_path / "models"))
    for name in ("../secret.png", "link.png", "Link.PNG", "wood.png", "elsewhere/secret.png"):
        assert lookup.texture(name) == Found(None, is_outside=True), name
    assert lookup.texture("secret.png") == Found(None)
