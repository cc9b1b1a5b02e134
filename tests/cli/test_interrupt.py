"""Ctrl-C wherever it falls: dropped by a callback, turned into another error, or inside exec()."""

import subprocess
import sys

import pytest

PROGRAM = """\
import signal, sys, time, weakref
from blendgen import cli

class Thing:
    pass

def pressed():
    signal.raise_signal(signal.SIGINT)

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
        raise ValueError("no such field") from None

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

case = globals()[sys.argv[1]]
cli.group.main = lambda *arguments, **options: case()
sys.argv = ["blendgen", "generate"]
cli.main()
"""


@pytest.mark.parametrize(
    "case, said",
    [("dropped", "not heard\n"), ("translated", ""), ("in_exec", ""), ("cleaning_up", "cleaned up\n")],
)
def test_ctrl_c_ends_the_program_in_one_way_wherever_it_falls(case, said):
    result = subprocess.run([sys.executable, "-c", PROGRAM, case], capture_output=True, text=True, timeout=15)
    assert (result.returncode, result.stdout) == (130, said)
    assert result.stderr.endswith("blendgen: stopped\n")
    assert "no such field" not in result.stderr


def test_a_program_that_ends_all_the_same_is_not_disturbed():
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM, "passed"], capture_output=True, text=True, timeout=15
    )
    assert (result.returncode, result.stderr) == (3, "")
