"""Exit code: that of a command which an exception ends; the command line and events have it from here."""

from __future__ import annotations

from blendgen.errors import BlendgenError, ExitCode, Interrupted
from blendgen.files.disk import passes


def exit_code_of(error: BaseException) -> ExitCode | None:
    """None where something else decides it: a signal before images are made, the end of a loop over rows."""
    if isinstance(error, (BlendgenError, Interrupted)):
        return error.exit_code
    if not isinstance(error, Exception):
        return None
    if isinstance(error, MemoryError):
        return ExitCode.OUT_OF_MEMORY
    of_a_file = getattr(error, "filename", None) is not None  # else of stdout
    return ExitCode.RETRY if passes(error) and of_a_file else ExitCode.FAILED
