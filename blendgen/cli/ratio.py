"""Ratio: an option such as 5:1."""

from __future__ import annotations

import math
import re

import click


def parsed_ratio(text: str) -> float:
    """5.0 of 5:1; raises click.BadParameter."""
    match = re.fullmatch(r"\s*([0-9]*\.?[0-9]+)\s*:\s*([0-9]*\.?[0-9]+)\s*", text)
    many, few = (float(match[1]), float(match[2])) if match else (0.0, 0.0)
    if not (0 < many < math.inf and 0 < few < math.inf and 0 < many / few < math.inf):
        raise click.BadParameter(f"expected a ratio such as 5:1, got {text!r}", param_hint="--ratio")
    return many / few
