"""A command in the process of the tests, without the start of a Python."""

from __future__ import annotations

import io
from contextlib import redirect_stderr, redirect_stdout
from typing import NamedTuple

from blendgen.cli import run


class Result(NamedTuple):
    returncode: int
    stdout: str
    stderr: str


def blendgen(*arguments) -> Result:
    with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as err:
        code = run([str(argument) for argument in arguments])
    return Result(code, out.getvalue(), err.getvalue())
