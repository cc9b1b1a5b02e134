"""A cache entry is found by content alone, is whole or absent, and may be built by two at once."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from blendgen.errors import SetupError
from blendgen.models.companions import Companions
from blendgen.models.measuring import reads
from blendgen.models.measuring.cache import (
    AssetCache,
    cache_folder,
    content_hash,
    entry_key,
    source_facts,
)
from blendgen.models.measuring.entry import IncompleteEntry, read_entry, write_measured, write_refusal
from blendgen.models.measuring.reads import Disk
from blendgen.models.product import Colorway, Keypoint, MaterialOverride, Measured, Soundness, StablePose
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
    convex_parts_m=tuple(np.random.default_rng(count).normal(size=(count, 3)) for count in (4, 7)),
    soundness=Soundness(0.125, 0.25, False),
)


def write(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "asset.blend").write_bytes(b"BLENDER" * 100)
    write_measured(folder, MEASURED)
    return folder


def mesh(path: Path, **options) -> Source:
    return Source("n", "", "mesh", {"path": str(path), "unit": None, "up": None, **options}, str(path))


def key(path: Path, **options) -> str:
    return entry_key(source_facts(mesh(path, **options), Disk()), "digest")


def model(folder: Path, text: str = "v 0 0 0\n") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "m.obj").write_text(text)
    return folder / "m.obj"


def test_an_entry_reads_back_as_it_was_written(tmp_path):
    entry = read_entry(write(tmp_path / "e"))
    for field in [field for field in fields(Measured) if field.name not in ("hull_m", "convex_parts_m")]:
        assert getattr(entry, field.name) == getattr(MEASURED, field.name)
        assert getattr(MEASURED, field.name) != field.default, "the default proves nothing"
    np.testing.assert_array_equal(entry.hull_m, MEASURED.hull_m)
    for part, written in zip(entry.convex_parts_m, MEASURED.convex_parts_m, strict=True):
        np.testing.assert_array_equal(part, written)
    write_refusal(tmp_path, "too big")
    assert read_entry(tmp_path) == "too big"


@pytest.mark.parametrize("name", ["asset.blend", "hull.npy", "convex_parts.npz", "product.json"])
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


def test_a_key_depends_on_content_format_and_options_but_not_on_the_place(tmp_path):
    a, b = model(tmp_path / "a"), model(tmp_path / "b")
    assert key(a) == key(b) == key(a, root=str(tmp_path)) == key(a, allow_outside=True)
    c = a.rename(a.with_suffix(".ply"))
    keys = {key(b), key(b, unit="mm"), key(b, up="z"), key(c), key(model(tmp_path / "a", "v 1 1 1\n"))}
    assert len(keys) == 5


@pytest.mark.parametrize("content", [b"", b"\0" * 40, b"glTF", b"[1]", b"\xff\xfe"])
def test_garbage_has_a_key_too(tmp_path, content):
    (tmp_path / "m.glb").write_bytes(content)
    assert len(key(tmp_path / "m.glb")) == 64


def test_content_depends_on_the_files_that_were_read(tmp_path):
    facts = source_facts(mesh(model(tmp_path)), Disk())
    read = [[], [("t.png", "1")], [("t.png", "2")], [("u.png", "1")], [("t.png", "1"), ("u.png", "1")]]
    assert len({content_hash(facts, files) for files in read}) == 5


def test_a_description_has_a_key_that_ignores_the_order_of_its_fields():
    one = Source("a", "", "phone", {"x": 1, "y": [2]}, "a")
    other = Source("b", "f", "phone", {"y": [2], "x": 1}, "b")
    assert source_facts(one, Disk()) == source_facts(other, Disk())


def test_an_entry_depends_on_the_code_that_measures_it():
    keys = [entry_key({"model": model}, digest) for model in ("a", "b") for digest in ("d", "e")]
    assert len(set(keys)) == 4


@pytest.fixture
def stored(tmp_path):
    """A cache, and what finds the entry of a key for the model `tmp_path`/m/m.obj."""
    cache = AssetCache(tmp_path / "cache")
    path = model(tmp_path / "m")
    return cache, lambda key: cache.find(key, Companions(path), Disk())


def test_an_entry_appears_only_when_it_is_published(stored):
    cache, find = stored
    building = write(cache.begin("k"))
    assert find("k") is None
    folder = cache.publish(building, "k", {})
    assert find("k").entry.triangles == 12 and find("k").folder == folder
    assert [path.name for path in (cache.folder / "assets").iterdir()] == ["k"]


def test_a_key_has_an_entry_for_each_content_of_the_other_files(stored, tmp_path):
    cache, find = stored
    states = []
    for content in ("one", "two"):
        (tmp_path / "m" / "t.png").write_text(content)
        assert find("k") is None
        companions = Companions(tmp_path / "m" / "m.obj")
        states.append(reads.states(["file t.png", "file u.png"], companions, Disk()))
        cache.publish(write(cache.begin("k")), "k", states[-1])
        assert find("k").states == states[-1]
    (tmp_path / "m" / "t.png").write_text("one")
    assert find("k").states == states[0] != states[1]
    (tmp_path / "m" / "unused.png").write_text("three")
    assert find("k") is not None
    (tmp_path / "m" / "u.png").write_text("three")
    assert find("k") is None


def test_the_second_of_two_builders_of_one_entry_changes_nothing(stored):
    cache, _ = stored
    first, second = write(cache.begin("k")), write(cache.begin("k"))
    folder = cache.publish(first, "k", {})
    published = (folder / "asset.blend").stat()
    assert cache.publish(second, "k", {}) == folder
    assert (folder / "asset.blend").stat().st_ino == published.st_ino
    assert [path.name for path in (cache.folder / "assets").iterdir()] == ["k"]


@pytest.mark.parametrize("name", ["hull.npy", "reads.json"])
def test_a_damaged_entry_is_replaced(stored, name):
    cache, find = stored
    folder = cache.publish(write(cache.begin("k")), "k", {})
    (folder / name).write_bytes(b"")
    assert find("k") is None
    cache.publish(write(cache.begin("k")), "k", {})
    assert find("k").entry.triangles == 12


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
