"""A terminal is never silent for long: a command that works shows that, whatever it is doing."""

from __future__ import annotations

import time
from unittest.mock import patch

import pytest

from blendgen import api
from blendgen.cli import progress, run
from blendgen.errors import UsageError
from tests.cli.test_examples import COMMANDS
from tests.cli.test_terminal import Screen

BEAT_S = 0.02
# what each command spends its time in
WORK = {
    "generate s.yaml -o out --index 0": "generate",
    "merge -o out": "merge",
    "status out": "status",
    "farm slurm s.yaml -o out --shards 2": "slurm_script",
    "farm openjd s.yaml -o out --shards 2": "openjd_bundle",
    "farm kubernetes s.yaml -o out --shards 2 --image i": "kubernetes_manifest",
    "export out coco dest": "export",
    "report out": "report",
    "match photos -o s.yaml": "match",
    "compare photos out": "compare",
    "subset out -o dest": "subset",
    "mix out photos -o dest": "mix",
    "train out --head-only -o run": "train",
    "evaluate run photos": "evaluate",
    "probe run s.yaml": "probe",
    "classify run photos": "classify",
    "detect run photos": "detect",
    "quantize run": "quantize",
    "select run s.yaml -n 2 -o chosen.txt": "select",
    "tune s.yaml --photos photos -o new.yaml": "tune",
    "refine out --photos photos -o refined": "refine",
    "verify out": "verify",
    "diff a b": "diff",
    "preview s.yaml": "preview",
    "check s.yaml": "check",
    "smoke s.yaml": "smoke",
    "init new --yes": "create_spec",
    "models .": "inspect_models",
    "models . --init": "create_sidecar",
    "sample s.yaml": "sample",
    "doctor": "blendgen.workers.self_test.self_test",
}
# nothing that takes long
QUICK = {"blendgen", "blendgen farm", "blendgen schema", "blendgen completion"}


@pytest.fixture
def screen(monkeypatch):
    monkeypatch.setattr(progress, "BEAT_S", BEAT_S)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("OPENJD_SESSION_WORKING_DIR", raising=False)
    return Screen()


def wait_for_changes(screen: Screen, changes: int = 3) -> bool:
    """Whether a terminal changes so often while nothing happens."""
    end_s = time.monotonic() + 20
    while changes and time.monotonic() < end_s:
        before = screen.getvalue()
        while screen.getvalue() == before and time.monotonic() < end_s:
            time.sleep(BEAT_S / 4)
        changes -= 1
    return not changes


@pytest.mark.parametrize("line", WORK)
def test_a_command_that_works_shows_it(screen, tmp_path, monkeypatch, line):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.stderr", screen)
    changed = []

    def work(*_, **__):
        changed.append(wait_for_changes(screen))
        raise UsageError("done")

    place = WORK[line] if "." in WORK[line] else f"{api.__name__}.{WORK[line]}"
    with patch(place, work):
        run(line.split())
    assert changed == [True]
    assert "working 00:0" in screen.getvalue()
    assert not any("working" in shown for shown in screen.lines())  # it leaves nothing behind


def test_every_command_is_here():
    tested = {" ".join(["blendgen", *line.split()]) for line in WORK}
    missing = {title for title in COMMANDS if not any(line.startswith(title) for line in tested)}
    assert missing == QUICK - {"blendgen", "blendgen farm"}


def test_a_bar_goes_on_while_no_image_is_finished(screen, monkeypatch):
    monkeypatch.setattr("sys.stderr", screen)
    with progress.Progress() as shown:
        shown.begin(4)
        assert wait_for_changes(screen)
        shown.begin(0)  # nothing to make, and then the contact sheet
        assert wait_for_changes(screen)
    assert "working" in screen.getvalue()


def test_a_beat_comes_before_the_longest_silence():
    assert progress.BEAT_S <= 1.0  # of 2 s


@pytest.mark.parametrize("style", ["lines", "none"])
def test_a_log_gets_no_beats(screen, monkeypatch, style):
    monkeypatch.setattr("sys.stderr", screen)
    with progress.Progress(style):
        time.sleep(4 * BEAT_S)
    assert screen.getvalue() == ""
