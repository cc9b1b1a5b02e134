"""Start-up: the time until the first image, and until the help is printed.

Measured on fresh processes with warm caches, from their start until the first image file is complete.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.plan import Variant
from blendgen.errors import BlendgenError

_LONGEST_S = 600
_BLENDGEN = [sys.executable, "-m", "blendgen"]


def help_s() -> float:
    """Seconds of `blendgen --help`."""
    began_s = time.perf_counter()
    _run([*_BLENDGEN, "--help"])
    return time.perf_counter() - began_s


def python_s() -> float:
    """Seconds of a Python that does nothing: the least that any command takes."""
    began_s = time.perf_counter()
    _run([sys.executable, "-c", "pass"])
    return time.perf_counter() - began_s


def first_image_s(scene: Path, variant: Variant) -> float:
    """Seconds of `blendgen generate` until the first image is on the disk."""
    with tempfile.TemporaryDirectory(prefix="blendgen-bench-") as scratch:
        began_s = time.time()
        _run([*_BLENDGEN, "generate", str(scene), "-o", scratch, "-n", "1", *_overrides(variant)])
        images = [path for path in (Path(scratch) / "images").rglob("*") if path.is_file()]
        return min(path.stat().st_mtime for path in images) - began_s


def _overrides(variant: Variant) -> list[str]:
    width, height = variant.resolution
    values = (f"resolution=[{width}, {height}]", f"render.samples_per_pixel={variant.samples}")
    return [part for value in values for part in ("--set", value)]


def _run(command: list[str]) -> None:
    """Run a command; raises BlendgenError if it fails or does not end in time."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_LONGEST_S)
    except subprocess.TimeoutExpired:
        raise BlendgenError(f"{' '.join(command)} did not end within {_LONGEST_S:g} s") from None
    if done.returncode:
        raise BlendgenError(f"{' '.join(command)} failed: {done.stderr.strip() or done.stdout.strip()}")
