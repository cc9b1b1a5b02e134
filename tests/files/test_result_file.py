"""Result files are written whole, replace earlier results, and never replace a file of the user."""

from __future__ import annotations

import pytest
from PIL import Image

from blendgen.errors import DatasetError
from blendgen.files.result_file import refuse_others_file, write_result
from blendgen.reports.contact_sheet import contact_sheet, encoded_sheet
from tests.cli.in_process import blendgen

SPEC = "blendgen: 1\nname: mine\nproducts: [{catalog: phones}]\nsurface: {kind: paper}\n"


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
def test_a_sheet_replaces_an_earlier_sheet_and_nothing_else(tmp_path, suffix):
    path = tmp_path / f"preview{suffix}"
    page = contact_sheet([(Image.new("RGB", (300, 300), (9, 99, 199)), "a")] * 60, 6, 200)
    for _ in range(2):
        write_result(path, encoded_sheet(page, suffix))
    with Image.open(path) as sheet:
        assert sheet.size == page.size
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    Image.new("RGB", (64, 64)).save(path)
    mine = path.read_bytes()
    with pytest.raises(DatasetError, match="was not written by blendgen"):
        write_result(path, encoded_sheet(page, suffix))
    assert path.read_bytes() == mine


def test_a_link_or_a_folder_in_the_way_is_refused(tmp_path):
    (tmp_path / "thesis").write_text("blendgen")
    (tmp_path / "link.png").symlink_to(tmp_path / "thesis")
    (tmp_path / "dangling.png").symlink_to(tmp_path / "nothing")
    (tmp_path / "folder.png").mkdir()
    for name in ("link.png", "dangling.png", "folder.png"):
        with pytest.raises(DatasetError, match=name):
            refuse_others_file(tmp_path / name)
    assert (tmp_path / "thesis").read_text() == "blendgen" and not (tmp_path / "nothing").exists()


@pytest.mark.parametrize("force", [[], ["--force"]])
def test_a_folder_of_the_user_is_never_a_data_set(tmp_path, tmp_path_factory, monkeypatch, force):
    """`-o .` next to the spec, and folders that are only called as ours are."""
    cache = tmp_path_factory.mktemp("cache") / "blendgen"
    mine = [
        "spec.yaml",
        "images/2019/beach.jpg",
        "masks/fox.png",
        "notes.txt",
        "blender.log",
        "contact_sheet.jpg",
    ]
    for name in mine:
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).write_text(SPEC if name == "spec.yaml" else name)
    monkeypatch.setenv("BLENDGEN_CACHE_DIR", str(cache))
    monkeypatch.chdir(tmp_path)
    done = blendgen("generate", "spec.yaml", "-o", ".", "-n", "1", *force)
    assert not (cache / "assets").exists()  # refused before any model is measured
    assert done.returncode == 5 and "is not empty and does not contain a data set of blendgen" in done.stderr
    assert "images/2019/beach.jpg" in done.stderr and "Traceback" not in done.stderr
    assert {p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if p.is_file()} == set(mine)
    assert all((tmp_path / name).read_text() == (SPEC if name == "spec.yaml" else name) for name in mine)


def test_preview_never_replaces_a_file_of_the_user(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "spec.yaml").write_text(SPEC)
    (tmp_path / "photo.png").write_text("mine")
    done = blendgen("preview", "spec.yaml", "-o", "photo.png", "-n", "1")
    assert done.returncode == 5 and "photo.png: exists" in done.stderr
    assert (tmp_path / "photo.png").read_text() == "mine"
