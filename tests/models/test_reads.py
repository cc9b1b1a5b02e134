"""A model is measured again if a file that was read has changed, and not if any other has."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from blendgen.models.companions import Companions
from blendgen.models.load import measured_catalog
from blendgen.models.lookup import Lookup
from blendgen.models.measuring.cache import AssetCache
from blendgen.models.measuring.reads import Disk, are_current, changed_between, read_files, states
from blendgen.models.product import Refusal
from blendgen.models.scan import scan_directory
from tests.models.measurers import NEVER, FakeMeasurer, FunctionMeasurer

NAMES = ("file t.png", "file ../shared/s.png", "file absent.png", "file link.png")


class Place:
    """A models directory with cups/cup.obj, which reads NAMES; they lead to files with these names."""

    def __init__(self, root: Path, cache: AssetCache, **options):
        self.cups, self._cache, self._options = root / "models" / "cups", cache, options
        self.shared = root / "models" / "shared"
        for folder in (self.cups, self.shared, root / "outside"):
            folder.mkdir(parents=True)
        (self.cups / "cup.obj").write_text("v 0 0 0\n")
        (self.cups / "t.png").write_text("t")
        (self.shared / "s.png").write_text("s")
        (root / "outside" / "o.png").write_text("secret")
        (self.cups / "link.png").symlink_to(root / "outside" / "o.png")

    def load(self, measurer, root: Path | None = None):
        root = root or self.cups.parent
        return measured_catalog(scan_directory(root, "m", None, None, **self._options), measurer, self._cache)

    def is_measured_again(self) -> bool:
        measurer = FakeMeasurer(NAMES)
        self.load(measurer)
        return bool(measurer.calls)

    def content(self) -> str:
        (product,) = self.load(NEVER).products
        return product.content_hash


@pytest.fixture
def cache(tmp_path) -> AssetCache:
    return AssetCache(tmp_path / "cache")


@pytest.fixture
def place(tmp_path, cache) -> Place:
    place = Place(tmp_path / "a", cache)
    assert place.is_measured_again()
    assert not place.is_measured_again()
    return place


@pytest.mark.parametrize("name", ["cup.obj", "t.png", "../shared/s.png", "absent.png", "link.png"])
def test_a_file_that_was_looked_for_and_changes_makes_the_model_measured_again(place, name):
    before, file = place.content(), place.cups / name
    file.unlink(missing_ok=True)
    file.write_text("v 1 1 1\n")
    assert place.is_measured_again()
    assert place.content() != before


@pytest.mark.parametrize("name", ["t.png", "../shared/s.png"])
def test_a_file_that_vanishes_and_comes_back_is_noticed(place, name):
    before, file = place.content(), place.cups / name
    data = file.read_bytes()
    file.unlink()
    assert place.is_measured_again() and place.content() != before
    file.write_bytes(data)
    assert not place.is_measured_again() and place.content() == before


@pytest.fixture
def textured(tmp_path) -> tuple[Path, Companions]:
    """A models directory, and the companions of mugs/mug.obj in it, whose textures are looked up by name."""
    (tmp_path / "models" / "mugs" / "textures").mkdir(parents=True)
    return tmp_path / "models", Companions(tmp_path / "models" / "mugs" / "mug.obj", tmp_path / "models")


def states_now(companions: Companions, looked_for) -> dict[str, str]:
    return states(list(looked_for), companions, Disk())


@pytest.mark.parametrize(
    "file",
    ["wood.png", "Wood.PNG", "textures/wood.png", "Textures2/wood.png", "../textures/wood.png", "wood.tga"],
)
def test_a_texture_that_appears_where_it_would_be_used_is_noticed(textured, file):
    models, companions = textured
    assert Lookup(companions).texture("C:/max/wood.png").file is None
    before = states_now(companions, companions.looked_for)
    for other in ("README.png", "mugs/README", "mugs/textures/other.png", "mugs/cup.obj", "mugs/sub/x"):
        (models / other).parent.mkdir(exist_ok=True)
        (models / other).write_text("x")
    assert are_current(before, companions, Disk())
    texture = companions.folder / file
    texture.parent.mkdir(exist_ok=True)
    texture.write_text("x")
    assert not are_current(before, companions, Disk())


def test_a_texture_is_used_from_another_place_only_if_it_is_the_first(textured):
    models, companions = textured
    (models / "mugs" / "textures" / "wood.png").write_text("x")
    assert Lookup(companions).texture("/home/max/wood.png").file is not None
    before = states_now(companions, companions.looked_for)
    (models / "wood.png").write_text("y")
    assert are_current(before, companions, Disk())
    (models / "mugs" / "wood.png").write_text("y")
    assert not are_current(before, companions, Disk())


def test_a_name_is_looked_up_in_the_same_way_wherever_the_models_are(textured):
    """Blender makes names absolute."""
    models, companions = textured
    lookup = Lookup(companions)
    for name in (
        "textures/wood.png",
        f"{models}/mugs/textures/wood.png",
        f"{models}/mugs/../mugs/textures/wood.png",
    ):
        lookup.texture(name)
    lookup.library(f"{models}/mugs/mug.mtl")
    assert set(companions.looked_for) == {"texture textures/wood.png", "library mug.mtl"}


def test_a_tile_that_appears_is_noticed(textured):
    models, companions = textured
    (models / "mugs" / "wood.1001.png").write_text("x")
    assert [tile.name for tile in companions.tiles(f"{models}/mugs/wood.<UDIM>.png")] == ["wood.1001.png"]
    before = states_now(companions, companions.looked_for)
    assert set(before) == {"tiles wood.<UDIM>.png", "file wood.1001.png"}
    (models / "mugs" / "wood.png").write_text("x")
    assert are_current(before, companions, Disk())
    (models / "mugs" / "wood.1002.png").write_text("x")
    assert not are_current(before, companions, Disk())


def test_other_files_do_not_matter(place):
    before = place.content()
    for name in ("README", "other.png", "sub/t.png", "../shared/t.png", "../../outside/o.png", "cup.yml.bak"):
        (place.cups / name).parent.mkdir(exist_ok=True)
        (place.cups / name).write_text("changed")
    os.utime(place.cups / "t.png", (0, 0))
    assert not place.is_measured_again()
    assert place.content() == before


def test_another_model_next_to_it_does_not_matter(place):
    (place.cups / "mug.obj").write_text("v 2 2 2\n")
    measurer = FakeMeasurer(NAMES)
    place.load(measurer)
    assert measurer.calls == [["mug"]]


def test_the_same_content_elsewhere_is_not_measured_and_is_the_same(place, tmp_path, cache):
    other = Place(tmp_path / "else" / "where", cache)
    assert not other.is_measured_again()
    assert other.content() == place.content()


def test_two_models_of_one_content_but_other_textures_are_both_measured(tmp_path, cache):
    for name, texture in (("a", "1"), ("b", "1"), ("c", "2")):
        (tmp_path / "m" / name).mkdir(parents=True)
        (tmp_path / "m" / name / f"{name}.obj").write_text("v 0 0 0\n")
        (tmp_path / "m" / name / "t.png").write_text(texture)
    measurer = FakeMeasurer(["file t.png"])
    catalog = measured_catalog(scan_directory(tmp_path / "m", "m", None, None), measurer, cache)
    assert measurer.calls == [["a"], ["c"]]
    hashes = [product.content_hash for product in catalog.products]
    assert hashes[0] == hashes[1] != hashes[2]


def test_what_may_be_read_decides_too(place, tmp_path, cache):
    """A file from outside must not come out of the cache where it may not be read."""
    measurer = FakeMeasurer(NAMES)
    place.load(measurer, root=place.cups)
    assert measurer.calls == [["cup"]]
    allowed = Place(tmp_path / "b", cache, allow_outside=True)
    assert allowed.is_measured_again()
    assert not place.is_measured_again()


def test_a_refusal_is_tried_again_when_the_missing_file_appears(tmp_path, cache):
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "bad.obj").write_text("v 0 0 0\n")
    sources = scan_directory(tmp_path / "m", "m", None, None)
    refusals = (Refusal("m/bad.obj", "a point cloud"),)
    for measurer in (FakeMeasurer(["file b.bin"]), NEVER):
        assert measured_catalog(sources, measurer, cache).refusals == refusals
    (tmp_path / "m" / "b.bin").write_text("x")
    measurer = FakeMeasurer(["file b.bin"])
    measured_catalog(sources, measurer, cache)
    assert measurer.calls == [["bad"]]


def test_a_texture_that_changes_while_the_model_is_measured_is_refused(place):
    plain = FakeMeasurer(NAMES)

    def writing_meanwhile(jobs):
        for outcome in plain.measure(jobs):
            time.sleep(0.02)  # clocks of file systems are coarse
            (place.shared / "s.png").write_text("S")
            yield outcome

    (place.cups / "cup.obj").write_text("v 3 3 3\n")
    (refusal,) = place.load(FunctionMeasurer(writing_meanwhile)).refusals
    assert "changed while it was measured" in refusal.reason
    assert place.is_measured_again()


def test_too_many_names_are_refused(place, monkeypatch):
    monkeypatch.setattr("blendgen.models.load._MAX_LOOKED_FOR", 3)
    (place.cups / "cup.obj").write_text("v 3 3 3\n")
    (refusal,) = place.load(FakeMeasurer(NAMES)).refusals
    assert refusal.reason == "names more than 3 other files"


def test_a_giant_texture_is_refused_and_other_odd_files_have_a_state(place):
    companions = Companions(place.cups / "cup.obj", place.cups.parent)
    os.mkfifo(place.cups / "pipe.png")
    (place.cups / "folder.png").mkdir()
    odd = states(
        [f"file {name}" for name in ("pipe.png", "folder.png", "absent.png", "t.png/x")], companions, Disk()
    )
    assert read_files(odd, companions) == [] and are_current(odd, companions, Disk())
    with (place.cups / "t.png").open("wb") as file:
        file.truncate(2**40)
    (refusal,) = place.load(NEVER).refusals
    assert refusal.reason == "t.png cannot be read: larger than 4 GiB"
    (place.cups / "t.png").write_text("t")
    with (place.shared / "s.png").open("wb") as file:
        file.truncate(2**40)
    (refusal,) = place.load(NEVER).refusals
    assert refusal.reason == "../shared/s.png cannot be read: larger than 4 GiB"


def test_a_shared_file_is_read_once(place, monkeypatch):
    disk, companions = Disk(), Companions(place.cups / "cup.obj", place.cups.parent)
    first = states(["file ../shared/s.png"], companions, disk)
    monkeypatch.setattr("hashlib.file_digest", None)
    assert states(["file ../shared/s.png"], companions, disk) == first


def test_names_in_the_content_do_not_depend_on_the_place(tmp_path):
    for name in ("a/models/m.obj", "a/lib/t.png", "deeper/b/models/m.obj", "deeper/b/lib/t.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    read = []
    for folder in (tmp_path / "a", tmp_path / "deeper" / "b"):
        companions = Companions(folder / "models" / "m.obj", folder / "models", allow_outside=True)
        companions.inside(str(folder / "lib" / "t.png"))
        companions.inside("../lib/t.png")
        assert list(companions.looked_for) == ["file ../lib/t.png"]
        read.append(read_files(states(companions.looked_for, companions, Disk()), companions))
    assert read[0] == read[1] and read[0][0][0] == "t.png"


def test_a_file_that_is_replaced_or_removed_counts_as_changed(tmp_path):
    (tmp_path / "t.png").write_text("x")
    companions = Companions(tmp_path / "m.obj")
    read = states(["file t.png", "file absent.png"], companions, Disk())
    changed_ns = (tmp_path / "t.png").stat().st_ctime_ns
    assert not changed_between(read, companions, changed_ns, changed_ns + 1)
    assert changed_between(read, companions, changed_ns - 1, changed_ns)
    assert not changed_between(read, companions, changed_ns - 2, changed_ns - 1)  # a clock that is ahead
    os.utime(tmp_path / "t.png", (0, 2**32))  # archives know no time zones
    changed_ns = (tmp_path / "t.png").stat().st_ctime_ns
    assert not changed_between(read, companions, changed_ns, changed_ns + 1)
    (tmp_path / "t.png").unlink()
    assert changed_between(read, companions, changed_ns, changed_ns)


@pytest.mark.parametrize("entry", ["texture C:/max/wood.png", "library WOOD.png", "tiles wo<UDIM>od.png"])
def test_a_file_that_appears_while_the_model_is_measured_counts_as_changed(textured, entry):
    _, companions = textured
    before_ns = time.time_ns()
    for name in ("wood.png", "wo1001od.png"):
        (companions.folder / name).write_text("x")
    now = states([entry, "file wood.png", "file wo1001od.png"], companions, Disk())
    later_ns = time.time_ns() + 10**9
    assert changed_between(now, companions, before_ns - 10**9, later_ns)
    assert not changed_between(now, companions, later_ns, later_ns)
    unreadable = {file: "unreadable" for file in now if file.startswith("file ")}
    assert not changed_between(now | unreadable, companions, later_ns, later_ns)
    unreported = {entry: now[entry]}
    assert changed_between(unreported, companions, later_ns, later_ns)
