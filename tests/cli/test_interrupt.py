"""A signal at any time: dropped by a callback, turned into another error, or inside exec()."""

import errno
import io
import os
import signal
import subprocess
import sys

import pytest

from blendgen import cli
from blendgen.errors import Interrupted

PROGRAM = """\
import signal, sys, time, weakref
from blendgen import cli

class Thing:
    pass

def pressed():
    signal.raise_signal(signal.Signals[sys.argv[-1]])

def dropped():
    thing = Thing()
    watch = weakref.ref(thing, lambda _: pressed())
    del thing  # the callback's KeyboardInterrupt is dropped here, as in the import system
    print("not heard")
    time.sleep(20)

def translated():
    try:
        pressed()
    except KeyboardInterrupt as error:
        raise ValueError("unknown field") from None

def in_exec():
    exec("pressed()")

def cleaning_up():
    try:
        pressed()
    finally:
        time.sleep(1.2)
        print("cleaned up")

def passed():
    try:
        pressed()
    except KeyboardInterrupt:
        pass
    return 3

def making_images():
    from blendgen.workers.stop_signal import StopSignal
    with StopSignal() as stop:
        pressed()
        time.sleep(1.2)
    print(stop.count, stop.signum)

def dropped_before_images_are_made():
    from blendgen.workers.stop_signal import StopSignal
    thing = Thing()
    watch = weakref.ref(thing, lambda _: pressed())
    del thing
    with StopSignal() as stop:
        time.sleep(1.2)
    print(stop.count, stop.signum)

def continuing():
    pressed()
    return 3

case = globals()[sys.argv[1]]
cli.group.main = lambda *arguments, **options: case()
cli.main()
"""


CODES = {"SIGINT": 130, "SIGTERM": 143, "SIGHUP": 129, "SIGUSR1": 75}
SIGNALS = [name for name in CODES if hasattr(signal, name)]
# the signals are handled alike; CI adds the others
each_signal = pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if name != "SIGINT" else name for name in SIGNALS]
)


def restore_default_signals():
    """In the child process: under nohup the tests, and all processes that they start, ignore SIGHUP."""
    for name in SIGNALS:
        signal.signal(signal.Signals[name], signal.SIG_DFL)


def ran(case, name, **options):
    command = [sys.executable, "-c", PROGRAM, case, name]
    options = {"capture_output": True, "preexec_fn": restore_default_signals} | options
    return subprocess.run(command, text=True, timeout=240, **options)


@each_signal
@pytest.mark.parametrize(
    "case, output",
    [("dropped", "not heard\n"), ("translated", ""), ("in_exec", ""), ("cleaning_up", "cleaned up\n")],
)
def test_a_signal_ends_the_program_in_one_way_at_any_time(case, output, name):
    result = ran(case, name)
    assert (result.returncode, result.stdout) == (CODES[name], output)
    assert result.stderr.endswith("blendgen: stopped\n")
    assert "unknown field" not in result.stderr


@each_signal
def test_a_signal_during_generation_is_only_recorded(name):
    result = ran("making_images", name)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == f"1 {int(signal.Signals[name])}\n"


@each_signal
def test_a_dropped_signal_is_recorded_once_generation_starts(name):
    result = ran("dropped_before_images_are_made", name)
    assert result.stdout == f"1 {int(signal.Signals[name])}\n"


@each_signal
def test_a_program_that_ends_anyway_is_not_disturbed(name):
    result = ran("passed", name)
    assert (result.returncode, result.stderr) == (3, "")


class GoneTerminal(io.StringIO):
    def write(self, text):
        raise OSError(errno.EIO, "Input/output error")


@pytest.mark.parametrize("stderr", [io.StringIO, GoneTerminal])
@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (Interrupted(15, "stopped: 3 images"), 143, "stopped: 3 images"),
        (Interrupted(10, "stopped: 3 images"), 75, "stopped: 3 images"),
        (KeyboardInterrupt(), 130, "stopped"),
        (
            OSError(errno.ENOTCONN, "Transport endpoint is not connected", "/mnt/set"),
            75,
            "/mnt/set: its disk or network folder does not answer (Transport endpoint is not connected). "
            "Finished images are kept; run the same command to continue",
        ),
        (OSError(errno.EIO, "Input/output error"), 1, "Input/output error"),
        (OSError(errno.EACCES, "Permission denied", "/mnt/set"), 1, "/mnt/set: Permission denied"),
    ],
)
def test_a_stopped_run_has_its_exit_code_and_one_line_even_without_a_terminal(
    monkeypatch, stderr, error, code, message
):
    def generate(*_, **__):
        raise error

    monkeypatch.setattr("blendgen.api.generate", generate)
    monkeypatch.setattr("sys.stderr", stderr())
    assert cli.run(["generate", "scene.yaml", "-o", "out"]) == code
    assert sys.stderr.getvalue() in ("", f"blendgen: {message}\n")


@pytest.mark.skipif("SIGHUP" not in SIGNALS, reason="the system has no SIGHUP")
def test_signals_that_nohup_ignores_stay_ignored():
    result = ran("continuing", "SIGHUP", preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    assert (result.returncode, result.stderr) == (3, "")


@pytest.mark.skipif("SIGHUP" not in SIGNALS, reason="the system has no SIGHUP")
def test_a_closed_terminal_does_not_change_the_exit_code():
    ours, theirs = os.openpty()
    os.close(ours)
    result = ran("continuing", "SIGHUP", capture_output=False, stdout=subprocess.DEVNULL, stderr=theirs)
    os.close(theirs)
    assert result.returncode == 129
