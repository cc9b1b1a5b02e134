"""A preview that is stopped or fails half-way leaves a sheet of the images that it has."""

from __future__ import annotations

import os
import signal
from functools import partial

import pytest
from PIL import Image

from blendgen.api import load_spec
from blendgen.errors import Interrupted, SetupError
from blendgen.models.inventory import Inventory
from blendgen.spec.load import check_spec
from blendgen.spec.yaml_source import Document
from blendgen.system.progress import Counter
from blendgen.workers import generate, preview, preview_page
from blendgen.workers.early_worker import EarlyWorker
from blendgen.workers.pool import run_tasks
from blendgen.workers.preview import PreviewOptions, make_preview
from tests.conftest import make_class_table
from tests.workers.flat_run import CATALOG, initialize, initialize_failing

VALUES = {
    "blendgen": 1,
    "name": "test",
    "products": [{"catalog": "shapes"}],
    "resolution": [32, 32],
    "render": "smoke",
    "sensor": "ideal",
}
ONE_ROW_PX = 96 + 18 + 2 * 6  # a cell, its caption, and the gaps


@pytest.fixture
def sheet(tmp_path, monkeypatch):
    """(number of images, progress, initialize) -> writes tmp_path/sheet.png with the flat engine."""
    monkeypatch.setenv("BLENDGEN_CACHE_DIR", str(tmp_path))
    inventory = Inventory(CATALOG, make_class_table(CATALOG))
    monkeypatch.setattr(preview, "measured_inventory", lambda *_: inventory)

    def make(images, progress=lambda finished, total: None, initialize=initialize):
        monkeypatch.setattr(generate, "run_tasks", partial(run_tasks, initialize=initialize))
        spec_file, options = check_spec(Document("test.yaml", VALUES, {}), tmp_path), PreviewOptions(images)
        return make_preview(spec_file, options, tmp_path / "sheet.png", Counter(progress), EarlyWorker())

    return make


def test_a_stopped_preview_leaves_the_images_that_are_finished(sheet, tmp_path):
    def stop(finished, total):
        if finished == 2:
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(Interrupted, match=r"^stopped; .*sheet.png shows [2-5] of 400 images$") as raised:
        sheet(400, stop)
    assert raised.value.exit_code == 143
    with Image.open(tmp_path / "sheet.png") as page:
        assert page.height == ONE_ROW_PX


@pytest.mark.slow
def test_a_preview_that_fails_half_way_leaves_its_images_and_raises_the_failure(sheet, tmp_path, caplog):
    def fail(finished, total):
        if finished == 3:
            raise SetupError("the driver is gone")

    with pytest.raises(SetupError, match="the driver is gone"):
        sheet(400, fail)
    assert f"note: not finished; {tmp_path / 'sheet.png'} shows 3 of 400 images" in caplog.messages
    with Image.open(tmp_path / "sheet.png") as page:
        assert page.height == ONE_ROW_PX


@pytest.mark.parametrize(
    ("error", "messages"),
    [
        (SetupError("the driver is gone"), ("the driver is gone", "note: not finished; {}")),
        (Interrupted(signal.SIGTERM, ""), ("stopped; {}",)),
    ],
)
def test_a_sheet_that_cannot_be_written_does_not_hide_why_the_run_ended(
    sheet, monkeypatch, caplog, error, messages
):
    def ends(run):
        raise error

    def no_space(*_):
        raise OSError("no space")

    monkeypatch.setattr(preview.Run, "make_all", ends)
    monkeypatch.setattr(preview_page, "read_record", lambda layout: {"images": 2})
    monkeypatch.setattr(preview_page, "dataset_cells", no_space)
    with pytest.raises(type(error)) as raised:
        sheet(4)
    expected = [message.format("the sheet could not be written: no space") for message in messages]
    assert [str(raised.value), *caplog.messages] == expected


def test_without_a_finished_image_there_is_no_sheet(sheet, tmp_path):
    def stop(finished, total):
        os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(Interrupted, match=r"^stopped; no sheet was made$") as raised:
        sheet(4, stop)
    assert raised.value.exit_code == 130 and not (tmp_path / "sheet.png").exists()


@pytest.mark.slow
def test_a_preview_with_images_that_cannot_be_made_counts_them(sheet, tmp_path, caplog):
    sheet(4, initialize=initialize_failing)
    assert "note: the sheet shows 2 of 4 images; the others cannot be made" in caplog.messages
    assert (tmp_path / "sheet.png").exists()


@pytest.mark.parametrize(
    ("render", "samples"),
    [
        ({}, 2),
        ({"samples_per_pixel": 1}, 1),
        ({"denoise": False}, 8),
        ({"engine": "eevee"}, 8),
    ],
)
def test_a_first_look_has_few_samples_where_the_denoiser_removes_their_noise(render, samples):
    spec = load_spec({**VALUES, "resolution": [640, 320], "render": {"preset": "final", **render}}).spec
    quick = preview._quick(spec)
    assert quick.render.samples_per_pixel == samples
    assert quick.resolution == (160, 80)
