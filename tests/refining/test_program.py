"""Programs of a user: what they get, and everything that may go wrong with what they make."""

from __future__ import annotations

import json
import os
import shlex
import sys
import time

import numpy as np
import pytest
from PIL import Image

from blendgen.errors import UsageError
from blendgen.refining.program import ChangeFault, parsed_program
from tests.exporters.conftest import stock as stock

PYTHON = shlex.quote(sys.executable)


def python(code: str, *words: str) -> str:
    """A command line that runs Python without site-packages, which starts faster."""
    return shlex.join([sys.executable, "-I", "-S", "-c", code, "{image}", "{out}", *words])


def changed(source, command, timeout_s=60.0, position=0):
    return parsed_program(command, timeout_s).changed(source, source.row(position))


def test_a_program_gets_copies_and_its_picture_is_read(out, tmp_path):
    note = tmp_path / "note.json"
    code = (
        "import json, shutil, sys; image, out, *rest = sys.argv[1:]; shutil.copy(image, out); "
        f"json.dump([image, *rest], open({str(note)!r}, 'w')); open(image, 'w').close()"
    )
    before = out.image(out.row(1))
    after = changed(
        out, python(code, "{depth}", "--mask={mask}", "a {label} here", "{}", "$HOME"), position=1
    )
    assert np.array_equal(after, before) and np.array_equal(out.image(out.row(1)), before)
    image, depth, mask, label, *others = json.loads(note.read_text())
    assert depth.endswith("depth.png") and mask.startswith("--mask=") and mask.endswith("mask.png")
    assert label == f"a {out.row(1).label} here" and others == ["{}", "$HOME"]
    assert not os.path.lexists(image) and not image.startswith(str(out.root))


@pytest.mark.parametrize(
    ("code", "fault"),
    [
        ("import sys; print('no model'); print(); sys.exit(3)", "ended with exit code 3: no model"),
        ("import os; os.kill(os.getpid(), 9)", "the program ended with signal 9"),
        ("pass", r"the program did not write \{out\}"),
        ("import sys; open(sys.argv[2], 'w').write('text')", "not a readable picture: not an image"),
        ("import os, sys; os.symlink('/dev/zero', sys.argv[2])", "not a readable picture"),
        ("import os, sys; os.mkdir(sys.argv[2])", "not a readable picture"),
        ("import os, sys; os.mkfifo(sys.argv[2])", "not a readable picture"),
        (
            "import sys; data = open(sys.argv[1], 'rb').read(); open(sys.argv[2], 'wb').write(data[:-900])",
            "not a readable picture",
        ),
        ("import sys; sys.stdout.buffer.write(b'\\xff\\x1b[31m' * 99999); sys.exit(1)", "exit code 1: "),
    ],
)  # fmt: skip
def test_what_a_program_does_wrong_is_said(out, code, fault):
    with pytest.raises(ChangeFault, match=fault) as caught:
        changed(out, python(code))
    assert str(caught.value).isprintable() and len(str(caught.value)) < 400


def test_a_picture_of_another_size_is_refused(out, tmp_path):
    Image.new("RGB", (32, 48)).save(tmp_path / "small.png")
    code = f"import shutil, sys; shutil.copy({str(tmp_path / 'small.png')!r}, sys.argv[2])"
    with pytest.raises(ChangeFault, match="wrote 32 x 48 pixels, not 64 x 48"):
        changed(out, python(code))


@pytest.mark.slow  # it waits
def test_a_program_that_hangs_ends_with_all_that_it_started(out, tmp_path):
    pids = tmp_path / "pids"
    code = (
        "import os, subprocess, sys, time; one = subprocess.Popen([sys.executable, '-S', '-c', "
        "'import time; time.sleep(600)']); "
        f"open({str(pids)!r}, 'w').write(f'{{os.getpid()}} {{one.pid}}'); time.sleep(600)"
    )
    with pytest.raises(ChangeFault, match="took more than 20 s"):
        changed(out, python(code), timeout_s=20)
    end_s = time.monotonic() + 120
    alive = [int(pid) for pid in pids.read_text().split()]
    while alive and time.monotonic() < end_s:
        alive = [pid for pid in alive if runs(pid)]
        time.sleep(0.05)
    assert not alive


def runs(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:  # noqa: PTH123 - not a file of a disk
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("", r"lacks \{image\}"),
        ("cp {image} out.png", r"lacks \{out\}; expected such as 'prog \{image\}"),
        ("cp {image} {otu}", r"unknown placeholder \{otu\}; did you mean out\?"),
        ("cp '{image} {out}", "no closing quotation"),
        ("/nowhere/prog {image} {out}", "/nowhere/prog: is not a program that can be started"),
        ("{image} {out}", "is not a program"),
    ],
)
def test_a_wrong_command_line_is_refused(command, message):
    with pytest.raises(UsageError, match=message):
        parsed_program(command)


def test_files_that_the_data_set_does_not_have_are_refused(out):
    with pytest.raises(UsageError, match=r"\{normals\}: .* set output\.normals in the spec"):
        parsed_program("cp {image} {normals} {out}").refuse_for(out)
    parsed_program("cp {image} {mask} {out}").refuse_for(out)
