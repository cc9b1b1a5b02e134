"""What becomes of an error of the disk: some pass by themselves, others need somebody who fixes them."""

import errno
import os
from pathlib import Path

import pytest

from blendgen.errors import ExitCode
from blendgen.files.disk import disk_error, raise_if_passing
from blendgen.files.scratch import scratch_error

PLACE = Path("/mnt/set/manifest.jsonl")


def error_of(name):
    code = getattr(errno, name)
    return OSError(code, os.strerror(code))


@pytest.mark.parametrize(
    ("name", "code", "reason"),
    [
        ("ENOSPC", 75, "cannot be written: the disk is full."),
        ("EDQUOT", 75, "cannot be written: the disk quota is used up."),
        ("ESTALE", 75, "does not answer (Stale file handle)."),
        ("EIO", 75, "does not answer (Input/output error)."),
        ("ENOTCONN", 75, "does not answer (Transport endpoint is not connected)."),
        ("EHOSTDOWN", 75, "does not answer (Host is down)."),
        ("ETIMEDOUT", 75, "does not answer (Connection timed out)."),
        ("EREMOTEIO", 75, "does not answer (Remote I/O error)."),
        ("EACCES", 5, "cannot be written: Permission denied."),
        ("EROFS", 5, "cannot be written: Read-only file system."),
    ],
)
def test_only_what_passes_is_tried_again_and_the_message_names_the_folder(name, code, reason):
    error = disk_error(PLACE, error_of(name))
    assert error.exit_code == code
    assert str(error).startswith(str(PLACE)) and reason in str(error)
    assert str(error).endswith("run the same command to continue")


def test_a_full_folder_for_temporary_files_is_tried_again_and_a_missing_one_is_not():
    full = scratch_error(error_of("ENOSPC"))
    assert full.exit_code == ExitCode.RETRY and str(full).endswith("; or set TMPDIR to another folder")
    assert scratch_error(error_of("ENOENT")).exit_code == ExitCode.SETUP


def test_other_errors_are_left_to_the_caller():
    assert raise_if_passing(PLACE, error_of("EACCES")) is None
