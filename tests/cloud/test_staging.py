"""Staging folders that a user names: nothing of somebody else in them is replaced or removed."""

from __future__ import annotations

import pytest

import blendgen
from blendgen.dataset.layout import Layout
from blendgen.dataset.lock import FolderLock
from blendgen.errors import DatasetError, TimeLimitReached
from tests.conftest import make_spec
from tests.farm.made import content, make

SPEC = make_spec(images=3, seed=71, resolution=[24, 16])
OTHER = make_spec(images=2, seed=75, resolution=[24, 16])


@pytest.fixture(params=["export", "generate"])
def into(request, url, machine, tmp_path):
    """Makes a command that fetches a begun or finished data set of three images into a folder."""
    if request.param == "export":
        machine().generate(url, spec=SPEC)
        return lambda folder: blendgen.export(url, "coco", tmp_path / "coco", staging=folder)
    with pytest.raises(TimeLimitReached):
        machine(stops_after=2).generate(url, spec=SPEC)
    return lambda folder: machine().generate(url, spec=SPEC, staging=folder)


@pytest.mark.parametrize("name", ["spec.yaml", "images/train/a/000000.png", "notes.txt"])
def test_files_of_somebody_else_stay(into, tmp_path, name):
    path = tmp_path / "mine" / name
    path.parent.mkdir(parents=True)
    path.write_bytes(b"mine")
    with pytest.raises(DatasetError, match=rf"has files of somebody else; choose another [^:]+:\n  {name}"):
        into(tmp_path / "mine")
    assert content(tmp_path / "mine") == {name: b"mine"}


@pytest.mark.parametrize("spec", [OTHER, SPEC.model_copy(update={"images": 9})], ids=["spec", "images"])
def test_another_data_set_stays(into, tmp_path, spec):
    indices = [0] if spec is OTHER else [7]
    make(tmp_path / "mine", indices, spec=spec)
    before = content(tmp_path / "mine")
    with pytest.raises(DatasetError, match=r"contains another data set|has images that the store lacks"):
        into(tmp_path / "mine")
    assert content(tmp_path / "mine") == before


def test_a_folder_in_which_another_process_works_is_refused(into, tmp_path):
    with FolderLock(Layout(tmp_path / "mine")), pytest.raises(DatasetError, match="another blendgen process"):
        into(tmp_path / "mine")


def test_a_copy_is_brought_up_to_date(into, tmp_path):
    for _ in range(2):
        into(tmp_path / "mine")
    assert len(blendgen.open_dataset(tmp_path / "mine")) == 3
