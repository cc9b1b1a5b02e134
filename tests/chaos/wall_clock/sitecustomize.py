"""Adds to time.time() what the file CHAOS_CLOCK says; Python imports this module if it is on PYTHONPATH."""

import os
import time
from pathlib import Path

_usual = time.time


def _shifted() -> float:
    try:
        return _usual() + float(Path(os.environ["CHAOS_CLOCK"]).read_text("ascii"))
    except (KeyError, OSError, ValueError):
        return _usual()


time.time = _shifted
