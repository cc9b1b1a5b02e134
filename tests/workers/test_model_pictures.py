"""Pictures of inspected models on one sheet."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from PIL import Image

import blendgen
from blendgen.errors import DatasetError, Interrupted, UsageError
from blendgen.models.inspection import Inspected, Inspection
from blendgen.models.product import Refusal
from blendgen.models.source import Source
from blendgen.reports.model_sheet import sheet_size
from blendgen.system.progress import Counter
from blendgen.workers import generate, model_pictures
from blendgen.workers.generate import Run
from blendgen.workers.model_pictures import ModelSheet
from blendgen.workers.pool import run_tasks
from tests.workers.flat_run import CATALOG, initialize

_EMPTY = (226, 226, 226)


COUNTED = Counter(lambda finished, total: None)


def inspection(*warnings, refusals=(), copies=1, equal=False):
    """equal: all copies have the content of the first"""
    source = Source("box", "", "shape", {}, "box")
    contents = [str(0 if equal else number) for number in range(copies)]
    products = [replace(one, content_hash=one.name + text) for text in contents for one in CATALOG.products]
    models = [Inspected(source, product, None, (), warnings) for product in products]
    return Inspection(tuple(models), refusals, ())


@pytest.fixture
def flat(tmp_path, monkeypatch):
    monkeypatch.setenv("BLENDGEN_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(generate, "run_tasks", partial(run_tasks, initialize=initialize))


def is_empty(page, number, count):
    columns, side = sheet_size(count)
    x = 8 + number % columns * (side + 8)
    return page.getpixel((x + side - 1, 8 + side - 1)) == _EMPTY


@pytest.mark.slow
def test_a_sheet_has_all_models_and_says_which_cannot_be_used(tmp_path, flat):
    refusal = Refusal("models/broken.stl", "contains no faces")
    sheet = ModelSheet(inspection("wrong unit?", refusals=(refusal,)), tmp_path / "models.png", parts=True)
    page = sheet.make(COUNTED)
    assert [is_empty(page, number, 3) for number in range(2)] == [False, False]
    with Image.open(tmp_path / "models.png") as written:
        assert np.array_equal(np.asarray(written), np.asarray(page))


@pytest.mark.slow
def test_a_picture_is_rendered_once_for_equal_models_and_for_later_sheets(tmp_path, flat, monkeypatch):
    totals = []
    first = ModelSheet(inspection(copies=3, equal=True)).make(Counter(lambda _, total: totals.append(total)))
    assert set(totals) == {2}
    monkeypatch.setattr(Run, "make_all", None)
    again = ModelSheet(inspection("a warning", copies=3, equal=True)).make(COUNTED)
    side = sheet_size(6)[1]
    for x in (8, 8 + 2 * (side + 8)):
        box = (x, 8, x + side, 8 + side)
        assert first.crop(box).tobytes() == again.crop(box).tobytes()


@pytest.mark.slow
def test_a_stopped_sheet_has_the_models_that_are_finished(tmp_path, flat):
    def stop(finished, total):
        if finished == 2:
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)

    sheet = ModelSheet(inspection(copies=20), tmp_path / "models.png")
    with pytest.raises(Interrupted, match="has what is finished"):
        sheet.make(Counter(stop))
    assert (tmp_path / "models.png").exists()


def test_without_a_usable_model_the_sheet_names_those_that_are_not(tmp_path):
    broken = Inspection((), (Refusal("a.stl", "contains no faces"),), ())
    assert is_empty(blendgen.models_sheet(broken, tmp_path / "a.png"), 0, 1)


def test_a_file_of_the_user_is_never_replaced(tmp_path):
    (tmp_path / "mine.png").write_text("mine")
    with pytest.raises(DatasetError, match="not written by blendgen"):
        ModelSheet(inspection(), tmp_path / "mine.png")
    with pytest.raises(UsageError, match="ends in"):
        ModelSheet(inspection(), tmp_path / "models.pdf")


def test_a_sheet_that_is_too_high_for_its_format_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setitem(model_pictures._MOST_PX, ".webp", 100)
    broken = Inspection((), (Refusal("a.stl", "contains no faces"),), ())
    with pytest.raises(UsageError, match=r"write a \.png"):
        blendgen.models_sheet(broken, tmp_path / "a.webp")
