"""Which files a model may be read with: those of the models directory, wherever links seem to put them."""

from __future__ import annotations

from pathlib import Path

import pytest

from blendgen.models.companions import Companions


@pytest.fixture
def folder(tmp_path) -> Path:
    """root/cups/red, next to root/textures, with links from it; and a secret outside of root."""
    folder = tmp_path / "root" / "cups" / "red"
    folder.mkdir(parents=True)
    for name in ("root/textures/t.png", "root/cups/u.png", "root/cups/red/v.png", "secret/s.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (folder / "to_textures").symlink_to(tmp_path / "root" / "textures")
    (folder / "to_secret").symlink_to(tmp_path / "secret")
    (folder / "s.png").symlink_to(tmp_path / "secret" / "s.png")
    (folder / "circle").symlink_to(folder / "circle")
    return folder


@pytest.mark.parametrize(
    "name",
    ["v.png", "../u.png", "../../textures/t.png", "to_textures/t.png", "absent.png", "../../absent.png"],
)
def test_files_of_the_models_directory_may_be_read(folder, name):
    """The layouts of Gazebo and Sketchfab have ../textures."""
    model, root = folder / "m.obj", folder.parent.parent
    assert Companions(model, root).inside(name) == Companions(model, root).inside(str(folder / name))
    assert Companions(model, root).inside(name).name == name.rpartition("/")[2]


@pytest.mark.parametrize(
    "name",
    [
        "../../../secret/s.png",
        "../../../absent.png",
        "to_secret/s.png",
        "to_secret/../v.png",  # secret/../v.png
        "to_textures/../../secret/s.png",  # textures/../../secret/s.png
        "s.png",
        "/etc/hostname",
        "a\0b",
    ],
)
def test_files_outside_may_be_read_only_where_that_is_allowed(folder, name):
    model, root = folder / "m.obj", folder.parent.parent
    assert Companions(model, root).inside(name) is None
    assert (Companions(model, root, allow_outside=True).inside(name) is None) == ("\0" in name)


def test_without_a_models_directory_only_the_folder_of_the_model_counts(folder):
    assert Companions(folder / "m.obj").inside("v.png") is not None
    assert Companions(folder / "m.obj").inside("../u.png") is None


def test_a_model_behind_a_followed_link_is_read_with_the_files_next_to_it(folder, tmp_path):
    (tmp_path / "secret" / "m.obj").touch()
    companions = Companions(folder / "to_secret" / "m.obj", folder.parent.parent)
    assert companions.inside("s.png") is not None
    assert companions.inside("../../textures/t.png") is None  # outside of secret, and not below the root
