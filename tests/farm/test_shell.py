"""Words in a bash script mean the same bytes, and the script is ASCII."""

import os
import subprocess

from blendgen.farm.shell import command_line
from tests.farm.conftest import HOSTILE

WORDS = [HOSTILE, "", "-n", "~", "$HOME", "'", '"', "\\", "\\n", "a\nEND", "é", "日本", "!x", "{a,b}",
         "\x7f\x01", os.fsdecode(b"caf\xe9"), "x=1", "$'\\x41'", "a" * 200]  # fmt: skip


def test_bash_reads_every_word_as_it_was():
    text = command_line(["printf", "%s\\0", *WORDS])
    result = subprocess.run(["bash", "-s"], input=text.encode("ascii"), capture_output=True, check=True)
    assert result.stdout.split(b"\0")[:-1] == [os.fsencode(word) for word in WORDS]


def test_a_script_stays_one_line_and_readable():
    assert command_line(["blendgen", "-o", "/data/out 1"]) == "blendgen -o '/data/out 1'"
    assert "\n" not in command_line(WORDS)
