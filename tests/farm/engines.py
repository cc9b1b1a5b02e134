"""Other people's programs, which a test needs: it is skipped without them, but not in CI."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

FARM = "BLENDGEN_TEST_FARM"


def needed(*programs: str) -> None:
    """Skip a test whose programs are missing; where $BLENDGEN_TEST_FARM is set, fail it."""
    missing = [
        name for name in programs if shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin") is None
    ]
    if missing and os.environ.get(FARM):
        pytest.fail(f"{', '.join(missing)} not found, and {FARM} is set")
    if missing:
        pytest.skip(f"{', '.join(missing)} not found")


def installed(name: str) -> Path:
    """A program of the `dev` extra, next to this Python."""
    return Path(sys.executable).with_name(name)
