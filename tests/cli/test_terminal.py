"""What reaches a terminal: no control characters of strangers, in any encoding, no end by a deaf reader."""

import ast
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


def test_one_module_alone_prints():
    found = {
        (path.name, printed)
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and (printed := printed_by(node))
    }
    # into a buffer, which is then said; tqdm knows its own bar
    assert {pair for pair in found if pair[0] != "terminal.py"} == {
        ("__init__.py", "error.show"),
        ("progress.py", "tqdm.write"),
    }


def test_hidden_characters_are_shown(capsys):
    echo(EVIL)
    say(EVIL)
    with Progress() as progress:
        progress.note(EVIL)
    record = logging.LogRecord("blendgen", logging.WARNING, "", 1, "%s", (EVIL,), None)
    log_handler().handle(record)
    shown = capsys.readouterr()
    assert shown.out == f"{SHOWN}\n" and shown.err == f"{SHOWN}\n" * 3


def test_lines_and_tabs_stay(capsys):
    echo("one\n\ttwo")
    assert capsys.readouterr().out == "one\n\ttwo\n"


def test_json_stays_json(capsys):
    echo_json({"name": EVIL + "\x7f"})
    text = capsys.readouterr().out
    assert json.loads(text) == {"name": EVIL + "\x7f"} and text.rstrip("\n").isprintable()


@pytest.mark.parametrize("arguments", [["check", "\x1b[2J"], ["\x1b[2J"], ["check", "x", "--set", "\x1b[2J"]])
def test_what_is_wrong_with_a_command_line_is_shown(arguments, capsys):
    assert run(arguments) == 2
    told = capsys.readouterr().err
    assert "\x1b" not in told and "x1b[2J" in told


@pytest.mark.parametrize("environment", [{"LC_ALL": "C"}, {"PYTHONIOENCODING": "ascii"}])
def test_letters_that_an_encoding_lacks_are_no_traceback(tmp_path, environment):
    spec = tmp_path / "scene.yaml"
    spec.write_text(SPEC.replace("test", "箱子") + "瓶: 1\n", "utf-8")
    result = blendgen("check", "-h", spec, **environment)
    assert result.returncode == 0
    result = blendgen("check", spec, **environment)
    assert result.returncode == 3
    assert "Traceback" not in result.stderr and "unknown key" in result.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
def test_a_result_that_cannot_be_written_is_told():
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "blendgen", "schema"]
        result = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert (result.returncode, result.stderr) == (1, "blendgen: No space left on device\n")


def test_a_reader_who_has_left_is_no_traceback():
    command = f"{sys.executable} -m blendgen schema | true; echo ${{PIPESTATUS[0]}}"
    result = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    assert (result.stdout, result.stderr) == ("1\n", "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
def test_errors_that_nobody_can_read_change_no_exit_code(tmp_path):
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "blendgen", "check", str(tmp_path / "none.yaml")]
        assert subprocess.run(command, stderr=full).returncode == 2


@pytest.mark.skipif(sys.platform == "win32", reason="only here can standard streams be closed")
def test_processes_that_are_started_have_streams_where_ours_were_closed():
    child = "import sys; sys.exit(None in (sys.stdin, sys.stdout, sys.stderr))"
    code = (
        "import subprocess, sys\nfrom blendgen.cli.terminal import open_streams\nopen_streams()\n"
        f"sys.exit(subprocess.run([sys.executable, '-c', {child!r}]).returncode)"
    )
    command = ["bash", "-c", 'exec "$0" -c "$1" <&- >&- 2>&-', sys.executable, code]
    assert subprocess.run(command).returncode == 0


def test_a_fault_of_ours_is_shown_without_what_steers_a_terminal():
    code = f"from blendgen.cli.terminal import open_streams\nopen_streams()\nraise RuntimeError({EVIL!r})"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.returncode == 1 and result.stderr.endswith(f"RuntimeError: {SHOWN}\n")
