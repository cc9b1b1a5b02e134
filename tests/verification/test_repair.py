"""Repair: each kind of damage, and afterwards the same bytes as before; files of other people stay."""

import json
import shutil
import signal
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from blendgen.containers.packing import Packer
from blendgen.dataset.damaged import DamagedStore
from blendgen.dataset.failures import failed_images, failed_together
from blendgen.dataset.layout import Layout
from blendgen.dataset.pack_index import _opened
from blendgen.dataset.record import dataset_record
from blendgen.dataset.store import Store, read_record
from blendgen.dataset.write import write_frame
from blendgen.draw.attempts import FIRST_SHOTS
from blendgen.engine.flat import FlatEngine
from blendgen.errors import DatasetError, InfeasibleDraw, InfeasibleShot, Interrupted, Reason
from blendgen.models.inventory import Inventory
from blendgen.spec.load import resolved_yaml
from blendgen.system.progress import Counter
from blendgen.verification import lost_record as lost_record_module
from blendgen.verification import repair as repair_module
from blendgen.verification.dataset import verify
from blendgen.verification.reopen import Reopened
from blendgen.verification.repair import repair
from blendgen.workers import generate
from blendgen.workers.generate import Run
from blendgen.workers.job import Job
from blendgen.workers.run import sheet_bytes
from blendgen.workers.worker import Made
from tests.conftest import make_class_table, make_spec
from tests.dataset.test_dataset import content
from tests.workers.flat_run import CATALOG, flat_pipeline

SPEC = make_spec(images=12, exposures_per_shot=2, output={"depth": True})
# more images cannot be made than may fail at the start of a run
MOST_FAIL = {"camera": {"distance_m": {"choice": {0.01: 30, 0.4: 1}}}}
SPARSE = make_spec(images=20, resolution=[16, 16], output={"masks": False}, **MOST_FAIL)
INVENTORY = Inventory(CATALOG, make_class_table(CATALOG))
NO_PROGRESS = Counter(lambda finished, total: None)


class Noisy(FlatEngine):
    """Another machine: it makes other bytes."""

    def render(self, shot):
        film = super().render(shot)
        return replace(film, depth_m=film.depth_m + 0.125)


CALM = {"class": FlatEngine, "stop_after": None, "fails": False, "crashes": False}


@pytest.fixture(scope="module", autouse=True)
def in_this_process():
    """Runs render here; returns what they do."""
    chosen = dict(CALM)

    def run_tasks(job, tasks, stop, workers, **_):
        pipeline = flat_pipeline(job, None, chosen["class"])
        for number, task in enumerate(tasks):
            if number == chosen["stop_after"]:
                stop.signum = stop.count = signal.SIGTERM
                return
            if chosen["crashes"]:
                shot = task.image_indices, task.shot_index
                yield Made([], failed_together(*shot, Reason.BLENDER_CRASHED, "it crashed"), {})
                continue
            try:
                if chosen["fails"]:
                    raise InfeasibleShot(task.shot_index, (InfeasibleDraw(Reason.OTHER, "no rest"),))
                frames = [*pipeline.frames(task)]
            except InfeasibleShot as infeasible:
                yield Made([], failed_images(task.image_indices, infeasible), {})
                continue
            rows = [write_frame(Layout(job.folder), frame, job.spec.output) for frame in frames]
            yield Made(rows, [], pipeline.engine.identity())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(generate, "run_tasks", run_tasks)
        yield chosen


@pytest.fixture
def engine(in_this_process):
    """What the engine of a test does; for example, engine["class"] replaces it."""
    in_this_process |= CALM
    yield in_this_process
    in_this_process |= CALM


def made(folder, spec, indices=None):
    """A finished data set."""
    with Store(folder, dataset_record(spec, INVENTORY), resolved_yaml(spec)) as store:
        job = Job(spec, CATALOG, INVENTORY.class_table, folder, store.layout.log)
        packer = Packer.of(store.files, dataset_record(spec, INVENTORY))
        wanted = range(spec.images) if indices is None else indices
        Run(job, store, wanted, NO_PROGRESS, packer=packer).make_all()
        store.write_sheet(sheet_bytes(folder))
    return folder


@pytest.fixture(scope="module")
def clean(tmp_path_factory, in_this_process):
    return made(tmp_path_factory.mktemp("clean") / "set", SPEC)


@pytest.fixture
def copy(clean, tmp_path):
    return shutil.copytree(clean, tmp_path / "out")


@pytest.fixture
def repaired(monkeypatch):
    """Repair a folder without Blender and without a file of the spec."""

    def repaired(folder, spec=SPEC, digest=None, **options):
        def reopen(folder, _):
            layout, record = Layout(folder), dataset_record(spec, INVENTORY)
            record |= {} if digest is None else {"digest": digest}
            return Reopened(layout, SimpleNamespace(spec=spec), INVENTORY, record, read_record(layout))

        def reopen_without_record(folder, measurer):
            reopened = reopen(folder, measurer)
            return replace(reopened, known=reopened.record)

        monkeypatch.setattr(repair_module, "reopen", reopen)
        monkeypatch.setattr(lost_record_module, "reopen_without_record", reopen_without_record)
        return repair(folder, lambda fault: None, NO_PROGRESS, 1, **options)

    return repaired


def rows_of(folder):
    return [json.loads(line) for line in (folder / "manifest.jsonl").read_text("utf-8").splitlines()]


def with_lines(change):
    def damage(folder):
        path = folder / "manifest.jsonl"
        path.write_bytes(b"".join(change(path.read_bytes().splitlines(keepends=True))))

    return damage


def with_row(number, **columns):
    """Set columns of a row; "a__b" is column b of column a."""

    def damage(folder):
        rows = rows_of(folder)
        for name, value in columns.items():
            outer, _, inner = name.rpartition("__")
            (rows[number][outer] if outer else rows[number])[inner] = value
        lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        (folder / "manifest.jsonl").write_text("".join(lines), "utf-8")

    return damage


def with_file(number, change, column="file_name"):
    def damage(folder):
        path = folder / rows_of(folder)[number][column]
        change(path)

    return damage


def with_record(**changes):
    def damage(folder):
        path = folder / "dataset.json"
        path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | changes), "utf-8")

    return damage


def both(*damages):
    def damage(folder):
        for one in damages:
            one(folder)

    return damage


def cut(path):
    path.write_bytes(path.read_bytes()[:40])


def flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


UNLINK, EMPTY = (lambda path: path.unlink()), (lambda path: path.write_bytes(b""))
ZEROS = lambda path: path.write_bytes(b"\0" * 300)  # noqa: E731
NO_FILES_3 = lambda folder: [path.unlink() for path in folder.rglob("000003.*")]  # noqa: E731
NO_ROW_3 = with_lines(lambda lines: [*lines[:3], *lines[4:]])
QUICK = ("a truncated image", "a line of rubbish", "a lost row with a torn file")
DAMAGES = {
    "a truncated image": (with_file(3, cut), [3]),
    "a flipped bit": (with_file(3, flip), [3]),
    "a missing mask": (with_file(3, UNLINK, "mask_file_name"), [3]),
    "an empty label file": (with_file(3, EMPTY, "depth_file_name"), [3]),
    "all images": (lambda folder: shutil.rmtree(folder / "images" / "train"), None),
    "a line of rubbish": (with_lines(lambda lines: [*lines[:3], b"\xff{\n", *lines[4:]]), [3]),
    "a torn last line": (with_lines(lambda lines: [*lines[:-1], lines[-1][:70]]), [11]),
    "a row without its line break": (with_lines(lambda lines: [*lines[:-1], lines[-1][:-1]]), [11]),
    "a lost row": (NO_ROW_3, [3]),
    "a lost row with its files": (both(NO_FILES_3, NO_ROW_3), [3]),
    "a lost row with a torn file": (both(with_file(3, cut), NO_ROW_3), [3]),
    "a lost row with zeros after a power cut": (both(with_file(3, ZEROS), NO_ROW_3), [3]),
    "a lost manifest": (lambda folder: (folder / "manifest.jsonl").unlink(), [*range(12)]),
    "a row twice": (with_lines(lambda lines: [*lines, lines[3]]), [3]),
    "a wrong box": (with_row(3, objects__bbox=[[0, 0, 3, 3]]), [3]),
    "a wrong class": (with_row(3, label="sphere", label_id=7), [3]),
    "a wrong number": (with_row(3, index=900), [3]),
    "a number of another row": (with_row(3, index=4), [3, 4]),
    "a wrong sha256 in the row": (with_row(3, sha256="0" * 64), [3]),
    "a row that lacks columns": (with_row(3, objects={}), [3]),
    "wrong counts": (with_record(images_per_split={"train": 1}), []),
    "classes of dataset.json": (with_record(classes=["teapot"]), []),
    "rows and files": (both(with_file(0, flip), with_file(7, UNLINK), NO_ROW_3), [0, 3, 7]),
}  # fmt: skip


def cases(table):
    """All of a table; those that are not in QUICK are slow."""
    return [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in table]


@pytest.mark.parametrize("name", cases(DAMAGES))
def test_damage_is_repaired_to_the_same_bytes(clean, copy, repaired, name):
    damage, images = DAMAGES[name]
    damage(copy)
    result = repaired(copy)
    assert result.faults and [str(fault) for fault in result.left] == []
    assert images is None or [*result.images] == images
    assert content(copy) == content(clean)
    assert repaired(copy).faults == ()


def test_without_a_fault_nothing_is_loaded_and_nothing_changes(copy):
    before = content(copy)
    assert repair(copy, lambda fault: None, NO_PROGRESS) == repair_module.Repair(())
    assert content(copy) == before


@pytest.fixture(scope="module")
def sparse(tmp_path_factory, in_this_process):
    return made(tmp_path_factory.mktemp("sparse") / "set", SPARSE)


FAILED_LINES = {
    "lost": lambda lines: [],
    "torn": lambda lines: [*lines[:-1], lines[-1][:30]],
    "rubbish": lambda lines: [b"[]\n", *lines],
    "twice": lambda lines: [*lines, lines[0]],
    "of another shot": lambda lines: [lines[0].replace(b'"shot_index": ', b'"shot_index": 7'), *lines[1:]],
}


@pytest.mark.parametrize("name", cases(FAILED_LINES))
def test_failures_are_found_again_also_if_all_are_lost(sparse, tmp_path, repaired, name):
    copy = shutil.copytree(sparse, tmp_path / "out")
    lines = (copy / "failed.jsonl").read_bytes().splitlines(keepends=True)
    assert FIRST_SHOTS < len(lines) < SPARSE.images
    (copy / "failed.jsonl").write_bytes(b"".join(FAILED_LINES[name](lines)))
    result = repaired(copy, SPARSE)
    assert result.faults and [str(fault) for fault in result.left] == []
    assert content(copy) == content(sparse)


def test_files_of_other_people_are_left_alone_and_reported(clean, copy, repaired):
    with_file(3, cut)(copy)
    ours = (copy / rows_of(copy)[3]["file_name"]).parent
    theirs = {ours / "holiday.png": b"mine", ours / "000003.txt": b"", copy / "notes.txt": b"notes",
              copy / "images" / "train" / "cats" / "000003.png": b"a cat"}  # fmt: skip
    for path, data in theirs.items():
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
    result = repaired(copy)
    assert result.images == (3,)
    assert {fault.place for fault in result.left} == {Layout(copy).name(path) for path in theirs} - {
        "notes.txt"
    }
    assert all(path.read_bytes() == data for path, data in theirs.items())
    assert content(clean).items() <= content(copy).items()


@pytest.mark.slow
def test_a_file_of_somebody_else_in_the_place_of_a_lost_one_stays(copy, repaired):
    path = copy / rows_of(copy)[3]["file_name"]
    path.write_bytes(b"a photo of my own")
    NO_ROW_3(copy)
    result = repaired(copy)
    assert (result.images, path.read_bytes()) == ((), b"a photo of my own")
    assert "left alone; move it away and repair again" in str(result.left[0])
    path.unlink()
    assert repaired(copy).left == ()


def test_a_file_that_cannot_be_read_is_not_replaced(copy, repaired, monkeypatch):
    path = copy / rows_of(copy)[3]["file_name"]
    NO_ROW_3(copy)
    path.write_bytes(b"nobody knows")
    content_of = DamagedStore.content
    unreadable = Layout(copy).name(path)
    monkeypatch.setattr(
        DamagedStore, "content", lambda self, name: None if name == unreadable else content_of(self, name)
    )
    result = repaired(copy)
    assert (result.images, path.read_bytes()) == ((), b"nobody knows")
    assert "left alone; move it away and repair again" in str(result.left[0])


@pytest.mark.parametrize("name", ["contact_sheet.jpg", "images/README.md"])
def test_a_sheet_or_a_card_of_somebody_else_is_not_replaced(copy, repaired, name):
    with_file(3, cut)(copy)
    (copy / name).write_bytes(b"mine")
    before = content(copy)
    with pytest.raises(DatasetError, match=f"{name}: is not the one that blendgen wrote; move it away"):
        repaired(copy)
    assert content(copy) == before


def test_an_image_that_blender_fails_on_now_is_not_recorded_as_one_that_cannot_be_made(
    copy, repaired, engine
):
    NO_ROW_3(copy)
    engine["crashes"] = True
    result = repaired(copy)
    assert "image 3: cannot be made now: it crashed" in str(result.left[0])
    assert not (copy / "failed.jsonl").exists()
    engine["crashes"] = False
    assert repaired(copy).images == (3,)


@pytest.mark.parametrize(
    "kind",
    ["link", *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("folder", "link to the folder"))],
)
def test_what_replaced_a_file_is_neither_followed_nor_removed(copy, clean, repaired, tmp_path, kind):
    row = rows_of(copy)[3]
    path, outside = copy / row["file_name"], tmp_path / "outside"
    outside.mkdir()
    (outside / "theirs.png").write_bytes(b"theirs")
    path.unlink()
    if kind == "link":
        path.symlink_to(outside / "theirs.png")
    elif kind == "folder":
        path.mkdir()
        (path / "theirs.png").write_bytes(b"theirs")
    else:
        shutil.move(path.parent, outside / "moved")
        path.parent.symlink_to(outside / "moved")
    with_file(5, flip, "mask_file_name")(copy)
    before, result = content(outside), repaired(copy)
    assert 3 not in result.images and any("left alone; move it away" in str(fault) for fault in result.left)
    assert content(outside) == before and (path.exists() or path.parent.is_symlink())
    assert [row["index"] for row in rows_of(copy)] == [*range(12)]
    mask = copy / rows_of(copy)[5]["mask_file_name"]
    assert kind == "link to the folder" or mask.read_bytes() == (clean / mask.relative_to(copy)).read_bytes()


def test_another_machine_that_makes_other_bytes_changes_nothing(copy, repaired, engine):
    with_file(3, cut, "depth_file_name")(copy)
    before, engine["class"] = content(copy), Noisy
    result = repaired(copy)
    assert result.images == () and content(copy) == before
    assert "made again, it has other bytes. The data set was made on cpu (numpy), this is cpu" in str(
        result.left[0]
    )


@pytest.mark.slow
def test_rows_that_are_lost_are_not_made_on_another_device(copy, repaired):
    with_record(device={"engine": "flat", "device": "cpu", "kernel": "AVX9"})(copy)
    both(with_file(3, UNLINK), NO_ROW_3)(copy)
    result = repaired(copy)
    assert result.images == () and "The data set was made on cpu (AVX9), this is cpu (numpy)" in str(
        result.left[0]
    )


@pytest.mark.slow
def test_of_a_part_of_the_images_only_what_can_be_known_is_made_again(engine, tmp_path, repaired):
    folder = made(tmp_path / "out", SPEC, range(4, 10))
    before = content(folder)
    with_file(1, flip)(folder)
    with_lines(lambda lines: [*lines[:3], *lines[4:]])(folder)  # its files are there
    assert repaired(folder).images == (5, 7) and content(folder) == before
    both(with_file(3, UNLINK), with_lines(lambda lines: [*lines[:3], *lines[4:]]))(folder)
    result = repaired(folder)
    assert result.images == ()
    assert "1 rows are missing, and it is not recorded of which images; make them with the" in str(
        result.left[0]
    )


@pytest.mark.slow
def test_an_image_that_can_no_longer_be_made_keeps_its_row(copy, repaired, engine):
    with_file(3, cut)(copy)

    engine["fails"] = True
    result = repaired(copy)
    assert "cannot be made again: no rest" in str(result.left[0]) and len(rows_of(copy)) == 12
    assert not (copy / "failed.jsonl").exists()


def test_a_signal_keeps_what_is_repaired(clean, copy, repaired, engine):
    for number in (0, 4, 8):
        with_file(number, cut)(copy)
    engine["stop_after"] = 2
    with pytest.raises(Interrupted, match="stopped: 2 of 3 images are repaired; run the same command"):
        repaired(copy)
    assert len(list(verify(copy))) >= 1
    engine["stop_after"] = None
    assert repaired(copy).images == (8,) and content(copy) == content(clean)


def test_other_models_are_refused_before_anything_changes(copy, repaired):
    with_file(3, cut)(copy)
    before = content(copy)
    with pytest.raises(
        DatasetError, match=r"spec.yaml: the models, the photos or the spec have changed since"
    ):
        repaired(copy, digest="another")
    assert content(copy) == before


def lost_record(folder):
    (folder / "dataset.json").unlink()


@pytest.mark.slow
@pytest.mark.parametrize("damage", [lost_record, with_record(digest=3), with_record(blender_version=None)])
def test_a_lost_record_is_written_again_if_images_prove_it(clean, copy, repaired, damage):
    damage(copy)
    with_file(5, cut)(copy)
    result = repaired(copy)
    assert str(result.faults[0]) == "dataset.json: is missing or cannot be read"
    assert (result.images, result.left) == ((5,), ())
    assert content(copy) == content(clean)


def test_a_lost_record_is_not_written_if_the_images_are_others(copy, repaired, engine):
    lost_record(copy)
    before, engine["class"] = content(copy), Noisy
    with pytest.raises(
        DatasetError, match=r"restored here; put a copy of it back: an image that is made again"
    ):
        repaired(copy)
    assert content(copy) == before


def edit_spec(path):
    path.write_text(f"# the same values\n{path.read_text('utf-8')}", "utf-8")


@pytest.mark.parametrize(("change", "what"), [(UNLINK, "is missing"), (edit_spec, "its sha256 differs")])
def test_a_spec_that_is_lost_or_edited_is_a_fault(copy, repaired, change, what):
    change(copy / "spec.yaml")
    (fault,) = verify(copy)
    assert fault.place == "spec.yaml" and what in fault.what
    if change is edit_spec:  # the values are the same, so that it makes the same images
        assert repaired(copy).left == () and list(verify(copy)) == []


def subset_of(folder):
    with_record(subset_of={"folder": "x"})(folder)


def export_of(folder):
    (folder / "dataset.json").unlink()
    (folder / ".blendgen-export.json").write_text("{}")


def link_to_the_manifest(folder):
    (folder / "manifest.jsonl").rename(folder / "rows")
    (folder / "manifest.jsonl").symlink_to("rows")


REFUSED = {
    "is a subset; repair the data set": subset_of,
    "is an export; repair the data set, and export it again": export_of,
    "is a mixture for training": lambda folder: (folder / "dataset.json").write_text('{"ratio": 1}'),
    "its merge has not finished; run the same": with_record(merging=True),
    "does not contain a data set of blendgen": both(
        lambda folder: (folder / "dataset.json").unlink(), lambda folder: (folder / "spec.yaml").unlink()
    ),
    "its run has not finished; run the same": with_record(images=None),
    "manifest.jsonl: is a link or a folder; replace it": link_to_the_manifest,
}


@pytest.mark.parametrize("message", REFUSED)
def test_what_is_not_a_whole_data_set_is_refused_with_a_way_out(copy, message):
    REFUSED[message](copy)
    before = content(copy)
    with pytest.raises(DatasetError, match=message):
        repair(copy, lambda fault: None, NO_PROGRESS)
    assert content(copy) == before


@pytest.fixture(scope="module")
def deep(tmp_path_factory, in_this_process):
    """Images in folders of their thousand, and lists of them."""
    spec = make_spec(images=12_346, resolution=[24, 16], exposures_per_shot=1, output={"masks": False})
    return spec, made(tmp_path_factory.mktemp("deep") / "set", spec, [9_999, 10_000, 10_001, 12_345])


def no_lists(folder):
    for path in Layout(folder).image_lists:
        path.unlink()


@pytest.mark.parametrize(
    ("damage", "images"),
    [(no_lists, ()), (with_file(3, UNLINK), (12_345,)), (both(no_lists, with_file(2, cut)), (10_001,))],
)
def test_folders_of_thousands_and_their_lists_are_repaired(deep, tmp_path, repaired, damage, images):
    spec, clean = deep
    copy = shutil.copytree(clean, tmp_path / "out")
    damage(copy)
    result = repaired(copy, spec)
    assert result.faults and result.images == images and result.left == ()
    assert content(copy) == content(clean)


PACKED = {
    name: make_spec(images=12, exposures_per_shot=2, output={"container": name, "images_per_file": 4})
    for name in ("webdataset", "parquet")
}


@pytest.fixture(scope="module", params=PACKED)
def packed(request, tmp_path_factory, in_this_process):
    return request.param, made(tmp_path_factory.mktemp(request.param) / "set", PACKED[request.param])


def packs_in(folder):
    return sorted(path for path in (folder / "data").iterdir() if path.suffix in (".tar", ".parquet"))


def change_byte(path, place):
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(bytes(data))


def index_of(pack):
    return pack.with_name(pack.stem + ".index.npy")


def damage_index(folder):
    change_byte(index_of(packs_in(folder)[1]), -8)


def damage_pictures(folder):
    for pack in packs_in(folder)[:2]:
        index = np.load(index_of(pack))
        change_byte(pack, int(index["image_offset"][0]) + 70)
        change_byte(pack, int(index["mask_offset"][-1]) + 50)


def damage_start(folder):
    """The first header of a tar file, or what a Parquet file begins with."""
    change_byte(packs_in(folder)[0], 2)


def cut_pack(folder):
    pack = packs_in(folder)[-1]
    pack.write_bytes(pack.read_bytes()[:-2000])


def remove_both(folder):
    pack = packs_in(folder)[0]
    pack.unlink()
    index_of(pack).unlink()


def replace_by_loose_files(folder):
    """As a repair that was killed leaves it."""
    pack = packs_in(folder)[0]
    row = next(row for row in rows_of(folder) if pack.name.startswith(row["split"]))
    index = np.load(index_of(pack))
    data = pack.read_bytes()[int(index["image_offset"][0]) :][: int(index["image_size"][0])]
    (folder / row["file_name"]).parent.mkdir(parents=True)
    (folder / row["file_name"]).write_bytes(data)


@pytest.mark.slow
@pytest.mark.parametrize(
    "damage",
    [
        damage_index, damage_pictures, damage_start, cut_pack, remove_both, replace_by_loose_files,
        with_lines(lambda lines: [lines[0][:-30], *lines[2:]]),
        both(damage_pictures, damage_index, with_lines(lambda lines: lines[3:])),
    ],
)  # fmt: skip
def test_packs_that_are_damaged_are_written_again_with_the_same_bytes(packed, damage, tmp_path, repaired):
    container, clean = packed
    folder = shutil.copytree(clean, tmp_path / "out")
    damage(folder)
    _opened.cache_clear()  # files are changed within the resolution of clocks
    result = repaired(folder, PACKED[container])
    assert result.faults and not result.left
    assert content(folder) == content(clean)
    assert not [*verify(folder)]
