"""Index ranges: "0-9,12,20-40:5", as Slurm arrays and OpenJD write them, to a list of ints."""

from __future__ import annotations

import re

from blendgen.errors import UsageError

_PART = re.compile(r"(\d+)(?:-(\d+)(?::(\d+))?)?")
MAX_INDICES = 100_000_000


def parse_range(text: str) -> list[int]:
    """The indices of a range expression, in its order, each once; raises UsageError."""
    indices: dict[int, None] = {}
    for part in text.split(","):
        match = _PART.fullmatch(part.strip())
        if match is None:
            raise UsageError(f"{text!r} is not a range; write for example 0-9,12,20-40:5")
        first, last, step = match[1], match[2] or match[1], match[3] or "1"
        if int(last) < int(first) or int(step) == 0 or int(last) >= MAX_INDICES:
            raise UsageError(f"{part.strip()!r} is not a range from low to high below {MAX_INDICES}")
        indices.update(dict.fromkeys(range(int(first), int(last) + 1, int(step))))
    return list(indices)
