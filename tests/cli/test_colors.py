"""Colours of errors and warnings, and --quiet."""

from __future__ import annotations

import logging
import sys
from types import SimpleNamespace

import pytest

from blendgen import api
from blendgen.cli import run
from blendgen.cli.terminal import be_quiet, has_colors, is_quiet, log_handler, say, say_error, say_warning
from blendgen.errors import ExitCode, UsageError
from tests.cli.test_terminal import EVIL, SHOWN, Screen

RED, YELLOW, PLAIN = "\x1b[1;31m", "\x1b[33m", "\x1b[0m"


@pytest.fixture
def screen(monkeypatch):
    """A terminal as stderr, in an environment that says nothing of colours."""
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    return Screen()


@pytest.fixture(autouse=True)
def loud_afterwards():
    yield
    be_quiet(False)


@pytest.mark.parametrize(
    ("environment", "on_terminal", "in_pipe"),
    [
        ({}, True, False),
        ({"NO_COLOR": "1"}, False, False),
        ({"NO_COLOR": ""}, True, False),
        ({"TERM": "dumb"}, False, False),
        ({"FORCE_COLOR": "1", "TERM": "dumb"}, True, True),
        ({"FORCE_COLOR": "0"}, False, False),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False, False),
    ],
)
def test_colours_are_for_terminals_and_those_who_ask(screen, capsys, monkeypatch, environment, on_terminal,
                                                     in_pipe):  # fmt: skip
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert has_colors(screen) == on_terminal
    assert has_colors(sys.stdout) == in_pipe


def test_an_error_is_red_up_to_its_colon_and_a_warning_yellow(screen, monkeypatch):
    monkeypatch.setattr("sys.stderr", screen)
    say_error("blendgen: s.yaml: is a folder")
    say_warning("note: no texture")
    say("a note")
    assert screen.getvalue() == (
        f"{RED}blendgen:{PLAIN} s.yaml: is a folder\n{YELLOW}note: no texture{PLAIN}\na note\n"
    )


def test_the_usage_before_an_error_is_plain(screen, monkeypatch):
    monkeypatch.setattr("sys.stderr", screen)
    assert run(["check"]) == 2
    usage, error = screen.getvalue().split("\n\n")
    assert usage.startswith("Usage: blendgen check") and error.startswith(f"{RED}Error:{PLAIN} Missing arg")


def test_hidden_characters_stay_escaped_in_colour(screen, monkeypatch):
    monkeypatch.setattr("sys.stderr", screen)
    say_error(f"{EVIL}: {EVIL}")
    assert screen.getvalue() == f"{RED}{SHOWN}:{PLAIN} {SHOWN}\n"


def test_a_record_has_the_colour_of_its_level(screen, monkeypatch):
    monkeypatch.setattr("sys.stderr", screen)
    for level in (logging.INFO, logging.WARNING, logging.ERROR):
        log_handler().handle(logging.LogRecord("blendgen", level, "", 1, "a: b", (), None))
    assert screen.getvalue() == f"a: b\n{YELLOW}a: b{PLAIN}\n{RED}a:{PLAIN} b\n"


def checked(*_, **__):
    """A check that warns and reports progress, and fails at the end."""
    logging.getLogger("blendgen.models").warning("a warning")
    logging.getLogger("blendgen.models").warning("note: a note")
    say("a line for the user")
    raise UsageError("no")


@pytest.mark.parametrize("arguments", [["-q", "check", "s.yaml"], ["check", "s.yaml", "--quiet"]])
def test_quiet_prints_warnings_and_errors_alone_wherever_it_stands(capsys, monkeypatch, arguments):
    monkeypatch.setattr(api, "check", checked)
    monkeypatch.setattr(logging.getLogger("blendgen"), "handlers", [log_handler()])
    assert run(arguments) == ExitCode.USAGE
    assert capsys.readouterr() == ("", "a warning\nblendgen: no\n")
    assert run(["check", "s.yaml"]) == ExitCode.USAGE
    printed = capsys.readouterr().err
    assert "a line for the user" in printed and "note: a note" in printed


def test_quiet_prints_what_renders_are_worth(capsys, monkeypatch):
    trained = SimpleNamespace(folder="run", record={"notes": ["renders do not help here"]})
    monkeypatch.setattr(api, "train", lambda *_, **__: trained)
    assert run(["train", "out", "-o", "run", "--head-only", "-q"]) == 0
    assert capsys.readouterr() == ("run\n", "note: renders do not help here\n")


def test_quiet_prints_results(capsys):
    assert run(["schema", "-q"]) == 0
    assert capsys.readouterr().out.startswith("{")


@pytest.mark.parametrize("option", ["-q", "-v"])
def test_what_is_quiet_or_verbose_is_one_command_line(option):
    logger = logging.getLogger("blendgen")
    before = logger.level
    assert run(["schema", option]) == 0
    assert logger.level == before and not is_quiet()


@pytest.mark.parametrize(
    "arguments", [["-v", "check", "s.yaml"], ["check", "s.yaml", "-v"], ["check", "s.yaml", "-qv"]]
)
def test_verbose_shows_tracebacks_wherever_it_stands(capsys, monkeypatch, arguments):
    monkeypatch.setattr(api, "check", checked)
    monkeypatch.setattr(logging.getLogger("blendgen"), "handlers", [log_handler()])
    assert run(arguments) == ExitCode.USAGE
    assert "Traceback (most recent call last)" in capsys.readouterr().err
