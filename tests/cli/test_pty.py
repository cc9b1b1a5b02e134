"""The progress bar on a real terminal, which becomes wider in mid-run."""

import os
import re
import subprocess
import sys
import time

import pytest

termios = pytest.importorskip("termios")
# a line from the terminal is the sign to go on
PROGRAM = """\
import sys
from blendgen.cli.progress import Progress
from blendgen.cli.terminal import say_error
with Progress() as progress:
    progress.begin(4000)
    progress.advance(40)
    sys.stdin.readline()
    progress.note("a note of more than forty characters, which is longer than a line")
    progress.advance(4)
    sys.stdin.readline()
say_error("blendgen: it failed")
"""


class Terminal:
    """A program on a terminal of so many columns."""

    def __init__(self, columns: int, **environment: str):
        self.master, slave = os.openpty()
        self.resize(columns)
        env = os.environ | {"TERM": "xterm"} | environment
        env.pop("FORCE_COLOR", None)
        ends = dict.fromkeys(("stdin", "stdout", "stderr"), slave)
        self.process = subprocess.Popen([sys.executable, "-c", PROGRAM], env=env, **ends)
        os.close(slave)

    def resize(self, columns: int) -> None:
        termios.tcsetwinsize(self.master, (24, columns))

    def shown_until(self, text: str) -> str:
        """What the program prints, up to a text."""
        shown, end_s = "", time.monotonic() + 60
        while text not in shown and time.monotonic() < end_s:
            shown += os.read(self.master, 4096).decode()
        return shown

    def press_enter(self) -> None:
        os.write(self.master, b"\n")


def bar_widths(shown: str) -> list[int]:
    return [len(line) for line in re.split(r"[\r\n]", shown) if "%|" in line]


def test_a_bar_fits_a_terminal_that_changes_its_width():
    terminal = Terminal(40, NO_COLOR="1")
    before = terminal.shown_until("40/4000")
    terminal.resize(100)
    terminal.press_enter()
    after = terminal.shown_until("44/4000")
    terminal.press_enter()
    rest = terminal.shown_until("it failed")
    assert terminal.process.wait(240) == 0
    os.close(terminal.master)
    assert max(bar_widths(before)) <= 40 < max(bar_widths(after)) <= 100
    assert "a note of more than forty characters" in after and "\x1b[1;31m" not in rest
