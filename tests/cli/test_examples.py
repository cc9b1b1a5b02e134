"""The examples in the help of each command: two at least, and the real parser takes them."""

from __future__ import annotations

import shlex
from itertools import takewhile

import click
import pytest

from blendgen.cli import group
from tests.docs_pages import all_commands

COMMANDS = dict(all_commands())
SETTINGS = {"help_option_names": ["-h", "--help"]}  # click keeps the first that it is asked for


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """What the examples name."""
    monkeypatch.chdir(tmp_path)
    for name in ("models", "out", "older", "photos"):
        (tmp_path / name).mkdir()
    for name in ("scene.yaml", "models/mug.obj", "belt.jpg"):
        (tmp_path / name).touch()


def taker(words: list[str]) -> click.Command:
    """The command that takes a command line; raises ClickException."""
    command: click.Command = group
    while isinstance(command, click.Group):
        command, words = command.get_command(click.Context(command, **SETTINGS), words[0]), words[1:]
    command.make_context(command.name, words, **SETTINGS)
    return command


@pytest.mark.parametrize("title", COMMANDS)
def test_a_help_has_two_examples_that_the_command_takes(title, folder):
    command = COMMANDS[title]
    lines = list(command.examples.values())
    assert len(set(lines)) >= 2
    for line in lines:
        assert line.startswith(f"{title} ") or line == title
        words = list(takewhile(lambda word: word not in (">", ">>", "|"), shlex.split(line)))
        assert isinstance(command, click.Group) or taker(words[1:]) is command
        assert f"\n  {line}" in command.get_help(click.Context(command, **SETTINGS))
        assert len(line) <= 98
