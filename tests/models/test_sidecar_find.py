"""Each model finds its sidecar by name; if it is ambiguous, the message has a way out."""

from __future__ import annotations

import os

import pytest

from blendgen.errors import SpecError
from blendgen.models.sidecar.find import sidecar_files
from blendgen.models.sidecar.read import read_sidecar

MARKED = "blendgen_model: 1\n"


@pytest.fixture
def find(tmp_path):
    """(models, {YAML file: text}) -> the names of models and their sidecars, and messages."""

    def find(models: str, files: dict[str, str]):
        for name in models.split():
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).touch()
        for name, text in files.items():
            (tmp_path / name).write_text(text)
        paths = [tmp_path / name for name in models.split()]
        chosen, problems = sidecar_files(paths, {path.parent: "models" for path in paths})
        return {model.name: file.name for model, file in chosen.items()}, [str(p) for p in problems]

    return find


@pytest.mark.parametrize(
    "name", ["mug.yaml", "mug.yml", "mug.glb.yaml", "model.yaml", "model.yml", "MUG.YAML"]
)
def test_a_lone_model_finds_its_sidecar(find, name):
    assert find("mug.glb", {name: MARKED}) == ({"mug.glb": name}, [])


def test_a_model_called_model_keeps_its_sidecar_among_others(find):
    assert find("model.glb cup.glb", {"model.yaml": MARKED}) == ({"model.glb": "model.yaml"}, [])


def test_two_sidecars_of_one_model_are_reported(find):
    chosen, messages = find("mug.glb", {"mug.yaml": MARKED, "model.yaml": MARKED})
    assert chosen == {}
    assert messages == ["models/mug.yaml: mug.glb has several sidecars: model.yaml, mug.yaml; keep one"]


def test_a_model_yaml_among_several_models_is_reported_with_the_way_out(find):
    chosen, messages = find("mug.glb cup.glb", {"model.yaml": MARKED})
    assert chosen == {}
    assert (
        "models/model.yaml: this folder has 2 models; name the file after the one it describes" in messages[0]
    )
    assert "mug.yaml, cup.yaml" in messages[0]


def test_one_sidecar_for_two_models_of_one_name_is_reported_with_the_way_out(find):
    chosen, messages = find("mug.glb mug.obj", {"mug.yaml": MARKED})
    assert chosen == {}
    assert messages == [
        "models/mug.yaml: may belong to mug.glb or mug.obj; rename it to mug.glb.yaml or mug.obj.yaml"
    ]


def test_models_of_one_name_are_distinguished_by_the_whole_file_name(find):
    files = {"mug.glb.yaml": MARKED, "mug.obj.yaml": MARKED}
    assert find("mug.glb mug.obj", files) == ({"mug.glb": "mug.glb.yaml", "mug.obj": "mug.obj.yaml"}, [])


def test_a_mistyped_name_is_reported_with_the_nearest(find):
    assert find("mug.glb", {"mgu.yaml": MARKED})[1] == [
        "models/mgu.yaml: does not belong to any model here; did you mean mug?"
    ]


def test_other_yaml_files_and_specs_among_the_models_are_left_alone(find):
    files = {"notes.yaml": "a: 1\n", "mug.yaml": "# scene\nblendgen: 1\nname: mug\n"}
    assert find("mug.glb", files) == ({}, [])


@pytest.mark.parametrize("models", ["mug.glb", "mug.glb cup.glb"])
def test_a_model_yaml_of_another_program_is_left_alone(find, models):
    assert find(models, {"model.yaml": "# of a simulator\nmass: 3\nlinks: [a, b]\n"}) == ({}, [])


def test_a_model_yaml_that_lacks_its_mark_is_not_passed_over(find):
    assert find("mug.glb", {"model.yaml": "class: mug\n"})[0] == {"mug.glb": "model.yaml"}
    assert "this folder has 2 models" in find("mug.glb cup.glb", {"model.yaml": "class: mug\n"})[1][0]


def test_a_yaml_file_of_a_model_is_never_passed_over(find):
    assert find("mug.glb", {"mug.yaml": "colour: red\n"})[0] == {"mug.glb": "mug.yaml"}


def test_each_folder_is_separate(find):
    files = {"a/model.yaml": MARKED, "b/model.yaml": MARKED}
    assert find("a/cup.glb b/mug.glb", files) == ({"cup.glb": "model.yaml", "mug.glb": "model.yaml"}, [])


def test_a_sidecar_that_is_not_a_file_is_not_passed_over(find, tmp_path):
    """A pipe would hold the run for ever, and a broken link is most likely a mistake."""
    os.mkfifo(tmp_path / "mug.yaml")
    (tmp_path / "cup.yaml").symlink_to(tmp_path / "nothing.yaml")
    (tmp_path / "models").mkdir()
    (tmp_path / "models/jug.yaml").symlink_to(tmp_path / "mug.yaml")
    chosen, _ = find("mug.glb cup.glb models/jug.glb", {})
    assert chosen == {"mug.glb": "mug.yaml", "cup.glb": "cup.yaml", "jug.glb": "jug.yaml"}
    with pytest.raises(SpecError, match=r"jug.yaml: cannot be read: a link that leads out"):
        read_sidecar(tmp_path / "models/jug.yaml", "jug.yaml", tmp_path / "models/jug.glb")
    with pytest.raises(SpecError, match=r"mug.yaml: cannot be read: not a regular file"):
        read_sidecar(tmp_path / "mug.yaml", "mug.yaml", tmp_path / "mug.glb")
