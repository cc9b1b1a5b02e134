"""Output on a terminal: no control characters from files, any encoding, and readers that have gone."""

import ast
import io
import json
import logging
import subprocess
import sys
from pathlib import Path

import pytest

from blendgen import cli
from blendgen.cli import run
from blendgen.cli.progress import Progress
from blendgen.cli.terminal import echo, echo_json, log_handler, say
from tests.cli.test_cli import SPEC, blendgen

EVIL, SHOWN = "a\x1b[2J\u202eb\x9b\udcff", "a\\x1b[2J\\u202eb\\x9b\\udcff"
MODULES = sorted(Path(cli.__file__).parent.glob("*.py"))


def printed_by(call: ast.Call) -> str | None:
    function = call.func
    if isinstance(function, ast.Name) and function.id == "print":
        return "print"
    prints = isinstance(function, ast.Attribute) and function.attr in ("echo", "secho", "show")
    text = ast.unparse(function)
    return text if prints or text in ("sys.stdout.write", "sys.stderr.write", "tqdm.write") else None


def test_only_one_module_prints():
    calls = {
        (path.name, printed)
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and (printed := printed_by(node))
    }
    # into a buffer, which is printed later
    assert {pair for pair in calls if pair[0] != "terminal.py"} == {("__init__.py", "error.show")}


def test_hidden_characters_are_escaped(capsys):
    echo(EVIL)
    say(EVIL)
    with Progress() as progress:
        progress.note(EVIL)
    record = logging.LogRecord("blendgen", logging.WARNING, "", 1, "%s", (EVIL,), None)
    log_handler().handle(record)
    shown = capsys.readouterr()
    assert shown.out == f"{SHOWN}\n" and shown.err == f"{SHOWN}\n" * 3


class Screen(io.StringIO):
    """A terminal that shows what is on it: a carriage return starts to overwrite the line."""

    def isatty(self):
        return True

    def lines(self):
        return [line.rpartition("\r")[2].rstrip() for line in self.getvalue().split("\n")]


def test_no_line_breaks_into_a_bar(monkeypatch):
    screen, logger = Screen(), logging.Logger("blendgen")
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setattr("sys.stdout", screen)
    monkeypatch.setenv("NO_COLOR", "1")
    logger.addHandler(log_handler())
    with Progress() as progress:
        progress.begin(4)
        progress.advance(1)
        logger.warning("a warning")
        progress.note("a note")
        echo("a result")
        progress.advance(3)
    *lines, bar, end = screen.lines()
    assert lines == ["a warning", "a note", "a result"] and bar.startswith("100%") and end == ""


def test_line_breaks_and_tabs_stay(capsys):
    echo("one\n\ttwo")
    assert capsys.readouterr().out == "one\n\ttwo\n"


def test_json_stays_valid(capsys):
    echo_json({"name": EVIL + "\x7f"})
    text = capsys.readouterr().out
    assert json.loads(text) == {"name": EVIL + "\x7f"} and text.rstrip("\n").isprintable()


@pytest.mark.parametrize("arguments", [["check", "\x1b[2J"], ["\x1b[2J"], ["check", "x", "--set", "\x1b[2J"]])
def test_a_wrong_command_line_is_escaped(arguments, capsys):
    assert run(arguments) == 2
    messages = capsys.readouterr().err
    assert "\x1b" not in messages and "x1b[2J" in messages


@pytest.mark.parametrize("environment", [{"LC_ALL": "C"}, {"PYTHONIOENCODING": "ascii"}])
def test_characters_missing_in_an_encoding_do_not_cause_a_traceback(tmp_path, environment):
    spec = tmp_path / "scene.yaml"
    spec.write_text(SPEC.replace("test", "箱子") + "瓶: 1\n", "utf-8")
    result = blendgen("check", "-h", spec, **environment)
    assert result.returncode == 0
    result = blendgen("check", spec, **environment)
    assert result.returncode == 3
    assert "Traceback" not in result.stderr and "unknown key" in result.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
def test_a_result_that_cannot_be_written_is_reported():
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "blendgen", "schema"]
        result = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert (result.returncode, result.stderr) == (1, "blendgen: No space left on device\n")


def test_a_closed_pipe_does_not_cause_a_traceback():
    command = f"{sys.executable} -m blendgen schema | true; echo ${{PIPESTATUS[0]}}"
    result = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    assert (result.stdout, result.stderr) == ("1\n", "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
def test_a_closed_stderr_does_not_change_the_exit_code(tmp_path):
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "blendgen", "check", str(tmp_path / "none.yaml")]
        assert subprocess.run(command, stderr=full).returncode == 2


@pytest.mark.skipif(sys.platform == "win32", reason="only here can standard streams be closed")
def test_child_processes_have_streams_even_if_ours_are_closed():
    child = "import sys; sys.exit(None in (sys.stdin, sys.stdout, sys.stderr))"
    code = (
        "import subprocess, sys\nfrom blendgen.cli.terminal import open_streams\nopen_streams()\n"
        f"sys.exit(subprocess.run([sys.executable, '-c', {child!r}]).returncode)"
    )
    command = ["bash", "-c", 'exec "$0" -c "$1" <&- >&- 2>&-', sys.executable, code]
    assert subprocess.run(command).returncode == 0


def test_an_internal_error_is_printed_without_control_characters():
    code = f"from blendgen.cli.terminal import open_streams\nopen_streams()\nraise RuntimeError({EVIL!r})"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.returncode == 1 and result.stderr.endswith(f"RuntimeError: {SHOWN}\n")


def test_a_record_is_printed_as_its_message_alone():
    code = (
        "import logging, blendgen.cli.terminal as t\n"
        "logging.basicConfig(handlers=[t.log_handler()])\n"
        "logging.getLogger('blendgen.models').warning('a.obj: %s', 'no texture')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=240)
    assert (done.stdout, done.stderr) == ("", "a.obj: no texture\n")
