"""A cache entry is found by content alone, is whole or absent, and may be built by two at once."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from blendgen.errors import SetupError
from blendgen.models.measuring.cache import AssetCache, cache_folder, content_hash, entry_key
from blendgen.models.measuring.entry import IncompleteEntry, read_entry, write_measured, write_refusal
from blendgen.models.product import Colorway, Keypoint, MaterialOverride, Measured, StablePose
from blendgen.models.source import Source

UPRIGHT = StablePose(((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)), 1.0)
MEASURED = Measured(
    shape="mesh",
    size_m=(0.1, 0.2, 0.30000000000000004),
    hull_m=np.random.default_rng(0).normal(size=(9, 3)),
    stable_poses=(UPRIGHT,),
    colorways=(Colorway("red", {"body": MaterialOverride("#ff0000", 0.5)}), Colorway("plain", {})),
    parts=("body", "Glas 茶"),
    triangles=12,
    missing_textures=("wood.png",),
    lost=("material 'Glas 茶': its texture has no file",),
    notes=("left out: mug_LOD1",),
    keypoints=(Keypoint("left", (0.1, 0.2, 1 / 3), mirrored="right"), Keypoint("tip", (0.0, 0.0, -0.0))),
    file_to_product=(
        (0.0, 0.001, 0.0, 1 / 3),
        (0.001, 0.0, 0.0, 0.0),
        (0.0, 0.0, 0.001, 0.5),
        (0, 0, 0, 1.0),
    ),
)


def write(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "asset.blend").write_bytes(b"BLENDER" * 100)
    write_measured(folder, MEASURED)
    return folder


def mesh(path: Path, **options) -> Source:
    return Source("n", "", "mesh", {"path": str(path), "unit": None, "up": None, **options}, str(path))


def key(path: Path, **options) -> str:
    return content_hash(mesh(path, **options))


def obj_model(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "m.mtl").write_text("newmtl a\nmap_Kd -o 0 0 0 tex/wood.png\nmap_Bump ../outside.png\n")
    (folder / "tex").mkdir()
    (folder / "tex" / "wood.png").write_bytes(b"wood")
    (folder / "m.obj").write_text("mtllib m.mtl\nv 0 0 0\nf 1 1 1\n")
    return folder / "m.obj"


def gltf_model(folder: Path) -> Path:
    folder.mkdir(parents=True)
    images = [{"uri": "t.png"}, {"uri": "data:image/png;base64,"}]
    content = {"buffers": [{"uri": "a%20b.bin"}], "images": images}
    (folder / "m.gltf").write_text(json.dumps(content))
    (folder / "a b.bin").write_bytes(b"buffer")
    (folder / "t.png").write_bytes(b"png")
    return folder / "m.gltf"


def test_an_entry_reads_back_as_it_was_written(tmp_path):
    entry = read_entry(write(tmp_path / "e"))
    for field in [field for field in fields(Measured) if field.name != "hull_m"]:
        assert getattr(entry, field.name) == getattr(MEASURED, field.name)
        assert getattr(MEASURED, field.name) != field.default, "the default proves nothing"
    np.testing.assert_array_equal(entry.hull_m, MEASURED.hull_m)
    write_refusal(tmp_path, "too big")
    assert read_entry(tmp_path) == "too big"


@pytest.mark.parametrize("name", ["asset.blend", "hull.npy", "product.json"])
@pytest.mark.parametrize("damage", ["remove", "cut", "alter", "empty"])
def test_a_damaged_entry_is_noticed(tmp_path, name, damage):
    file = write(tmp_path / "e") / name
    data = file.read_bytes()
    file.unlink()
    if damage != "remove":
        middle = len(data) // 2
        changed = {"cut": data[:middle], "alter": data[:middle] + b"\xff" + data[middle + 1 :], "empty": b""}
        file.write_bytes(changed[damage])
    with pytest.raises(IncompleteEntry):
        read_entry(tmp_path / "e")


def test_a_key_depends_on_content_and_options_but_not_on_the_place(tmp_path):
    a, b = obj_model(tmp_path / "a"), obj_model(tmp_path / "b")
    assert key(a) == key(b)
    keys = {key(a), key(a, unit="mm"), key(a, up="z")}
    a.write_text(a.read_text() + "\n")
    assert len(keys | {key(a)}) == 4


@pytest.mark.parametrize(
    "make, companions", [(obj_model, ["tex/wood.png", "m.mtl"]), (gltf_model, ["a b.bin", "t.png"])]
)
def test_a_key_depends_on_the_files_that_the_model_names(tmp_path, make, companions):
    path = make(tmp_path / "m")
    for name in companions:
        before = key(path)
        (path.parent / name).write_bytes((path.parent / name).read_bytes() + b"\nmore")
        changed = key(path)
        (path.parent / name).unlink()
        assert len({before, changed, key(path)}) == 3


def test_files_outside_of_the_models_directory_do_not_count(tmp_path):
    path = obj_model(tmp_path / "m")
    before = key(path)
    (tmp_path / "outside.png").write_bytes(b"secret")
    assert key(path) == key(path, root=str(tmp_path / "m")) == before
    assert before not in {key(path, root=str(tmp_path)), key(path, allow_outside=True)}


def test_images_next_to_a_model_that_hides_its_names_count(tmp_path):
    (tmp_path / "m.fbx").write_bytes(b"fbx")
    before = key(tmp_path / "m.fbx")
    (tmp_path / "textures").mkdir()
    (tmp_path / "textures" / "wood.png").write_bytes(b"wood")
    (tmp_path / "notes.txt").write_text("text")
    assert key(tmp_path / "m.fbx") != before


GARBAGE = [b"", b"\0" * 40, b"glTF", b"glTF" + b"\xff" * 40, b"[1]", b'{"buffers": 3}', b"\xff\xfe"]


@pytest.mark.parametrize("content", GARBAGE)
@pytest.mark.parametrize("suffix", ["glb", "gltf", "obj", "blend"])
def test_garbage_has_a_key_too(tmp_path, content, suffix):
    (tmp_path / f"m.{suffix}").write_bytes(content)
    assert len(key(tmp_path / f"m.{suffix}")) == 64


def test_a_description_has_a_key_that_ignores_the_order_of_its_fields():
    one = Source("a", "", "phone", {"x": 1, "y": [2]}, "a")
    other = Source("b", "f", "phone", {"y": [2], "x": 1}, "b")
    assert content_hash(one) == content_hash(other)


def test_an_entry_depends_on_the_code_that_measures_it():
    keys = [entry_key(content, digest) for content in ("a", "b") for digest in ("d", "e")]
    assert len(set(keys)) == 4


def test_an_entry_appears_only_when_it_is_published(tmp_path):
    cache = AssetCache(tmp_path)
    building = write(cache.begin("k"))
    assert cache.read("k") is None
    cache.publish(building, "k")
    assert cache.read("k").triangles == 12
    assert [path.name for path in (tmp_path / "assets").iterdir()] == ["k"]


def test_the_second_of_two_builders_of_one_entry_changes_nothing(tmp_path):
    cache = AssetCache(tmp_path)
    first, second = write(cache.begin("k")), write(cache.begin("k"))
    cache.publish(first, "k")
    published = (cache.entry_folder("k") / "asset.blend").stat()
    cache.publish(second, "k")
    assert (cache.entry_folder("k") / "asset.blend").stat().st_ino == published.st_ino
    assert [path.name for path in (tmp_path / "assets").iterdir()] == ["k"]


def test_a_damaged_entry_is_replaced(tmp_path):
    cache = AssetCache(tmp_path)
    cache.publish(write(cache.begin("k")), "k")
    (cache.entry_folder("k") / "hull.npy").write_bytes(b"")
    assert cache.read("k") is None
    cache.publish(write(cache.begin("k")), "k")
    assert cache.read("k").triangles == 12


def test_a_cache_folder_that_cannot_be_written_names_the_variable_that_sets_it(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(SetupError, match=r"cannot be written .*set BLENDGEN_CACHE_DIR"):
        AssetCache(tmp_path / "file").begin("k")


def test_the_cache_lies_where_the_environment_says(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("BLENDGEN_CACHE_DIR", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert cache_folder() == tmp_path / ".cache" / "blendgen"
    monkeypatch.setenv("XDG_CACHE_HOME", "/xdg")
    assert cache_folder() == Path("/xdg/blendgen")
    monkeypatch.setenv("BLENDGEN_CACHE_DIR", "~/own")
    assert cache_folder() == tmp_path / "own"
