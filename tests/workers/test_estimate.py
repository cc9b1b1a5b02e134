"""The estimate of a run: said once, as soon as it is known, and only where it helps."""

import shutil
from types import SimpleNamespace

import pytest

from blendgen.workers.estimate import Estimate, Left, size_text
from blendgen.workers.events import Events
from blendgen.workers.monitor import Monitor
from tests.workers.test_events import IMAGES, SPEC, run_here  # noqa: F401

LOAD_S, SHOT_S, IMAGE_BYTES, ROW_BYTES = 20.0, 4.0, 400_000, 20_000


class Notes(list):
    """A Progress that keeps its remarks."""

    note = list.append

    def begin(self, total, unit="image"): ...
    def advance(self, count): ...


def run_of(tmp_path, missing, shots, failed=()):
    """What a run with one worker says: notes after each shot, and all of them after its end."""
    now, notes, after = [0.0], Notes(), []
    known: list[Left] = []
    estimate = Estimate(tmp_path, missing, 7, notes, clock=lambda: now[0], known=known.append)
    now[0] += LOAD_S
    file = SimpleNamespace(size_bytes=IMAGE_BYTES)
    for shot in range(shots):
        now[0] += SHOT_S
        rows = [] if shot in failed else [SimpleNamespace(files={"image": file})]
        estimate.recorded(rows, shot in failed, 7 + (shot + 1) * ROW_BYTES, SHOT_S)
        after.append(len(notes))
    assert [str(one) for one in known if one.is_worth_telling] == notes
    notes.append(str(estimate.spent()))
    return after, notes


def test_the_estimate_comes_once_and_leaves_out_the_time_in_which_blender_loads(tmp_path):
    after, notes = run_of(tmp_path, 10_000, 6)
    assert after == [0, 0, 1, 1, 1, 1]
    assert notes == [
        "about 11 h 6 min, 4.2 GB for the missing 9,997 images",
        "made 6 images in 44 s (8.2 images/min), 2.5 MB; 0 failed",
    ]


def test_a_short_run_states_only_what_it_made(tmp_path):
    _, notes = run_of(tmp_path, 6, 6, failed={1})
    assert notes == ["made 5 images in 44 s (6.8 images/min), 2.1 MB; 1 failed"]


def test_other_programs_get_the_estimate_as_an_event(tmp_path):
    events = []
    Monitor(Events(events.append)).estimated(Left(9997, 39988.04, 4_198_740_000))
    (event,) = events
    assert event["event"] == "run_estimated" and [*event.values()][-3:] == [9997, 39988.0, 4_198_740_000]


@pytest.mark.parametrize(("free", "warns"), [(10**9, True), (10**10, False)])
def test_a_disk_that_may_be_too_small_is_a_warning_with_numbers(tmp_path, monkeypatch, caplog, free, warns):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
    run_of(tmp_path, 10_000, 6)
    texts = [record.getMessage() for record in caplog.records]
    assert len(texts) == warns
    assert all("1.0 GB free" in text and "9,997 images need about 4.2 GB" in text for text in texts)


def test_a_run_states_how_much_it_made(run_here, tmp_path, monkeypatch):  # noqa: F811
    folder = tmp_path / "out"
    text = str(run_here(folder, SPEC, monitor=Monitor()).spent)
    assert text.startswith(f"made {IMAGES - 1} images in ") and text.endswith("; 1 failed")
    files = [*folder.glob("images/**/*.png"), *folder.glob("masks/**/*.png"), folder / "manifest.jsonl"]
    assert f"), {size_text(sum(file.stat().st_size for file in files))};" in text


@pytest.mark.parametrize(
    ("size", "text"), [(999, "999 B"), (999_960, "1.0 MB"), (4_200_000_000, "4.2 GB"), (10**15, "1000.0 TB")]
)
def test_sizes_are_in_words(size, text):
    assert size_text(size) == text
