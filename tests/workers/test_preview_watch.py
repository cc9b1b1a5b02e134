"""A preview that is made again after each change."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import yaml
from PIL import Image

import blendgen
from blendgen.errors import CatalogError, SpecError, UsageError
from blendgen.models.inventory import Inventory
from blendgen.models.measuring.entry import write_states
from blendgen.models.product import Catalog
from blendgen.models.watched import changed_files, snapshot, used_files
from blendgen.reports.contact_sheet import SheetLayout
from blendgen.workers import generate, kept_workers, preview, preview_watch, worker
from blendgen.workers.early_worker import EarlyWorker
from blendgen.workers.pool import run_tasks
from blendgen.workers.preview import PreviewOptions
from blendgen.workers.preview_page import PreviewPage
from blendgen.workers.spawn import Steps, spawn
from tests.conftest import make_class_table
from tests.waiting import wait_until
from tests.workers import failing
from tests.workers.flat_run import CATALOG, initialize, render_slowly

SLOWLY = Steps(render_slowly, worker.write)

SPEC = """\
blendgen: 1
name: test
products: [{catalog: shapes}]
resolution: [32, 32]
render: smoke
sensor: ideal
"""


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with scene.yaml, which the flat engine renders."""
    monkeypatch.setenv("BLENDGEN_CACHE_DIR", str(tmp_path / "cache"))
    inventory = Inventory(CATALOG, make_class_table(CATALOG))
    monkeypatch.setattr(preview, "measured_inventory", lambda *_: inventory)
    monkeypatch.setattr(generate, "run_tasks", partial(run_tasks, initialize=initialize))
    monkeypatch.setattr(kept_workers, "start_early_worker", light_worker)
    (tmp_path / "scene.yaml").write_text(SPEC)
    return tmp_path


@contextlib.contextmanager
def light_worker():
    """An early worker that loads nothing before it has a job."""
    worker = EarlyWorker(*spawn(failing.waits_for_setup))
    yield worker
    if worker.process is not None:
        worker.process.kill()


class FakePlan:
    """A preview whose sheet is the spec's seed."""

    inventory = Inventory(CATALOG, make_class_table(CATALOG))
    page = PreviewPage(SheetLayout(), 2, None)

    def __init__(self, spec_file, options, output):
        self.seed, self.output = spec_file.spec.seed, output

    def make(self, progress, workers, make_all, films):
        self.output.write_text(f"blendgen {self.seed}")
        return Image.new("RGB", (1, 1))


@pytest.fixture
def place_of_fakes(tmp_path, monkeypatch):
    """A folder with scene.yaml, of which no image is rendered: the sheet is the spec's seed."""
    none = kept_workers.KeptWorkers(0, print)
    monkeypatch.setattr(preview_watch, "kept_workers", lambda *_: contextlib.nullcontext(none))
    monkeypatch.setattr(preview_watch, "refuse_output", lambda path: None)
    monkeypatch.setattr(preview_watch, "planned_preview", FakePlan)
    (tmp_path / "scene.yaml").write_text(SPEC)
    return tmp_path


def watched(place, **options):
    return blendgen.watch_preview(place / "scene.yaml", place / "sheet.png", images=2, **options)


@pytest.mark.slow
def test_each_change_of_the_spec_makes_the_sheet_again(place):
    updates = watched(place)
    first = next(updates)
    assert first.changed == () and first.sheet is not None
    before = (place / "sheet.png").read_bytes()
    (place / "new.yaml").write_text(SPEC + "seed: 7\n")
    (place / "new.yaml").replace(place / "scene.yaml")  # as editors save
    second = next(updates)
    assert second.changed == (place / "scene.yaml",) and second.error is None
    changed = (place / "sheet.png").read_bytes()
    assert changed != before
    blendgen.preview(place / "scene.yaml", place / "sheet.png", images=2)
    assert (place / "sheet.png").read_bytes() == changed  # as without an earlier sheet


@pytest.mark.slow
def test_a_change_supersedes_the_sheet_before_and_films_of_it_are_used(place, monkeypatch):
    monkeypatch.setattr(generate, "run_tasks", partial(run_tasks, initialize=initialize, steps=SLOWLY))
    notes, (spec, sheet) = [], (place / "scene.yaml", place / "sheet.png")
    updates = blendgen.watch_preview(spec, sheet, images=12, progress=EditsAtTheThirdImage(spec, notes))
    first = next(updates)
    # the sheet of the first spec was never finished, and that of the second has the films that there were
    assert first.changed == (spec,) and first.error is None
    assert notes.count("12 images") == 2 and "scene.yaml changed" in notes
    made = sheet.read_bytes()
    blendgen.preview(spec, sheet, images=12)
    assert sheet.read_bytes() == made


class EditsAtTheThirdImage:
    """A Progress that changes the sensor in a spec, once, at the third image."""

    def __init__(self, spec, notes):
        self.spec, self.notes, self.made, self.edited = spec, notes, 0, False

    def begin(self, total, unit="image"):
        self.notes.append(f"{total} images")

    def advance(self, count):
        self.made += count
        if self.made == 3 and not self.edited:
            self.edited = True
            self.spec.write_text(SPEC.replace("sensor: ideal", "sensor: cctv"))

    def note(self, text):
        self.notes.append(text)


def test_a_spec_that_is_wrong_for_a_while_leaves_the_sheet(place_of_fakes):
    place = place_of_fakes
    updates = watched(place, overrides={"seed": 3})
    next(updates)
    before = (place / "sheet.png").read_bytes()
    for text, error in ((SPEC + "sed: 7\n", SpecError), (None, UsageError)):
        (place / "scene.yaml").unlink() if text is None else (place / "scene.yaml").write_text(text)
        update = next(updates)
        assert isinstance(update.error, error) and update.sheet is None
        assert (place / "sheet.png").read_bytes() == before
    (place / "scene.yaml").write_text(SPEC)
    assert next(updates).error is None


def test_a_model_folder_that_vanishes_and_comes_back(place_of_fakes, monkeypatch):
    folder = place_of_fakes / "models"
    folder.mkdir()
    monkeypatch.setattr(preview_watch, "watched_folders", lambda spec_file: {folder})
    updates = watched(place_of_fakes)
    next(updates)
    (folder / "mug.obj").write_text("v 0 0 0")
    assert next(updates).changed == (folder / "mug.obj",)

    def is_gone(spec_file):
        raise CatalogError("the folder does not exist")

    monkeypatch.setattr(preview_watch, "watched_folders", is_gone)
    (folder / "mug.obj").unlink()
    assert "does not exist" in str(next(updates).error)
    monkeypatch.setattr(preview_watch, "watched_folders", lambda spec_file: {folder})
    (folder / "mug.obj").write_text("v 0 0 0")
    assert next(updates).error is None


def test_a_file_that_changes_during_a_render_is_not_missed(place_of_fakes, monkeypatch):
    place = place_of_fakes
    texts = [SPEC + "seed: 7\n"]

    def edited(*arguments):
        if texts:
            (place / "scene.yaml").write_text(texts.pop())
        return FakePlan(*arguments)

    monkeypatch.setattr(preview_watch, "planned_preview", edited)
    updates = watched(place_of_fakes)
    next(updates)
    assert next(updates).changed == (place / "scene.yaml",)


def test_what_is_wrong_from_the_start_is_an_error(tmp_path):
    (tmp_path / "scene.yaml").write_text(SPEC)
    (tmp_path / "mine.png").write_text("mine")
    with pytest.raises(blendgen.errors.DatasetError, match="not written by blendgen"):
        blendgen.watch_preview(tmp_path / "scene.yaml", tmp_path / "mine.png")
    (tmp_path / "scene.yaml").write_text("blendgen: 1\n")
    with pytest.raises(SpecError):
        watched(tmp_path)


def test_a_snapshot_leaves_out_what_blendgen_writes_itself(tmp_path):
    (tmp_path / "out" / "images").mkdir(parents=True)
    spec, sheet = tmp_path / "scene.yaml", tmp_path / "sheet.png"
    written = [tmp_path / "out/dataset.json", tmp_path / "out/images/1.png", sheet, tmp_path / ".swp"]
    for path in (spec, tmp_path / "a.obj", *written):
        path.write_text("1")
    before = snapshot(spec, {tmp_path}, sheet)
    assert set(before) == {spec, tmp_path / "a.obj"}
    for path in written:
        path.write_text("22")
    assert snapshot(spec, {tmp_path}, sheet) == before
    (tmp_path / "b.mtl").write_text("new")
    (tmp_path / "a.obj").unlink()
    changed = changed_files(before, snapshot(spec, {tmp_path}, sheet))
    assert changed == [tmp_path / "a.obj", tmp_path / "b.mtl"]


def test_files_that_a_model_uses_are_watched_wherever_they_are(tmp_path):
    folder, shared = tmp_path / "models", tmp_path / "shared"
    folder.mkdir(), shared.mkdir()
    (folder / "mug.obj").write_text("v 0 0 0")
    texture = shared / "glaze.png"
    texture.write_text("1")
    entry = tmp_path / "entry"
    entry.mkdir()
    there = {"file ../shared/glaze.png": "sha", "file mug.mtl": "", "file ../shared/gone.png": ""}
    write_states(entry, {**there, "texture glaze.png": "../shared/glaze.png"})
    text = SPEC.replace("catalog: shapes", f"directory: {folder}, allow_outside: true")
    spec_file = blendgen.load_spec(yaml.safe_load(text))
    mug = replace(CATALOG.products[0], name="mug", asset_path=entry / "asset.blend")
    used = used_files(spec_file, Catalog((mug,)))
    assert used == {texture, folder / "mug.mtl", shared / "gone.png"}

    def look():
        return snapshot(tmp_path / "scene.yaml", {folder}, tmp_path / "sheet.png", used)

    before = look()
    texture.write_text("22")
    (shared / "gone.png").write_text("there now")
    assert changed_files(before, look()) == [texture, shared / "gone.png"]


@pytest.mark.parametrize("options", [{"vary": "camera"}, {"ablate": "camera"}])
def test_a_grid_is_not_for_one_image(options):
    with pytest.raises(UsageError, match="a grid shows each class"):
        PreviewOptions(grid=True, **options)


@pytest.mark.slow
def test_a_grid_has_as_many_images_of_each_class(place):
    blendgen.preview(place / "scene.yaml", place / "sheet.png", images=3, grid=True)
    sheet = blendgen.preview(place / "scene.yaml", images=3, grid=True)
    assert sheet.size == (3 * 102 + 6, 2 * (102 + 18 + 18) + 6)


@pytest.mark.slow
def test_the_command_ends_with_ctrl_c_and_leaves_no_process(tmp_path):
    (tmp_path / "scene.yaml").write_text(SPEC)
    log = tmp_path / "log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "blendgen", "preview", "scene.yaml", "-n", "1", "--watch"],
            cwd=tmp_path, stdout=output, stderr=output, start_new_session=True,
        )  # fmt: skip
    try:
        wait_until(lambda: "preview.png:" in log.read_text(), what="the first sheet")
        (tmp_path / "scene.yaml").write_text(SPEC + "seed: 7\n")
        wait_until(lambda: log.read_text().count("preview.png:") == 2, what="the second sheet")
        assert "scene.yaml changed" in log.read_text()
        shown = (tmp_path / "preview.png").read_bytes()
        process.send_signal(signal.SIGINT)
        assert process.wait(240) == 130
        wait_until(lambda: not _session(process.pid), what="the end of the workers")
        blendgen.preview(tmp_path / "scene.yaml", tmp_path / "fresh.png", images=1)
        assert (tmp_path / "fresh.png").read_bytes() == shown
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _session(leader):
    """The processes of a session that have not ended."""
    return [place for place in Path("/proc").glob("[0-9]*") if _is_in_session(place, leader)]


def _is_in_session(place, leader):
    try:
        fields = (place / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return False
    return fields[3] == str(leader) and fields[0] != "Z"
