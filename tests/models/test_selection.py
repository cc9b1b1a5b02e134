"""`models` of a section selects models by name, by file or by pattern."""

from __future__ import annotations

from pathlib import Path

import pytest

from blendgen.errors import CatalogError
from blendgen.models.scan import scan_directory
from blendgen.models.selection import name_clashes, selection, without_collision_meshes

FILES = ("cup/scene.gltf", "mug.glb", "Mug.obj", "gripper/visual/finger.obj", "gripper/collision/finger.stl")


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    root = tmp_path_factory.mktemp("models")
    for file in FILES:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).touch()
    return scan_directory(root, "m", None, None)


def files(entries, sources):
    selected, unknown, _ = selection(entries, sources)
    assert not unknown
    return [source.file for source in selected]


def test_an_entry_is_a_name_a_file_or_a_pattern(sources):
    assert files(["cup"], sources) == ["cup/scene.gltf"]
    assert files(["mug.glb"], sources) == ["mug.glb"]
    assert files(["*/visual/*.obj", "cup"], sources) == ["gripper/visual/finger.obj", "cup/scene.gltf"]
    assert files(["finger__collision"], sources) == ["gripper/collision/finger.stl"]
    assert files(["MUG.*", "mug.glb"], sources) == ["mug.glb", "Mug.obj"]


def left_out(entries, sources):
    return [source.file for source in selection(entries, sources).left_out]


def test_a_pattern_selects_no_collision_mesh_unless_it_says_so(sources):
    both = ["gripper/collision/finger.stl", "gripper/visual/finger.obj"]
    for entry in ("finger*", "gripper/*", "f*"):
        assert files([entry], sources) == both[1:] and left_out([entry], sources) == both[:1]
    for entry in ("*__collision", "*/collision/*", "*/collision/finger.???", "f*r__collision"):
        assert files([entry], sources) == both[:1] and left_out([entry], sources) == []
    entries = ["finger*", both[0]]
    assert files(entries, sources) == both[::-1] and left_out(entries, sources) == []


def test_a_pattern_that_matches_collision_meshes_alone_says_how_to_use_them(sources):
    selected, unknown, _ = selection(["*.stl"], sources)
    message = " but collision meshes: gripper/collision/finger.stl; give their files to use them"
    assert not selected and unknown[0] == ("*.stl", message)


def test_collision_meshes_are_left_out_and_named_unless_there_is_nothing_else(sources, caplog):
    visible = [source.file for source in without_collision_meshes(sources, "m")]
    assert visible == ["cup/scene.gltf", "gripper/visual/finger.obj", "mug.glb", "Mug.obj"]
    way_out = "`models` in a spec selects files, and `blendgen models FILE` checks one"
    assert caplog.messages == [f"m: left out collision meshes: gripper/collision/finger.stl; {way_out}"]
    hulls = [source for source in sources if source.file.endswith(".stl")]
    with pytest.raises(CatalogError, match=r"^m: only collision meshes: .*finger\.stl; `models` in a spec"):
        without_collision_meshes(hulls, "m")


def test_an_entry_that_selects_nothing_is_returned_with_advice(sources):
    selected, unknown, _ = selection(["cup", "cap", "mug_glb", "*.usd"], sources)
    assert [source.name for source in selected] == ["cup"]
    assert unknown[1] == ("cap", "; did you mean cup?")
    assert unknown[2] == ("mug_glb", "; it is called mug now")
    assert unknown[3][1].startswith("; known: ")


def test_models_of_one_name_are_listed_with_a_way_out_that_works(sources):
    (clash,) = name_clashes(sources)
    assert (clash.name, clash.files) == ("mug", (str(Path("m/mug.glb")), str(Path("m/Mug.obj"))))
    assert clash.advice == "rename one; or, in a spec, let `models` select files"


def test_a_path_tells_models_of_several_folders_apart(tmp_path):
    for folder in ("king", "queen"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "clubs.glb").touch()
    (clash,) = name_clashes(scan_directory(tmp_path, "m", None, None))
    assert clash.advice.endswith("or set names: path")
    assert not name_clashes(scan_directory(tmp_path, "m", None, None, naming="path"))
