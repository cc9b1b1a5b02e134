"""Progress as lines for logs, as lines of Open Job Description, or not at all; its options."""

import re
import time

import click
import pytest

from blendgen.cli import run
from blendgen.cli.options import Duration
from blendgen.cli.progress import Progress
from blendgen.system.pace import Pace, duration_text, rate_text
from tests.cli.test_terminal import Screen

EVERY_S = 0.05


@pytest.fixture(autouse=True)
def outside_of_openjd(monkeypatch):
    monkeypatch.delenv("OPENJD_SESSION_WORKING_DIR", raising=False)


def worked(style: str, enough=lambda: True, **options) -> None:
    """A job of which half is finished; it ends when `enough` is printed."""
    with Progress(style, EVERY_S, **options) as progress:
        progress.begin(8)
        progress.advance(4)
        end_s = time.monotonic() + 60
        while not enough() and time.monotonic() < end_s:
            time.sleep(EVERY_S)


class Printed:
    """What a command has printed so far; a call says whether stderr has `lines` lines."""

    def __init__(self, capsys, lines: int):
        self._capsys, self._lines, self.out, self.err = capsys, lines, "", ""

    def __call__(self) -> bool:
        out, err = self._capsys.readouterr()
        self.out, self.err = self.out + out, self.err + err
        return self.err.count("\n") >= self._lines


def test_lines_come_while_nothing_is_finished_and_have_no_carriage_returns(capsys):
    printed = Printed(capsys, 2)
    worked("lines", printed)
    assert printed.out == "" and "\r" not in printed.err
    lines = printed.err.splitlines()
    assert len(lines) >= 2 and all(
        re.fullmatch(r"4/8 images, \S+ images/\w+, \d+ s left", line) for line in lines
    )


def test_a_job_that_ends_before_the_first_line_is_due_prints_none(capsys):
    with Progress("lines", 60.0) as progress:
        progress.begin(2)
        progress.advance(2)
    assert capsys.readouterr().err == ""


def test_nothing_is_printed_on_request(capsys):
    ends_s = time.monotonic() + 3 * EVERY_S
    worked("none", lambda: time.monotonic() > ends_s)
    assert capsys.readouterr() == ("", "")


def test_lines_of_open_job_description_go_to_stdout_at_once_and_at_the_end(capsys):
    with Progress("openjd", 60.0) as progress:
        progress.begin(3)
        progress.advance(4)
    out, err = capsys.readouterr()
    assert err == ""
    progress_lines = [line for line in out.splitlines() if line.startswith("openjd_progress: ")]
    assert progress_lines == ["openjd_progress: 0.0", "openjd_progress: 100.0"]
    assert out.count("openjd_status: ") == 2


def test_a_session_of_open_job_description_gets_its_lines_unless_stdout_is_a_result(capsys, monkeypatch):
    monkeypatch.setenv("OPENJD_SESSION_WORKING_DIR", "/sessions/1")
    worked("auto")
    assert "openjd_progress: 50.0\n" in capsys.readouterr().out
    printed = Printed(capsys, 1)
    worked("auto", printed, own_stdout=True)
    assert printed.out == "" and "4/8 images" in printed.err


@pytest.mark.parametrize(("term", "is_bar"), [("xterm", True), ("dumb", False)])
def test_a_terminal_that_cannot_move_its_cursor_gets_lines(monkeypatch, term, is_bar):
    screen = Screen()
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setenv("TERM", term)
    worked("auto", screen.getvalue)
    assert ("\r" in screen.getvalue()) == is_bar


def test_a_bar_can_be_asked_for_where_there_is_not_a_terminal(capsys):
    worked("bar")
    assert "4/8" in capsys.readouterr().err


@pytest.mark.parametrize("command", [["verify"], ["generate", "x", "-o"], ["export", "x", "coco"]])
def test_json_and_lines_on_stdout_exclude_each_other(tmp_path, command, capsys):
    assert run([*command, str(tmp_path), "--json", "--progress", "openjd"]) == 2
    out, err = capsys.readouterr()
    assert out == "" and "--progress openjd: prints to stdout" in err


@pytest.mark.parametrize(
    ("text", "seconds"), [("30", 30), ("30s", 30), ("1.5m", 90), ("2H", 7200), ("1 s", 1)]
)
def test_a_duration_is_read(text, seconds):
    assert Duration().convert(text, None, None) == seconds


@pytest.mark.parametrize("text", ["", "0", "0.5s", "-3s", "3d", "1e9", "nan", "s", "٣s"])
def test_a_wrong_duration_is_refused(text):
    with pytest.raises(click.BadParameter, match="expected a duration of at least 1s"):
        Duration().convert(text, None, None)


class Clock:
    def __init__(self):
        self.now_s = 100.0

    def __call__(self):
        return self.now_s


def paced(*steps: tuple[float, int]) -> Pace:
    """A pace after steps of (seconds to wait, units that are finished then)."""
    clock = Clock()
    pace = Pace(clock)
    for wait_s, count in steps:
        clock.now_s += wait_s
        if count:
            pace.add(count)
    return pace


def test_a_pace_does_not_count_the_start_up():
    assert paced().per_s() is None and paced((30, 0)).left_s(5) is None
    assert paced((60, 1)).per_s() == pytest.approx(1 / 60)
    assert paced((60, 1), *[(2, 1)] * 10).per_s() == pytest.approx(0.5)


def test_a_pace_is_that_of_the_last_minutes_and_falls_while_nothing_is_finished():
    changed = [(1, 1)] * 600 + [(10, 1)] * 60
    assert paced(*changed).per_s() == pytest.approx(0.1, rel=0.1)
    assert paced(*changed, (600, 0)).per_s() < 0.05


def test_the_pace_of_slow_units_is_measured_over_many_of_them():
    pace = paced(*[(600, 1)] * 50)
    assert pace.per_s() == pytest.approx(1 / 600) and pace.left_s(3) == pytest.approx(1800)


def test_numbers_in_words():
    assert [rate_text(rate, "image") for rate in (2.0, 0.5, 0.001)] == [
        "2.0 images/s",
        "30.0 images/min",
        "3.6 images/h",
    ]
    assert [duration_text(s) for s in (45.4, 600, 11100, 187200)] == [
        "45 s",
        "10 min",
        "3 h 5 min",
        "2 d 4 h",
    ]
