"""Index ranges such as "0-9,12,20-40:5", in the notation of Slurm arrays and OpenJD."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import chain

from blendgen.errors import UsageError

_PART = re.compile(r"(\d+)(?:-(\d+)(?::(\d+))?)?")
MAX_INDICES = 100_000_000
_MAX_LISTED = 10_000_000  # each takes about a hundred bytes


def parse_range(text: str) -> Sequence[int]:
    """The indices of a range expression in its order, each once; raises UsageError.

    A single part becomes a range, which takes no memory; several become a list of limited length.
    """
    parts = [_part(part.strip(), text) for part in text.split(",")]
    if len(parts) == 1:
        return parts[0]
    if sum(map(len, parts)) > _MAX_LISTED:
        raise UsageError(
            f"--index: several parts together are limited to {_MAX_LISTED} images; a single part, such as "
            f"0-{MAX_INDICES - 1}, is not"
        )
    return list(dict.fromkeys(chain(*parts)))


def _part(part: str, text: str) -> range:
    match = _PART.fullmatch(part)
    if match is None:
        raise UsageError(f"--index: expected ranges such as 0-9,12,20-40:5, got {text!r}")
    first, last, step = (int(number) for number in (match[1], match[2] or match[1], match[3] or "1"))
    if last < first or step == 0 or last >= MAX_INDICES:
        raise UsageError(f"--index: expected a range from low to high below {MAX_INDICES}, got {part!r}")
    return range(first, last + 1, step)
