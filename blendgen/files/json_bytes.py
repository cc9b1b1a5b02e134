"""JSON bytes: results as JSON that every parser reads: numbers that are not finite are null."""

from __future__ import annotations

import json
import math
from typing import Any


def json_bytes(value: Any) -> bytes:
    """One value as a file of JSON in UTF-8, indented; names of files that are not UTF-8 keep their bytes."""
    return (json.dumps(plain(value), indent=1, ensure_ascii=False) + "\n").encode("utf-8", "surrogateescape")


def plain(value: Any) -> Any:
    """Plain JSON values; tuples are lists."""
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
