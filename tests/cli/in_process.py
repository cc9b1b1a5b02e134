"""A command in the process of the tests, without the start of a Python."""

from __future__ import annotations

import io
import sys
from contextlib import redirect_stderr, redirect_stdout
from typing import NamedTuple
from unittest.mock import patch

from blendgen.cli import run


class Result(NamedTuple):
    returncode: int
    stdout: str
    stderr: str


def blendgen(*arguments) -> Result:
    words = [str(argument) for argument in arguments]
    with (
        redirect_stdout(io.StringIO()) as out,
        redirect_stderr(io.StringIO()) as err,
        patch.object(sys, "argv", ["blendgen", *words]),
    ):
        code = run(words)
    return Result(code, out.getvalue(), err.getvalue())
